"""The controls of an image page in Chromium: what they change, and that addresses keep it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pages.browser import Visit, until
from tests.pages.test_pages import PAGE, images, settled

pytestmark = pytest.mark.browser


def ranges(tab: Any) -> Any:
    return tab.evaluate(
        f"""{PAGE}.tiles.filter((t) => t.live).map(({{ plot }}) =>
        [plot._fullLayout.xaxis.range, plot._fullLayout.yaxis.range])"""
    )


def test_zoom_is_linked_and_double_click_undoes_it(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{images(report)[0].id}.html")
    settled(tab)
    whole = ranges(tab)
    assert whole[0] == [[-0.5, 39.5], [39.5, -0.5]]
    box = tab.locator("[data-method='cam'] .view").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.75, steps=4)
    tab.mouse.up()
    until(tab, f"{PAGE}.state.zoom !== null")
    settled(tab)
    zoomed = ranges(tab)
    assert len(zoomed) == 12 and np.allclose(zoomed, zoomed[0], rtol=0, atol=1e-9)
    assert zoomed[0][0][0] == pytest.approx(9.5, abs=1) and zoomed[0][0][1] == pytest.approx(29.5, abs=1)
    tab.locator("[data-reset-zoom]").wait_for()
    tab.mouse.move(5, 5)
    tab.mouse.dblclick(box["x"] + 30, box["y"] + 30)
    until(tab, f"{PAGE}.state.zoom === null")
    settled(tab)
    assert ranges(tab) == whole
    visit.is_quiet()


def test_controls_change_the_maps_and_the_address_and_survive_a_reload(visit: Visit, moved: Path, report: Path) -> None:
    image = images(report)[0]
    tab = visit.open(moved / "images" / f"{image.id}.html")
    settled(tab)

    def look() -> Any:
        return tab.evaluate(f"{PAGE}.tiles.find((t) => t.method === 'hires_cam').canvas.toDataURL()")

    seen = [look()]
    acts: tuple[Callable[[], object], ...] = (
        lambda: tab.select_option("[name='palette']", "cividis"),
        lambda: tab.locator("[name='opacity']").fill("0.4"),
        lambda: tab.locator("[name='threshold']").fill("0.5"),
        lambda: tab.locator("[data-view='map']").click(),
        lambda: tab.locator("[name='blocks']").check(),
        lambda: tab.select_option("[name='normalize']", "map"),
        lambda: tab.locator("[data-class]").nth(1).click(),
    )
    for act in acts:
        before = tab.evaluate(f"{PAGE}.state")
        act()
        until(tab, f"(before) => JSON.stringify({PAGE}.state) !== before", json.dumps(before, separators=(",", ":")))
        settled(tab)
        seen.append(look())
    assert len(set(seen)) >= len(seen) - 1, "each control shows (the first class may have the largest scale itself)"
    state = tab.evaluate(f"{PAGE}.state")
    tab.reload()
    settled(tab)
    assert tab.evaluate(f"{PAGE}.state") == state and look() == seen[-1]
    assert tab.locator("[name='palette']").input_value() == "cividis" and tab.locator("[name='blocks']").is_checked()
    kept = tab.locator("a[rel='next']").get_attribute("href")
    assert "palette=cividis" in kept and "class=" not in kept
    visit.is_quiet()


def test_keys(visit: Visit, moved: Path, report: Path) -> None:
    ids = [image.id for image in images(report)]
    tab = visit.open(moved / "index.html")
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.name") == "q"
    tab = visit.open(moved / "images" / f"{ids[0]}.html")
    settled(tab)
    tab.keyboard.press("3")
    until(tab, f"{PAGE}.state.class === '{images(report)[0].targets[2].index}'")
    tab.keyboard.press("j")
    tab.wait_for_url(f"**/{ids[1]}.html*")
    tab.keyboard.press("k")
    tab.wait_for_url(f"**/{ids[0]}.html*")
    settled(tab)
    tab.locator("[data-class]").first.focus()
    tab.keyboard.press("ArrowRight")
    until(tab, f"{PAGE}.state.class === '{images(report)[0].targets[1].index}'")
    assert tab.evaluate("document.activeElement.dataset.class") == str(images(report)[0].targets[1].index)
    reached = set()
    for _ in range(80):
        tab.keyboard.press("Tab")
        reached.add(
            tab.evaluate(
                "document.activeElement.name || document.activeElement.className || document.activeElement.tagName"
            )
        )
    assert {"opacity", "threshold", "palette", "normalize", "range", "blocks", "enlarge"} <= reached
    visit.is_quiet()
