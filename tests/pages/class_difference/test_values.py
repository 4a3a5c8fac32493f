"""The maps of one class minus those of another, as the image page draws them in Chromium."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.report.pictures.drawing import Look
from cnnvis_report.report.pictures.palettes import RGB, limit, stops
from cnnvis_report.report.pictures.resample import Values, resize
from cnnvis_report.store import load_run
from tests.exhaustive import represented
from tests.pages.browser import Visit, until
from tests.pages.class_difference.differences import TILE, Both, Maps, choose, number, opened, packing
from tests.pages.image_page import PAGE, settled

pytestmark = pytest.mark.browser


def test_every_map_is_a_minus_b_and_no_further_off_than_its_tile_says(
    visit: Visit, moved: Path, image: ImageRecord, both: Both, maps: Maps
) -> None:
    tab = opened(visit, moved, image, both, "&interpolation=none")
    bounds = 0
    for method, by_class in maps.items():
        height, width, values, evidence = tab.evaluate(
            f"""(method) => {{ const {{ grid, map }} = {TILE}.drawn;
            return [grid.height, grid.width, [...grid.values], map.evidence] }}""",
            method,
        )
        truth = by_class[both[0].index].astype(np.float64) - by_class[both[1].index]
        errors = np.abs(np.array(values).reshape(height, width) - truth)
        assert errors.max() <= max(packing(by_class, both), 1e-6 * np.abs(truth).max()), method
        assert evidence.startswith(f"{both[0].name} − {both[1].name}")
        stated = re.search(r"to within (\S+) at 99\s% of the pixels, (\S+) at most", evidence)
        assert (stated is None) == (truth.size <= 1024), method
        if stated:
            bounds += 1
            mostly, at_most = map(number, stated.groups())
            assert np.quantile(errors, 0.99, method="inverted_cdf") <= mostly <= at_most >= errors.max(), method
            assert at_most <= packing(by_class, both) * 1.11, f"{method}: two digits, rounded up"
    assert bounds > 3, "there are pixel maps in this report"
    visit.is_quiet()


@pytest.mark.parametrize(
    "method", represented(["grad_cam", "saliency", "input_x_gradient"], by=("grad_cam", "saliency"))
)
def test_the_pointer_reads_the_difference(
    visit: Visit, moved: Path, image: ImageRecord, both: Both, maps: Maps, method: str
) -> None:
    tab = opened(visit, moved, image, both)
    by_class = maps[method]
    truth: Values = (by_class[both[0].index] - by_class[both[1].index]).astype(np.float64)
    if truth.size <= 1024:
        truth = resize(truth, (40, 40))
    tile = tab.locator(f"[data-tiles] [data-method='{method}']")
    tile.locator(".view").scroll_into_view_if_needed()
    settled(tab)
    box = tile.locator(".view").bounding_box()
    tolerance = packing(by_class, both) + 1e-6
    for row, column in [(5, 9), (20, 31), (33, 2)]:
        tab.mouse.move(box["x"] + (column + 0.5) / 40 * box["width"], box["y"] + (row + 0.5) / 40 * box["height"])
        read = number(tile.locator(".reading").text_content())
        assert read == pytest.approx(float(truth[row, column]), rel=6e-2, abs=tolerance)
    visit.is_quiet()


def middle_as_background(overlay: bool) -> list[RGB]:
    """The stops of the palette of signed maps; alone, zero is the background."""
    colors = list(stops(Look().signed))
    if not overlay:
        colors[len(colors) // 2] = Look().background
    return colors


def test_colors_diverge_from_zero_for_every_method_and_ends_are_as_told(
    visit: Visit, moved: Path, report: Path, image: ImageRecord, both: Both, maps: Maps
) -> None:
    tab = opened(visit, moved, image, both)
    run = load_run(report).record
    assert {run.method(name).shown_sign for name in maps} == set(Sign), "or this shows little"

    def drawn() -> Any:
        return tab.evaluate(
            f"""Object.fromEntries({PAGE}.tiles.filter((t) => t.method && !t.class && !t.lead).map((t) => {{
            const ends = [...t.element.querySelectorAll(".ends span")].map((each) => each.textContent);
            return [t.method, {{ ...t.drawn.style, ends }}] }}))"""
        )

    for setting in ("classes", "map"):
        tab.evaluate("document.querySelector('details.more').open = true")
        tab.select_option("[name='normalize']", setting)
        until(tab, f"{PAGE}.state.normalize === '{setting}'")
        settled(tab)
        for method, seen in drawn().items():
            by_class = maps[method]
            pairs = list(combinations(by_class.values(), 2))
            if setting == "map":
                pairs = [(by_class[both[0].index], by_class[both[1].index])]
            clipped = run.method(method).kind is Kind.PIXEL
            wanted = max(limit(a - b, clipped=clipped) for a, b in pairs)
            slack = packing(by_class, both) * 2
            assert seen["signed"] and [tuple(each) for each in seen["stops"]] == middle_as_background(seen["overlay"])
            assert seen["end"] == pytest.approx(wanted, rel=1e-5, abs=slack), (method, setting)
            low, zero, high = (re.sub("[≤≥] ", "", text) for text in seen["ends"])
            assert (low, zero) == (f"−{high}", "0")
    visit.is_quiet()


def test_turned_round_it_is_the_same_with_the_other_sign(
    visit: Visit, moved: Path, image: ImageRecord, both: Both
) -> None:
    look = f"""{PAGE}.tiles.filter((t) => t.method && !t.class && !t.lead).map(({{ drawn }}) =>
        [drawn.style.end, [...drawn.grid.values].map((v) => v || 0)])"""
    tab = opened(visit, moved, image, both)
    there = tab.evaluate(look)
    tab.locator("[data-minus]").select_option("")
    tab.locator(f"[data-class='{both[1].index}']").click()
    choose(tab, both[0].index)
    for (end, values), (end_back, back) in zip(there, tab.evaluate(look), strict=True):
        assert end == end_back
        np.testing.assert_array_equal(values, -np.array(back))


def test_a_map_that_is_missing_or_the_same_is_told_from_others(
    visit: Visit, moved: Path, image: ImageRecord, both: Both
) -> None:
    tab = visit.open(moved / "images" / f"{image.id}.html", f"#class={both[0].index}")
    settled(tab)
    tab.evaluate(
        f"""([a, b]) => {{ const {{ maps }} = {PAGE}.data;
        delete Object.values(maps.cam)[0][b];
        const [same] = Object.values(maps.random); for (const each of Object.keys(same)) same[each] = same[a]; }}""",
        [str(both[0].index), str(both[1].index)],
    )
    tab.locator("[data-minus]").select_option(str(both[1].index))
    until(tab, f"(method) => {TILE}.drawn?.target.includes(' − ')", "random")
    until(tab, f"(method) => {TILE}.element.classList.contains('missing')", "cam")
    assert not tab.locator("[data-tiles] [data-method='cam'] canvas").is_visible()
    assert not tab.locator("[data-tiles] [data-method='cam'] .scale").is_visible(), (
        "the scale of a map that isn't there"
    )
    assert "the same map for both" in tab.locator("[data-tiles] [data-method='random'] [data-evidence]").text_content()
    assert tab.evaluate(f"(method) => {TILE}.drawn.grid.values.every((v) => v === 0)", "random")
    visit.is_quiet()
