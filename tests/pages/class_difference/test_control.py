"""The control for a difference of classes: keys, links, a reload, and where it isn't offered."""

import json
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views.formatting import named_score, percent
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.pages.browser import Visit, until
from tests.pages.class_difference.differences import TILE, Both, choose, opened
from tests.pages.image_page import PAGE, settled

pytestmark = pytest.mark.browser


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
        tab.page.goto("about:blank")  # another fragment alone would leave the page as it is
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


@pytest.mark.exhaustive
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
    visit.close()
