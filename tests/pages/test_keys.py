"""Keys, the pinned map, and the way through the images of a filter."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import METHODS_SHOWN
from tests.exhaustive import represented
from tests.pages.browser import Visit, until
from tests.pages.enlarged import plain
from tests.pages.image_page import PAGE, images

pytestmark = pytest.mark.browser
COVERS = """[...document.querySelectorAll('.view > .cover')].map((cover) => getComputedStyle(cover).clipPath)"""


def test_the_list_of_keys_is_the_table_of_keys(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{plain(report).id}.html")
    tab.keyboard.press("?")
    listed = tab.locator("dialog.keys tr").all_inner_texts()
    table = tab.evaluate(
        "CnnVis.keyTable.flatMap(({ where, words }) => where.filter((part) => part !== 'other').map(() => words))"
    )
    assert sorted(text.split("\t")[-1].split("\n")[-1] for text in listed) == sorted(table)
    assert tab.locator("dialog.keys kbd:visible").count() == len(listed)
    tab.keyboard.press("j")
    assert plain(report).id in tab.url, "no key works behind the list"
    tab.keyboard.press("Escape")
    tab.locator("dialog").wait_for(state="detached")
    tab.get_by_role("button", name="Keys").click()
    tab.locator("dialog.keys").wait_for()
    visit.is_quiet()


@pytest.mark.parametrize("page", ["index.html", "methods.html", "run.html"])
def test_every_page_has_the_list(page: str, visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / page)
    tab.keyboard.press("?")
    tab.locator("dialog.keys").wait_for()
    visit.is_quiet()


def test_keys_are_left_to_fields_and_to_the_browser(visit: Visit, moved: Path, report: Path) -> None:
    image = images(report)[0]
    tab = visit.open(moved / "images" / f"{image.id}.html")
    for key in ("Control+j", "Alt+j", "Meta+j", "Control+2"):
        tab.keyboard.press(key)
    assert image.id in tab.url and tab.evaluate(f"{PAGE}.state.class") == str(image.targets[0].index)
    tab.locator("select:visible").first.focus()
    tab.keyboard.press("j")
    assert image.id in tab.url
    tab.locator("[name='opacity']").focus()
    tab.keyboard.press("2")
    until(tab, f"{PAGE}.state.class === '{image.targets[1].index}'")
    tab = visit.open(moved / "index.html")
    tab.keyboard.press("/")
    tab.keyboard.type("?/jz")
    assert tab.evaluate("document.activeElement.value") == "?/jz" and tab.locator("dialog").count() == 0
    visit.is_quiet()


def test_a_map_is_pinned_blinked_and_swiped(visit: Visit, moved: Path, report: Path) -> None:
    run = images(report)
    tab = visit.open(moved / "images" / f"{run[0].id}.html")
    tab.locator("#grad_cam .view").hover()
    tab.keyboard.press("p")
    until(tab, "location.hash === '#pin=grad_cam'")
    assert tab.locator(".pin h3").inner_text() == "Grad-CAM"
    assert tab.locator("#grad_cam").get_attribute("data-pinned") == ""
    covers = tab.evaluate(COVERS)
    assert len(covers) >= len(METHODS_SHOWN) - 1 and all("100%" in clip for clip in covers), "nothing is covered yet"
    tab.keyboard.down("b")
    assert set(tab.evaluate(COVERS)) == {"none"}
    tab.keyboard.up("b")
    assert "none" not in tab.evaluate(COVERS)
    tab.locator(".pin input").fill("0.5")
    assert all("50%" in clip for clip in tab.evaluate(COVERS))
    picture = "(where) => document.querySelector(where).toDataURL()"
    pinned, cover, covered = (
        tab.evaluate(picture, where)
        for where in ("#grad_cam .map", "#eigen_cam .view > .cover", "#eigen_cam .view > .map")
    )
    assert cover == pinned != covered
    tab.keyboard.press("j")
    tab.wait_for_url(f"**/{run[1].id}.html#pin=grad_cam")
    until(tab, "document.querySelector('.pin h3')?.textContent === 'Grad-CAM'")
    tab.get_by_role("button", name="Unpin").click()
    until(tab, "location.hash === ''")
    assert tab.locator(".pin:visible, .cover").count() == 0
    visit.is_quiet()


def test_the_enlarged_map_is_pinned_too_and_the_focused_one(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{plain(report).id}.html", "#open=cam")
    tab.locator("dialog .nsewdrag").nth(1).wait_for(state="attached")
    tab.locator("dialog").get_by_role("button", name="Pin", exact=True).click()
    until(tab, "location.hash === '#open=cam&pin=cam'")
    tab.keyboard.press("Escape")
    tab.locator("dialog").wait_for(state="detached")
    tab.mouse.move(2, 2)
    tab.locator("#occlusion .enlarge").focus()
    tab.keyboard.press("p")
    until(tab, "location.hash === '#pin=occlusion'")
    visit.is_quiet()


def test_the_way_stays_within_the_filter_and_leads_back_to_it(visit: Visit, moved: Path, report: Path) -> None:
    wrong = [image for image in images(report) if image.correct is False]
    assert len(wrong) > 1
    tab = visit.open(moved / "index.html", "#verdict=misclassified&sort=lowest")
    order: Any = tab.evaluate("[...document.querySelectorAll('[data-gallery] li')].map((tile) => tile.dataset.name)")
    assert sorted(order) == sorted(image.name for image in wrong)
    tab.locator("[data-gallery] a").first.click()
    for number, name in enumerate(order, 1):
        until(tab, f"document.querySelector('h1').textContent.trim() === {json.dumps(name)}")
        assert tab.locator("[data-position]").inner_text() == f"{number} of {len(order)} misclassified"
        assert tab.locator("a[rel='next']").count() == (number < len(order))
        tab.keyboard.press("j")
    assert tab.locator(".brand").get_attribute("href") == "../index.html#at=images&sort=lowest&verdict=misclassified"
    tab.locator(".brand").click()
    tab.locator("[data-gallery] li").first.wait_for()
    assert tab.locator("[data-gallery] li").count() == len(order)
    visit.is_quiet()


@pytest.mark.parametrize("text", represented(["q=nothing+like+this", "%00", "verdict=x&__proto__=1"], by=1))
def test_a_filter_that_leaves_nothing_changes_nothing(text: str, visit: Visit, moved: Path, report: Path) -> None:
    run = images(report)
    tab = visit.open(moved / "images" / f"{run[1].id}.html", f"#filter={text.replace('&', '%26').replace('=', '%3D')}")
    assert tab.locator("[data-position]").inner_text() == f"2 of {len(run)}"
    assert tab.locator("a[rel='next']").count() == 1
    visit.is_quiet()


def test_sliders_change_the_address_without_steps(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{plain(report).id}.html")
    steps = tab.evaluate("history.length")
    for number in range(40):
        tab.page.evaluate(f"CnnVis.address.set({{ opacity: '{number / 100}' }})")
    until(tab, "location.hash === '#opacity=0.39'")
    assert tab.evaluate("history.length") == steps
    tab.page.evaluate("CnnVis.address.set({ class: '4' })")
    assert tab.evaluate("history.length") == steps + 1
    visit.is_quiet()
