"""The headline figure in Chromium: its links, its colors in the dark, and its command."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.report.figure.config import FigureConfig
from cnnvis_report.report.figure.content import Figure, make_figure
from cnnvis_report.store import load_run
from tests.exhaustive import represented
from tests.pages.browser import Visit, until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def figure(report: Path) -> Figure:
    return make_figure(load_run(report), FigureConfig())


def middle(tab: Any, row: int, column: int, figure: Figure) -> tuple[float, float]:
    """The middle of a cell; links to titles come first, then a row's head, input and maps."""
    number = len(figure.columns) + row * (len(figure.columns) + 2) + 2 + column
    link = tab.locator(".figure-sheet a").nth(number)
    link.scroll_into_view_if_needed()
    box = link.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_click_on_a_cell_leads_to_its_map(visit: Visit, moved: Path, figure: Figure) -> None:
    tab = visit.open(moved / "index.html")
    tab.mouse.click(*middle(tab, 1, 2, figure))
    until(tab.page, "location.pathname.includes('/images/')")
    image, method = figure.rows[1].image.id, figure.columns[2].method.name
    assert tab.url.endswith(f"/images/{image}.html#{method}")
    assert tab.locator(f"#{method}").get_attribute("data-anchor") == method
    visit.is_quiet()


def test_in_a_single_file_too(visit: Visit, alone: Path, figure: Figure) -> None:
    tab = visit.open(alone)
    assert tab.locator("img").first.evaluate("(image) => image.classList.contains('light') && image.naturalWidth > 0")
    tab.mouse.click(*middle(tab, 0, 1, figure))
    image, method = figure.rows[0].image.id, figure.columns[1].method.name
    until(tab.page, f"!document.querySelector(\"main[data-image='{image}']\").hidden")
    assert f"at={method}" in tab.url
    visit.is_quiet()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_picture_is_seen(chromium: Any, moved: Path, scheme: str) -> None:
    visit = Visit(chromium, color_scheme=scheme)
    tab = visit.open(moved / "index.html")
    until(tab.page, f"document.querySelector('.headline-figure img.{scheme}').naturalWidth > 0")
    seen = [image.get_attribute("class") for image in tab.locator(".headline-figure img").all() if image.is_visible()]
    assert seen == [scheme]
    tab.page.emulate_media(media="print")
    seen = [image.get_attribute("class") for image in tab.locator(".headline-figure img").all() if image.is_visible()]
    assert seen == ["light"], "on paper"
    visit.is_quiet()
    visit.close()


@pytest.mark.parametrize("width", represented([390, 1024, 1440], by=(390,)))
def test_the_page_never_scrolls_sideways_for_it(chromium: Any, moved: Path, width: int) -> None:
    visit = Visit(chromium, viewport={"width": width, "height": 900})
    tab = visit.open(moved / "index.html")
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture = tab.locator(".headline-figure img").first.bounding_box()
    link = tab.locator(".figure-sheet a").last.bounding_box()
    assert picture["width"] >= min(width - 100, 700)
    assert link["x"] + link["width"] <= picture["x"] + picture["width"] + 1, "links are scaled with the picture"
    visit.close()


def test_the_command_names_the_folder(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "index.html")
    tab.locator(".take-away summary").click()
    command = tab.locator(".take-away code").first.inner_text()
    assert command == f"cnnvis-report figure '{moved.resolve()}' -o figure.pdf"
    assert tab.locator(".take-away [data-copy]").count() == 2
    visit.is_quiet()


def test_it_is_there_without_scripts(chromium: Any, moved: Path, figure: Figure) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((moved / "index.html").resolve().as_uri())
    assert page.locator(".headline-figure img.light").is_visible()
    page.locator(".figure-sheet a").nth(len(figure.columns)).click()
    assert page.url.endswith(f"images/{figure.rows[0].image.id}.html")
    context.close()
