"""The enlarged view in Chromium: what it shows, where it leads, and that its address brings it back."""

import json
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.report.views.formatting import named_score
from cnnvis_report.store import load_arrays
from tests.exhaustive import represented
from tests.pages.browser import Visit, until
from tests.pages.enlarged import CONTENT, called, hostile, opened, plain, record_of, shared
from tests.pages.image_page import PAGE, images

__all__ = ["shared"]
pytestmark = pytest.mark.browser
RANGES = """[...document.querySelectorAll('dialog .large')].map(({ _fullLayout: { xaxis, yaxis } }) =>
  [xaxis.range, yaxis.range])"""


def heading(tab: Any) -> str:
    return str(tab.locator("dialog h2").inner_text())


def test_the_title_says_what_is_shown_of_what(shared: Visit, moved: Path, report: Path) -> None:
    image = hostile(report)
    tab = opened(shared, moved, image, "grad_cam")
    assert heading(tab) == f"Grad-CAM · {image.name} · class {named_score(image.targets[0])} · tiny"
    assert tab.locator("dialog .large").count() == 2 and tab.locator("dialog .colorbar").count() == 1
    notes = tab.locator("dialog .notes li").all_inner_texts()
    assert "backward pass" in notes[0]
    shared.is_quiet()


def test_warnings_stand_with_their_reasons(shared: Visit, moved: Path, report: Path) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "grad_cam")
    warnings = tab.evaluate(f"{PAGE}.data.facts.warnings")
    method, by_layer = next(iter(warnings.items()))
    if method != "grad_cam":
        tab = opened(shared, moved, image, method)
    assert next(iter(by_layer.values()))[0] in tab.locator("dialog .notes li").all_inner_texts()
    shared.is_quiet()


def test_back_closes_what_was_opened_and_close_leaves_no_step(visit: Visit, moved: Path, report: Path) -> None:
    image = plain(report)
    tab = visit.open(moved / "images" / f"{image.id}.html")
    address = tab.url
    tab.locator("#occlusion .enlarge").focus()
    tab.keyboard.press("Enter")
    tab.locator("dialog.enlarged").wait_for()
    assert tab.url == f"{address}#open=occlusion"
    tab.go_back()
    tab.locator("dialog").wait_for(state="detached")
    assert tab.url == address
    tab.go_forward()
    tab.locator("dialog.enlarged").wait_for()
    tab.keyboard.press("Escape")
    tab.locator("dialog").wait_for(state="detached")
    until(tab, f"location.href === {json.dumps(address)}")
    tab.locator("#cam .enlarge").focus()
    tab.keyboard.press("Enter")
    tab.locator("dialog.enlarged").get_by_role("button", name="Close").click()
    tab.locator("dialog").wait_for(state="detached")
    until(tab, f"location.href === {json.dumps(address)}")
    assert tab.evaluate("document.activeElement.closest('.tile').id") == "cam", "the focus is back where it was"
    visit.is_quiet()


def test_arrows_go_through_the_methods_and_j_and_k_through_the_images(visit: Visit, moved: Path, report: Path) -> None:
    run = images(report)
    tab = opened(visit, moved, run[0], "grad_cam")
    order = tab.evaluate(f"{PAGE}.tiles.filter((t) => t.method && !t.class && !t.lead && t.drawn).map((t) => t.method)")
    following = order[order.index("grad_cam") + 1]
    tab.keyboard.press("ArrowRight")
    until(tab, f"location.hash === '#open={following}'")
    tab.keyboard.press("ArrowLeft")
    until(tab, "location.hash === '#open=grad_cam'")
    assert heading(tab).startswith("Grad-CAM · ")
    tab.get_by_role("button", name="method ›").click()
    until(tab, f"location.hash === '#open={following}'")
    tab.keyboard.press("j")
    tab.wait_for_url(f"**/{run[1].id}.html#open={following}")
    until(tab, f"document.querySelector('dialog h2')?.textContent.includes({json.dumps(run[1].name)})")
    assert not tab.get_by_role("button", name="‹ image").is_disabled()
    tab.keyboard.press("k")
    tab.wait_for_url(f"**/{run[0].id}.html#open={following}")
    until(tab, "document.querySelector('dialog h2') !== null")
    assert tab.get_by_role("button", name="‹ image").is_disabled(), "there is none before the first"
    visit.is_quiet()


def test_a_class_is_chosen_within_it_and_back_undoes_that(shared: Visit, moved: Path, report: Path) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "grad_cam")
    tab.keyboard.press("2")
    chosen = f"class {named_score(image.targets[1])}"
    until(tab, f"document.querySelector('dialog h2').textContent.includes({json.dumps(chosen)})")
    tab.go_back()
    first = f"class {named_score(image.targets[0])}"
    until(tab, f"document.querySelector('dialog h2').textContent.includes({json.dumps(first)})")
    assert tab.locator("dialog.enlarged").count() == 1
    shared.is_quiet()


