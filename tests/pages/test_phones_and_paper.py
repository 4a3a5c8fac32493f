"""What a phone and a sheet of paper show of the overview: numbers without scrolling, and nothing folded away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.report.comparison.write import write_comparison
from tests.pages.browser import Visit, until
from tests.report.comparison.planted import compared
from tests.report.views.test_evidence import EVIDENCE, site

pytestmark = pytest.mark.browser

IN_SIGHT = """(cells) => cells.every((cell) => {
  const box = cell.getBoundingClientRect(), card = cell.closest(".scroll").getBoundingClientRect();
  return box.left >= card.left && box.right <= card.right + 1; })"""
WHOLE_WORDS = """(names) => names.every((name) => {
  const words = name.textContent.trim().split(/[ -]/), range = document.createRange();
  range.selectNodeContents(name);
  return new Set([...range.getClientRects()].map((line) => Math.round(line.top))).size <= words.length; })"""
SHOWN = "(element) => element.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })"
ARROWS = "(heads) => heads.map((head) => getComputedStyle(head.querySelector('.sort'), '::after').content)"


@pytest.fixture(name="phone")
def fixture_phone(chromium: Any) -> Iterator[Visit]:
    visit = Visit(chromium, viewport={"width": 390, "height": 844})
    yield visit
    visit.close()


def test_a_phone_shows_methods_and_how_faithful_they_are_side_by_side(phone: Visit, moved: Path) -> None:
    tab = phone.open(moved / "index.html")
    assert tab.locator(".effects td.effect").first.is_hidden()
    differences = tab.locator(".effects tbody tr > :is(th, td:nth-child(3))")
    assert differences.count() > 10 and differences.evaluate_all(IN_SIGHT)
    tab = phone.open(moved / "methods.html")
    assert tab.locator(".method-table tbody tr:first-child > :is(th, .of-standing)").evaluate_all(IN_SIGHT)
    names = tab.locator(".method-table .toggle")
    assert names.count() > 10 and names.evaluate_all(WHOLE_WORDS)


def test_a_phone_shows_all_that_was_measured_where_masks_add_a_column(phone: Visit, tmp_path: Path) -> None:
    """What came of the randomization test stands below the verdict there."""
    tab = phone.open(site(tmp_path / "run", EVIDENCE) / "index.html")
    tab.locator(".effects tbody tr > :is(th, td.num:not(.ranking))").first.wait_for()
    shown = tab.locator(".effects tbody tr > :is(th, td):visible")
    assert shown.count() == 3 * 4 and shown.evaluate_all(IN_SIGHT)
    assert tab.locator(".effects small.narrow:visible").all_inner_texts() == [
        "randomization: 0.830 [0.799, 0.861], failed"
    ]
    tab.set_viewport_size({"width": 1280, "height": 800})
    assert tab.locator(".effects small.narrow:visible").count() == 0
    assert tab.locator(".effects td.of-randomization:visible").count() == 4


@pytest.mark.parametrize(("runs", "fits"), [(2, True), (4, True), (6, False)])
def test_a_phone_shows_the_numbers_of_up_to_four_runs_and_breaks_no_word(
    phone: Visit, tmp_path: Path, runs: int, fits: bool
) -> None:
    report = compared(tmp_path / "runs", runs)
    write_comparison(report.comparison, report.runs, tmp_path / "changes")
    tab = phone.open(tmp_path / "changes" / "index.html")
    for table in ("#runs", "#classes"):
        cells = tab.locator(f"{table} :is(th, td).num")
        assert cells.count() > 2 * runs and cells.evaluate_all(IN_SIGHT) is fits, table
    heads = tab.locator("#runs tbody th span").all()
    lines = {head.inner_text(): len(head.evaluate("(span) => span.getClientRects()")) for head in heads}
    assert all(count <= len(name.split()) for name, count in lines.items()), lines
    phone.is_quiet()


def test_a_phone_shows_with_whom_a_class_is_confused(phone: Visit, moved: Path) -> None:
    tab = phone.open(moved / "performance.html")
    cells = tab.locator(".classes :is(th, td)")
    assert cells.count() >= 10 and cells.evaluate_all(IN_SIGHT)


def test_paper_has_what_a_screen_folds_away_of_the_evidence(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "index.html")
    folded = tab.locator(".evidence-of-methods details > :not(summary)").last
    assert not folded.evaluate(SHOWN)
    tab.emulate_media(media="print")
    assert folded.evaluate(SHOWN)


@pytest.mark.parametrize("page", ["index", "methods", "performance", "features", "run"])
def test_paper_has_no_title_of_what_is_folded_away_without_it(visit: Visit, moved: Path, page: str) -> None:
    tab = visit.open(moved / f"{page}.html")
    tab.emulate_media(media="print")
    for folded in tab.locator("main details").all():
        content = folded.locator("> :not(summary)").first
        assert folded.locator("> summary").evaluate(SHOWN) in (False, content.evaluate(SHOWN))
    if page == "methods":
        tab.emulate_media(media="screen")
        tab.locator("#all-measures details summary").first.click()
        tab.emulate_media(media="print")
        assert tab.locator("#all-measures details[open] dl").first.evaluate(SHOWN), "what a reader opened is printed"


def test_paper_breaks_no_name_of_a_method(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "methods.html")
    tab.set_viewport_size({"width": 711, "height": 1000})  # A4 less its margins
    tab.emulate_media(media="print")
    names = tab.locator(".method-table .toggle")
    assert names.count() > 10 and names.evaluate_all(WHOLE_WORDS)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 711


def test_a_gallery_without_maps_has_pictures_without_sides(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "index.html", "#show=picture")
    until(tab, "document.querySelector('[data-gallery] .both img + img').hidden")
    box = tab.locator("[data-gallery] .both").first.bounding_box()
    assert abs(box["width"] - box["height"]) < 2


def test_only_the_column_that_is_sorted_by_bears_its_arrow(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "methods.html")
    heads = tab.locator(".method-table thead th:has(.sort)")
    assert set(heads.evaluate_all(ARROWS)) == {'" ↕"'}
    tab.locator("[data-sort='passes'] .sort").click()
    assert sorted(heads.evaluate_all(ARROWS)) == sorted(['" ↑"', *['" ↕"'] * (heads.count() - 1)])


@pytest.mark.parametrize("width", [390, 1280, 1500])
def test_small_panels_reach_the_right_edge(visit: Visit, moved: Path, width: int) -> None:
    """On a phone all of them; beside each other two, of which one is as wide as its matrix."""
    tab = visit.open(moved / "index.html")
    tab.set_viewport_size({"width": width, "height": 900})
    tab.evaluate("for (const more of [...document.querySelectorAll('.small-panels > .card')].slice(2)) more.remove()")
    edges = tab.locator(".small-panels > .card").evaluate_all(
        "(cards) => cards.map((card) => [card.parentNode, card].map((one) => one.getBoundingClientRect().right))"
    )
    assert len(edges) == 2
    for whole, own in edges if width == 390 else edges[1:]:
        assert own == pytest.approx(whole, abs=1)
