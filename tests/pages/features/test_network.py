"""The page about the network's features in Chromium, and on narrow screens."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.store import load_run
from tests.conftest import command
from tests.narrow import present
from tests.pages.browser import Visit, until
from tests.pages.features.grid import READY, SAID, Looked

pytestmark = pytest.mark.browser

FIXTURE = Path(__file__).parents[2] / "fixtures" / "run-2"


def test_the_page_of_the_network_shows_every_view(visit: Visit, moved: Path, looked: Looked) -> None:
    run, _ = looked
    inside = present(run.record.inspection)
    tab = visit.open(moved / "features.html")
    assert tab.locator(".maximized figure").count() == len(inside.maximized)
    assert tab.locator(".sheet").count() == len(inside.top_images)
    heights = tab.evaluate(
        "[...document.querySelectorAll('#channels .dot.active')].map((dot) => dot.getAttribute('cy'))"
    )
    assert [1 - float(height.removesuffix("%")) / 100 for height in heights] == pytest.approx(
        [stats.active_fraction for stats in inside.channel_stats], abs=1e-4
    )
    layers = [layer.name for layer in run.record.network.layers]
    anchor = f"layer-{layers.index(inside.top_images[0].layer)}"
    tab.locator(f".layers a[href$='#{anchor}']").focus()
    tab.keyboard.press("Enter")
    until(tab, f"document.querySelector('#{anchor}').getBoundingClientRect().top < 300")
    tab.locator(".kernels [data-normalize='kernel']").first.click()
    assert (
        tab.evaluate("[...document.querySelectorAll('.kernels')][0].querySelector('[data-normalized=kernel]').hidden")
        is False
    )
    for picture in tab.locator("main img:visible").all():
        picture.scroll_into_view_if_needed()
    until(tab, "[...document.images].filter((i) => !i.hidden).every((i) => i.complete && i.naturalWidth > 0)")
    tab.locator(".sheet a").first.click()
    until(tab, "document.querySelector('main').dataset.page === 'image'")
    visit.is_quiet()


def test_the_table_below_the_chart_goes_to_the_layer(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "features.html")
    assert tab.locator("#channels figure.chart svg[role=img]").count() == 1
    tab.locator("#channels summary").click()
    link = tab.locator("#channels tbody a").first
    anchor = f"#{link.get_attribute('href').partition('#')[2]}"
    link.click()
    assert tab.evaluate("location.hash") == anchor
    assert tab.locator(f"{anchor}:target").count() == 1
    visit.is_quiet()


def test_the_single_file_has_the_inside(visit: Visit, alone: Path, looked: Looked) -> None:
    _, inside = looked
    tab = visit.open(alone, "#page=features")
    assert tab.locator("main:visible .sheet").count() > 0
    until(tab, "[...document.querySelectorAll('main:not([hidden]) img')].every((i) => i.src.startsWith('data:'))")
    visit.open(alone, f"#page=image-{inside.image}&feature_layer=2")
    until(tab, "[...document.querySelectorAll('main:not([hidden]) [data-grid] button')].length > 0")
    said = "document.querySelector('main:not([hidden]) [data-said]').textContent"
    until(tab, f"{said}.startsWith('3 of')")
    visit.is_quiet()


@pytest.mark.parametrize("width", [360, 800])
def test_the_inside_fits_narrow_screens(chromium: Any, moved: Path, looked: Looked, width: Any) -> None:
    visit = Visit(chromium, viewport={"width": width, "height": 740})
    for path in (moved / "features.html", moved / "images" / f"{looked[1].image}.html"):
        tab = visit.open(path)
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name
    visit.close()


def test_operations_within_blocks_are_listed_when_they_are_asked_for(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "features.html")
    rows = tab.locator(".layers tr.operation")
    assert rows.count() > 0 and not any(row.is_visible() for row in rows.all())
    tab.locator("[name='operations']").check()
    assert all(row.is_visible() for row in rows.all())
    visit.is_quiet()


def test_a_run_with_maps_of_every_operation_shows_blocks_first(chromium: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(FIXTURE, tmp_path / "r")
    command("render", folder)
    inside = next(image for image in present(load_run(folder).record.inspection).images if image.side)
    visit = Visit(chromium)
    tab = visit.open(folder / "images" / f"{inside.image}.html")
    tab.locator("[data-maps]").scroll_into_view_if_needed()
    until(tab, f"{READY} && {SAID}.startsWith('1 of 3: features.1,')")
    strip = tab.locator(".strip figure:has([data-variant-of='summary']:visible)")
    assert [name.strip() for name in strip.all_inner_texts()] == ["features.1", "features.2", "features.4"]
    tab.locator(".card.features [name='operations']").check()
    until(tab, f"{SAID}.includes('of {len(inside.layers)}: features.1,')")
    assert [name.strip() for name in strip.all_inner_texts()] == list(inside.layers)
    visit.open(folder / "images" / f"{inside.image}.html", "#feature_layer=0")
    until(tab, f"{READY} && {SAID}.startsWith('1 of {len(inside.layers)}: {inside.layers[0]},')")
    visit.is_quiet()
    visit.close()