def test_zoom_and_cross_of_picture_and_map_are_one(shared: Visit, moved: Path, report: Path) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "cam")
    box = tab.locator("dialog .nsewdrag").first.bounding_box()
    at = [(box["x"] + box["width"] * share, box["y"] + box["height"] * share) for share in (0.25, 0.75, 0.5)]
    tab.mouse.move(*at[0])
    tab.mouse.down()
    tab.mouse.move(*at[1], steps=4)
    tab.mouse.up()
    until(tab, f"{PAGE}.state.zoom !== null && location.hash.includes('zoom=')")
    picture, shown = tab.evaluate(RANGES)
    assert picture == shown and picture[0][0] == pytest.approx(9.5, abs=1.5)
    zoom = tab.evaluate("location.hash")
    tab.reload()
    tab.locator("dialog .nsewdrag").nth(1).wait_for(state="attached")
    assert tab.evaluate("location.hash") == zoom
    assert tab.evaluate(RANGES)[1][0] == pytest.approx(shown[0], abs=0.02)
    tab.mouse.move(*at[2])
    until(tab, "document.querySelectorAll('dialog .large .spikeline').length >= 4")
    assert " at row " in tab.locator("dialog .at").inner_text()
    tab.keyboard.press("z")
    until(tab, f"{PAGE}.state.zoom === null && !location.hash.includes('zoom')")
    shared.is_quiet()


def test_a_reading_is_the_value_of_the_map(shared: Visit, moved: Path, report: Path) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "cam", "&interpolation=none")
    box = tab.locator("dialog .nsewdrag").nth(1).bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.5125, box["y"] + box["height"] * 0.3125)
    until(tab, "document.querySelector('dialog .at').textContent.includes(' at row ')")
    text = tab.locator("dialog .at").inner_text()
    value, _, place = text.partition(" at row ")
    row, column = (int(part) for part in place.split(", column "))
    values = load_arrays(report, image.id)[record_of(image, "cam", image.targets[0].index).key]
    height, width = values.shape
    expected = float(values[row * height // image.size[0], column * width // image.size[1]])
    assert float(value.replace("−", "-")) == pytest.approx(expected, rel=6e-3, abs=1e-6)
    shared.is_quiet()


NOT_THERE = ("open=nothing", "open=%3Cscript%3Ealert(1)%3C/script%3E", "open=__proto__")


@pytest.mark.parametrize("fragment", represented(NOT_THERE, by=1))
def test_what_cannot_be_opened_is_left(fragment: str, visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{plain(report).id}.html", f"#{fragment}")
    assert tab.locator("dialog").count() == 0 and tab.evaluate(f"{PAGE}.tiles.some((t) => t.drawn)")
    visit.is_quiet()


def test_a_place_leads_to_a_tile(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{plain(report).id}.html", "#lrp_composite")
    assert tab.locator("[data-aimed]").get_attribute("id") == "lrp_composite"
    box = tab.locator("#lrp_composite").bounding_box()
    assert box["y"] > -1 and box["y"] < 1000, "in sight"
    tab.locator("[data-class]").nth(1).click()
    assert "lrp_composite" not in tab.url, "a place is only the way in"
    visit.is_quiet()


def test_a_method_with_the_map_of_another_is_found_there(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{plain(report).id}.html")
    folded = tab.locator(".tile span[data-anchor]").first.get_attribute("data-anchor")
    kept = tab.locator(f".tile:has([data-anchor='{folded}'])").get_attribute("id")
    tab = opened(visit, moved, plain(report), folded)
    assert tab.evaluate(f"{CONTENT}.file").split("_")[1] == str(kept).replace("_", "-")
    tab.keyboard.press("Escape")
    tab = visit.open(moved / "images" / f"{plain(report).id}.html", f"#{folded}")
    assert tab.locator("[data-aimed]").get_attribute("id") == kept
    visit.is_quiet()


def test_on_a_narrow_screen_nothing_is_out_of_reach(chromium: Any, moved: Path, report: Path) -> None:
    visit = Visit(chromium, viewport={"width": 390, "height": 844}, has_touch=True)
    tab = opened(visit, moved, called(report, "xxxxxxxx"), "grad_cam")
    assert tab.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('dialog'))"
    )
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    last = tab.locator("[data-export='latex']")
    last.scroll_into_view_if_needed()
    box = last.bounding_box()
    assert box["x"] >= 0 and box["x"] + box["width"] <= 390
    visit.is_quiet()
    visit.close()


@pytest.mark.exhaustive
def test_the_single_file_opens_it_from_its_address(visit: Visit, alone: Path, report: Path) -> None:
    run = images(report)
    tab = visit.open(alone, f"#page=image-{run[0].id}&open=grad_cam")
    tab.locator("dialog .nsewdrag").nth(1).wait_for(state="attached")
    assert heading(tab).startswith(f"Grad-CAM · {run[0].name}") and tab.evaluate("document.title").startswith(
        run[0].name
    )
    tab.keyboard.press("j")
    until(tab, f"document.querySelector('dialog h2')?.textContent.includes({json.dumps(run[1].name)})")
    assert tab.locator("dialog").count() == 1 and tab.evaluate("document.title").startswith(run[1].name)
    assert tab.evaluate(f"{CONTENT}.link()").endswith(f"&open=grad_cam&page=image-{run[1].id}")
    tab.keyboard.press("Escape")
    tab.locator("dialog").wait_for(state="detached")
    tab.page.goto(f"{alone.resolve().as_uri()}#page=image-{run[2].id}&at=cam")
    until(tab, "document.querySelector('main:not([hidden]) [data-aimed]') !== null")
    assert tab.locator("main:visible [data-aimed]").get_attribute("data-anchor") == "cam"
    tab.page.goto(f"{alone.resolve().as_uri()}#page=methods")
    until(tab, "document.title.startsWith('Methods · ')")
    visit.is_quiet()
