"""The maps of one class minus those of another, as the image page shows them in Chromium."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.images import ClassScore, ImageRecord
from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.report.pictures.drawing import Look
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.pictures.palettes import RGB, limit, stops
from cnnvis_report.report.pictures.resample import Values, resize
from cnnvis_report.report.views.formatting import named_score, percent
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.pages.browser import Visit, until
from tests.pages.test_pages import PAGE, settled

pytestmark = pytest.mark.browser


TILE = f"{PAGE}.tiles.find((t) => t.method === method && !t.class && !t.lead)"


Both = tuple[ClassScore, ClassScore]
Maps = dict[str, dict[int, np.ndarray]]  # by method and class


@pytest.fixture(scope="module")
def image(report: Path) -> ImageRecord:
    return next(iter(load_run(report).images()))


@pytest.fixture
def both(image: ImageRecord) -> Both:
    """The classes A and B that are compared unless a test says otherwise."""
    return image.targets[1], image.targets[0]


def opened(visit: Visit, folder: Path, image: ImageRecord, both: Both, more: str = "") -> Any:
    fragment = f"#class={both[0].index}&minus={both[1].index}{more}"
    tab = visit.open(folder / "images" / f"{image.id}.html", fragment)
    settled(tab)
    return tab


def choose(tab: Any, index: int) -> None:
    tab.locator("[data-minus]:visible").select_option(str(index))
    until(tab, f"{PAGE}.state.minus === '{index}'")
    settled(tab)


@pytest.fixture(scope="module")
def maps(report: Path, image: ImageRecord) -> Maps:
    """By method with a tile and class, from the run folder: what the page shows, before any packing."""
    arrays, run = load_arrays(report, image.id), load_run(report).record
    shown: Maps = {}
    evidence = load_run(report).evidence
    folded = {verdict.method for verdict in evidence.methods if verdict.same_as} if evidence else set()
    for record in image.maps:
        if record.method not in folded:
            shown.setdefault(record.method, {})[record.target] = run.method(record.method).shown(arrays[record.key])
    return shown


def packing(maps: dict[int, np.ndarray], both: Both) -> float:
    """How far the packed difference may be off: the errors of both maps, and nothing for exact ones."""
    if maps[both[0].index].size <= 1024:
        return 1e-6
    return sum(QUALITIES[0].error * float(np.abs(maps[each.index]).max()) for each in both) * 1.001 + 1e-12


def number(text: str) -> float:
    return float(text.replace("−", "-"))


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


@pytest.mark.parametrize("method", ["grad_cam", "saliency", "input_x_gradient"])
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


def test_it_is_said_and_survives_a_reload_and_a_link(visit: Visit, moved: Path, image: ImageRecord, both: Both) -> None:
    tab = visit.open(moved / "images" / f"{image.id}.html", f"#class={both[0].index}")
    settled(tab)
    line = tab.locator("p[data-difference]")
    assert not line.is_visible() and tab.locator("[data-minus]").input_value() == ""
    choose(tab, both[1].index)
    name = f"{both[0].name} − {both[1].name}"

    def is_shown() -> None:
        assert f"class={both[0].index}&minus={both[1].index}" in tab.url
        assert (
            f"Every map below shows {name}: above zero where it is larger for {both[0].name}, below"
            in line.inner_text()
        )
        assert "one value per pixel" in line.inner_text() and line.locator("xpath=..").get_attribute("role") == "status"
        assert tab.locator("[data-minus]").input_value() == str(both[1].index)
        label = tab.locator("[data-tiles] [data-method='grad_cam'] canvas").get_attribute("aria-label")
        assert label.startswith(f"Grad-CAM for {name}: largest value ")
        assert name in tab.locator("[data-tiles] [data-method='grad_cam'] [data-evidence]").text_content()
        told = "in a difference the errors of both maps add up, to at most " + percent(2 * QUALITIES[0].error)
        assert told in tab.locator("span[data-difference]").inner_text()
        assert tab.locator("[name='color']").is_disabled()

    is_shown()
    tab.reload()
    settled(tab)
    is_shown()
    tab.emulate_media(media="print")
    assert line.is_visible() and not tab.locator(".minus").is_visible()
    tab.emulate_media(media="screen")
    kept = tab.locator("a[rel='next']").get_attribute("href")
    assert "minus" not in kept, "a neighbor has classes of its own"
    tab.locator("[data-minus]").select_option("")
    until(tab, f"{PAGE}.state.minus === ''")
    assert "minus" not in tab.url and not line.is_visible() and tab.locator("[name='color']").is_enabled()
    assert not tab.locator("span[data-difference]").is_visible()
    visit.is_quiet()


def test_a_class_minus_itself_is_no_difference(visit: Visit, moved: Path, image: ImageRecord, both: Both) -> None:
    tab = opened(visit, moved, image, both)
    tab.locator(f"[data-class='{both[1].index}']").click()
    until(tab, f"{PAGE}.state.class === '{both[1].index}'")
    settled(tab)
    assert tab.evaluate(f"{PAGE}.state.minus") == "" and "minus" not in tab.url
    assert tab.locator("[data-minus]").input_value() == "" and not tab.locator("p[data-difference]").is_visible()
    open_to = "[...document.querySelectorAll('[data-minus] option:not(:disabled)')].map((o) => o.value)"
    assert tab.evaluate(open_to) == ["", *(str(each.index) for each in image.targets if each != both[1])]
    plain = tab.evaluate(f"{PAGE}.tiles.find((t) => t.method === 'grad_cam').drawn.style.signed")
    assert plain is False, "single maps look as they did"
    for wrong in (both[0].index, 4711, "%3Cb%3E"):
        visit.open(moved / "methods.html")
        tab = visit.open(moved / "images" / f"{image.id}.html", f"#class={both[0].index}&minus={wrong}")
        settled(tab)
        assert tab.evaluate(f"{PAGE}.state.minus") == ""
    tab.locator(f"[data-class='{image.targets[2].index}']").click()
    until(tab, f"{PAGE}.state.class === '{image.targets[2].index}'")
    assert "minus" not in tab.url and tab.evaluate(f"{PAGE}.state.minus") == ""
    visit.is_quiet()


def test_keys_reach_and_change_it(visit: Visit, moved: Path, image: ImageRecord) -> None:
    tab = visit.open(moved / "images" / f"{image.id}.html")
    settled(tab)
    tab.locator("[data-class]").first.focus()
    tab.keyboard.press("Shift+Tab")
    assert tab.evaluate("document.activeElement.matches('[data-minus]')")
    field = tab.get_by_role("combobox", name="Compare with the class")
    assert field.count() == 1
    tab.keyboard.press("ArrowDown")
    until(tab, f"{PAGE}.state.minus === '{image.targets[1].index}'")
    settled(tab)
    tab.locator("[data-class]").first.focus()
    tab.keyboard.press("3")
    until(tab, f"{PAGE}.state.class === '{image.targets[2].index}'")
    settled(tab)
    assert tab.evaluate(f"{PAGE}.state.minus") == str(image.targets[1].index), "another class minus the same"
    tab.keyboard.press("2")
    until(tab, f"{PAGE}.state.minus === ''")
    settled(tab)
    visit.is_quiet()


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


def test_enlarged_it_keeps_its_name(visit: Visit, moved: Path, image: ImageRecord, both: Both) -> None:
    tab = opened(visit, moved, image, both)
    tab.locator("[data-tiles] [data-method='grad_cam'] .enlarge").focus()
    tab.keyboard.press("Enter")
    tab.locator("dialog .colorbar").wait_for(state="attached")
    difference = f"class {named_score(both[0])} − {named_score(both[1])}"
    assert tab.locator("dialog h2").inner_text() == f"Grad-CAM · {image.name} · {difference} · tiny"
    visit.is_quiet()


def test_one_class_offers_nothing_to_subtract(visit: Visit, drawn: Path, tmp_path: Path) -> None:
    few = ["--device", "cpu", "--limit", "1", "-c", "top:1", "-m", "grad_cam,saliency"]
    command("run", "tests.factories:tiny", drawn / "circle", "-o", tmp_path / "r", *few)
    (image,) = load_run(tmp_path / "r").images()
    tab = visit.open(tmp_path / "r" / "images" / f"{image.id}.html", f"#minus={image.targets[0].index}")
    settled(tab)
    assert len(image.targets) == 1 and tab.locator("[data-minus]").count() == 0
    assert tab.evaluate(f"{PAGE}.state.minus") == "" and not tab.locator("p[data-difference]").is_visible()
    visit.is_quiet()


def test_without_scripts_there_is_no_control(chromium: Any, moved: Path, image: ImageRecord) -> None:
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((moved / "images" / f"{image.id}.html").resolve().as_uri())
    assert tab.locator("[data-minus]:visible, [data-difference]:visible").count() == 0
    context.close()


def test_the_single_file_has_it_too(visit: Visit, alone: Path, image: ImageRecord, both: Both) -> None:
    tab = visit.open(alone, f"#page=image-{image.id}&class={both[0].index}")
    settled(tab)
    choose(tab, both[1].index)
    assert f"minus={both[1].index}" in tab.url and f"page=image-{image.id}" in tab.url
    name = json.dumps(f"{both[0].name} − {both[1].name}")
    tab.reload()
    settled(tab)
    until(tab, f"document.querySelector('main:not([hidden]) [data-named=shown]').textContent === {name}")
    tab.keyboard.press("j")
    until(tab, f"!document.querySelector('main:not([hidden])').dataset.image.includes('{image.id}')")
    settled(tab)
    assert tab.evaluate(f"{PAGE}.state.minus") == ""
    visit.is_quiet()


def test_narrow_screens_need_no_scrolling_sideways(chromium: Any, moved: Path, image: ImageRecord, both: Both) -> None:
    visit = Visit(chromium, viewport={"width": 360, "height": 740})
    fragment = f"#class={both[0].index}&minus={both[1].index}"
    tab = visit.open(moved / "images" / f"{image.id}.html", fragment)
    until(tab, f"(method) => {PAGE}.data && {TILE}.drawn?.target.includes(' − ')", "grad_cam")
    assert tab.locator("[data-minus]").is_visible() and tab.locator("p[data-difference]").is_visible()
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.context.close()
