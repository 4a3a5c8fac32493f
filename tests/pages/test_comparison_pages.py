"""The pages of a comparison in Chromium: linked maps of all runs, the gallery by what changed, and no request."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.report.comparison.write import write_comparison
from tests.pages.browser import Visit, until
from tests.report.comparison.planted import HOSTILE, compared

pytestmark = pytest.mark.browser

LEAD = "[data-lead-row] .tile[data-method]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    report = compared(tmp_path_factory.mktemp("runs"))
    path = tmp_path_factory.mktemp("comparisons") / "what changed #1"
    write_comparison(report.comparison, report.runs, path)
    return path


def pixels(tab: Any, number: int) -> str:
    """What is drawn on the canvas of a map of the first row."""
    return str(tab.evaluate(f"document.querySelectorAll('{LEAD} canvas.map')[{number}].toDataURL()"))


def test_the_gallery_shows_what_was_broken_and_leads_on_within_it(visit: Visit, folder: Path) -> None:
    tab = visit.open(folder / "index.html")
    assert tab.locator(".gallery li").count() == 5
    tab.click("[data-verdict='broken']")
    assert tab.locator(".gallery .name").all_inner_texts() == ["c.png"]
    tab.click("[data-verdict='']")
    tab.select_option("select[name=sort]", "lowest-moved")
    assert tab.locator(".gallery .name").first.inner_text() == "e.png"
    tab.locator(".gallery a").nth(4).click()
    until(tab.page, "location.pathname.includes('/images/')")
    assert tab.locator("[data-position]").inner_text() == "5 of 5"
    visit.is_quiet()


def test_an_image_page_shows_runs_and_difference_of_a_chosen_method_on_one_zoom(visit: Visit, folder: Path) -> None:
    tab = visit.open(folder / "images" / "image-1.html")
    assert tab.inner_text("h1") == HOSTILE
    titles = tab.locator(f"{LEAD} h3").all_inner_texts()
    assert titles == ["old <i> Cam", "new 1 Cam", "new 1 − old <i> Cam"]
    before = [pixels(tab, number) for number in range(3)]
    assert len(set(before)) == 3
    tab.select_option("select[name=method]", "gradient")
    after = [pixels(tab, number) for number in range(3)]
    assert not set(before) & set(after) and tab.locator(f"{LEAD} h3").first.inner_text() == "old <i> Gradient"
    box = tab.locator(f"{LEAD} .view").nth(1).bounding_box()
    tab.mouse.move(box["x"] + 20, box["y"] + 20)
    until(tab.page, "document.querySelectorAll('[data-lead-row] .plot').length === 3")  # Plotly, from the first move on
    tab.mouse.down()
    tab.mouse.move(box["x"] + 90, box["y"] + 90, steps=4)
    tab.mouse.up()
    until(tab.page, "location.hash.includes('zoom=')")
    assert all(pixels(tab, number) != after[number] for number in range(3)), "all are zoomed"
    tab.keyboard.press("z")
    assert [pixels(tab, number) for number in range(3)] == after
    visit.is_quiet()


def test_a_difference_can_be_enlarged_and_sent(visit: Visit, folder: Path) -> None:
    tab = visit.open(folder / "images" / "image-2.html", "#open=cam.1-0")
    until(tab.page, "document.querySelector('dialog[open] .large .main-svg') !== null")
    assert tab.inner_text("#enlarged-title") == "Cam · c.png · run new 1 − old <i> · net"
    values = tab.evaluate("""async () => {
        const { drawing } = CnnVis.wired.get(document.querySelector("main"));
        const of = async (state) => (await drawing.of("cam", { ...CnnVis.imageDefaults, minus: "", ...state })).cells;
        const [old, now] = [await of({ class: "0" }), await of({ class: "1" })];
        const { values } = await of({ class: "1", minus: "0" });
        return [...values].map((value, at) => value - (now.values[at] - old.values[at]));
    }""")
    assert len(values) == 16 and max(map(abs, values)) < 1e-6
    visit.is_quiet()
