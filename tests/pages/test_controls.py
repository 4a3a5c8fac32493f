"""The controls of an image page in Chromium: what they change, and that addresses keep it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.exhaustive import represented
from tests.pages.browser import Visit, until
from tests.pages.image_page import PAGE, images, settled

pytestmark = pytest.mark.browser

TILE = f"{PAGE}.tiles.find((t) => t.method === method && !t.class && !t.lead)"


@pytest.fixture(scope="module")
def opened(chromium: Any, moved: Path, report: Path) -> Iterator[Any]:
    """A page that tests put back by its address."""
    visit = Visit(chromium)
    tab = visit.open(moved / "images" / f"{images(report)[0].id}.html")
    settled(tab)
    yield tab
    visit.is_quiet()
    visit.close()


def look(tab: Any, method: str) -> str:
    return str(tab.evaluate(f"(method) => {TILE}.canvas.toDataURL()", method))


def address(tab: Any, fragment: str) -> None:
    tab.evaluate("(fragment) => { location.hash = fragment; }", fragment)
    settled(tab)


def radio(name: str, value: str) -> Callable[[Any], None]:
    return lambda tab: tab.locator(f"[data-radios='{name}'] [data-value='{value}']").click()


def more(act: Callable[[Any], None]) -> Callable[[Any], None]:
    def opened_first(tab: Any) -> None:
        tab.evaluate("document.querySelector('details.more').open = true")
        act(tab)

    return opened_first


CONTROLS = {
    "view": (radio("view", "map"), "view=map", "grad_cam"),
    "overlay": (radio("view", "overlay"), "view=overlay", "gradient"),
    "reveal": (radio("view", "reveal"), "view=reveal", "grad_cam"),
    "picture": (radio("below", "gray"), "below=gray", "grad_cam"),
    "palette": (radio("positive", "cividis"), "positive=cividis", "grad_cam"),
    "signed palette": (radio("signed", "PuOr"), "signed=PuOr", "gradient"),
    "size": (radio("size", "S"), "size=S", "grad_cam"),
    "opacity": (lambda tab: tab.locator("[name='opacity']").fill("0.9"), "opacity=0.9", "grad_cam"),
    "interpolation": (
        lambda tab: tab.select_option("[name='interpolation']", "none"),
        "interpolation=none",
        "grad_cam",
    ),
    "marks": (lambda tab: tab.locator("[name='marks']").uncheck(), "marks=off", "grad_cam"),
    "threshold": (more(lambda tab: tab.locator("[name='threshold']").fill("0.5")), "threshold=0.5", "grad_cam"),
    "normalize": (
        more(lambda tab: tab.select_option("[name='normalize']", "classes")),
        "normalize=classes",
        "input_x_gradient",
    ),
    "range": (more(lambda tab: tab.select_option("[name='range']", "full")), "range=full", "gradient"),
    "color": (more(lambda tab: tab.locator("[name='color']").check()), "color=1", "guided_backprop"),
    "class": (lambda tab: tab.locator("[data-class]").nth(1).click(), "class=", "grad_cam"),
}
REPRESENTATIVES = ("view", "palette", "opacity", "interpolation", "threshold", "normalize", "color", "class")


@pytest.mark.parametrize(
    ("act", "kept", "method"),
    represented([pytest.param(*row, id=name) for name, row in CONTROLS.items()], by=REPRESENTATIVES),
)
def test_a_control_changes_the_maps_and_the_address(
    opened: Any, act: Callable[[Any], None], kept: str, method: str
) -> None:
    address(opened, "")
    if kept == "normalize=classes":  # the class with the largest map has the scale of all
        address(opened, f"class={opened.evaluate(SMALLER, method)}")
    before, state = look(opened, method), opened.evaluate(f"{PAGE}.state")
    act(opened)
    until(opened, f"(before) => JSON.stringify({PAGE}.state) !== JSON.stringify(before)", state)
    settled(opened)
    after, chosen = look(opened, method), opened.evaluate(f"{PAGE}.state")
    assert after != before and kept in opened.url
    fragment = opened.url.partition("#")[2]
    address(opened, "")
    assert look(opened, method) != after
    address(opened, fragment)
    assert look(opened, method) == after and opened.evaluate(f"{PAGE}.state") == chosen, "the address has all of it"


SMALLER = f"""(method) => {{ const [classes] = Object.values({PAGE}.data.maps[method]);
  return Object.entries(classes).sort(([, a], [, b]) => a.ends[1] - b.ends[1])[0][0] }}"""


def test_links_to_neighbors_keep_the_settings_and_not_the_class(opened: Any) -> None:
    address(opened, f"positive=cividis&class={opened.locator('[data-class]').nth(1).get_attribute('data-class')}")
    kept = opened.locator("a[rel='next']").get_attribute("href")
    assert "positive=cividis" in kept and "class=" not in kept


def seen(tab: Any) -> Any:
    return tab.evaluate(f"{PAGE}.tiles.map((t) => t.drawn?.zoom ?? null).filter(Boolean)")


@pytest.mark.parametrize("tile", ["[data-tiles] [data-method='smoothgrad']", "[data-picture]", "[data-side-class]"])
def test_every_tile_zooms_all_of_them_and_a_double_click_shows_the_whole(opened: Any, tile: str) -> None:
    address(opened, "")
    view = opened.locator(f"{tile} .view").first
    view.scroll_into_view_if_needed()
    box = view.bounding_box()
    x, y, side = box["x"], box["y"], box["width"]
    opened.mouse.move(x + side * 0.25, y + side * 0.25)
    opened.mouse.down()
    opened.mouse.move(x + side * 0.75, y + side * 0.6, steps=4)
    assert opened.locator(".zoom-box").count() == 1
    opened.mouse.up()
    settled(opened)
    zooms = seen(opened)
    maps = opened.evaluate(f"{PAGE}.tiles.filter((t) => t.drawn).length")
    assert len(zooms) == maps and all(zoom == zooms[0] for zoom in zooms)
    assert zooms[0]["x"] == pytest.approx([9.5, 29.5], abs=0.3), "where it was drawn"
    assert np.mean(zooms[0]["y"]) == pytest.approx(0.425 * 40 - 0.5, abs=0.3) and np.ptp(
        zooms[0]["y"]
    ) == pytest.approx(np.ptp(zooms[0]["x"])), "widened to the picture's aspect"
    assert "zoom=" in opened.url and opened.locator(".zoom-box").count() == 0
    address(opened, opened.url.partition("#")[2])
    assert np.allclose(seen(opened)[0]["x"], zooms[0]["x"], atol=0.01), "from the address"
    view.scroll_into_view_if_needed()
    view.dblclick(position={"x": side * 0.4, "y": side * 0.4})
    settled(opened)
    assert seen(opened) == [] and "zoom=" not in opened.url


def test_a_reading_follows_the_picture_below_a_pointer_that_rests(opened: Any) -> None:
    address(opened, "")
    view = opened.locator("[data-tiles] [data-method='grad_cam'] .view")
    view.scroll_into_view_if_needed()
    box = view.bounding_box()
    opened.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    readings = []
    for key in ("", "2", "1"):
        if key:
            opened.keyboard.press(key)
            settled(opened)
        reading, drawn = opened.evaluate(
            f"(method) => [{TILE}.reading.textContent, CnnVis.inWords(CnnVis.valueAt({TILE}.drawn, {PAGE}.place))]",
            "grad_cam",
        )
        assert reading == drawn
        readings.append(reading)
    assert readings[0] == readings[2] != readings[1]
    opened.evaluate(f"{PAGE}.zoomed({{ x: [-0.5, 9.5], y: [-0.5, 9.5] }})")
    settled(opened)
    assert opened.evaluate(f"{PAGE}.place.x") == pytest.approx(0.3 * 10 - 0.5, abs=0.1), "another place is below it now"


def test_the_first_row_is_plotly_once_the_reader_moves(visit: Visit, moved: Path, report: Path) -> None:
    tab = visit.open(moved / "images" / f"{images(report)[0].id}.html")
    settled(tab)
    tab.page.wait_for_timeout(300)
    assert tab.evaluate("globalThis.Plotly === undefined"), "not before the page can be read"
    tab.locator("[data-lead='chosen'] .view").hover()
    until(tab, f"{PAGE}.tiles.filter((t) => t.lead).every((t) => t.live)")
    assert tab.locator("[data-lead] .plot").count() == 3 == tab.locator(".plot").count()
    assert tab.locator("[data-lead] .modebar-btn[data-title*='Download']").count() == 3, "its own export"
    box = tab.locator("[data-lead='other'] .view").bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.7, steps=5)
    tab.mouse.up()
    until(tab, f"{PAGE}.state.zoom !== null")
    settled(tab)
    ranges = f"{PAGE}.tiles.filter((t) => t.lead).map(({{ plot }}) => plot._fullLayout.xaxis.range)"
    until(tab, f"new Set(({ranges}).map(String)).size === 1")
    assert tab.evaluate(ranges)[0] == pytest.approx([11.5, 27.5], abs=1)
    assert len({str(zoom) for zoom in seen(tab)}) == 1
    tab.locator("[data-lead='chosen'] [data-title*='Reset']").click()
    until(tab, f"{PAGE}.state.zoom === null")
    visit.is_quiet()


def test_fingers_scroll_pinch_and_tap(chromium: Any, moved: Path, report: Path) -> None:
    visit = Visit(chromium, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 800})
    tab = visit.open(moved / "images" / f"{images(report)[0].id}.html")
    settled(tab)
    view = tab.locator("[data-tiles] [data-method='grad_cam'] .view")
    view.scroll_into_view_if_needed()
    assert view.evaluate("(view) => getComputedStyle(view).touchAction") == "pan-y"
    box = view.bounding_box()
    x, y, side = box["x"], box["y"], box["width"]
    tab.touchscreen.tap(x + side * 0.3, y + side * 0.3)
    until(tab, "[...document.querySelectorAll('.reading')].some((reading) => reading.checkVisibility())")
    assert tab.evaluate(f"{PAGE}.place.x") == pytest.approx(0.3 * 40 - 0.5, abs=0.6)
    fingers = visit.context.new_cdp_session(tab.page)

    def touch(kind: str, *shares: float) -> None:
        points = [{"x": x + side * share, "y": y + side * 0.5, "id": number} for number, share in enumerate(shares)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 0.4, 0.6)
    touch("touchMove", 0.3, 0.7)
    touch("touchMove", 0.2, 0.8)
    touch("touchEnd")
    until(tab, f"{PAGE}.state.zoom !== null")
    assert np.ptp(tab.evaluate(f"{PAGE}.state.zoom.x")) == pytest.approx(40 / 3, rel=0.1), "three times as large"
    assert tab.evaluate("globalThis.Plotly === undefined"), "canvases do for fingers"
    visit.is_quiet()
    visit.close()


FOCUSED = """document.activeElement.name || document.activeElement.closest('[data-radios]')?.dataset.radios
  || document.activeElement.className"""


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
    tab.evaluate("document.querySelector('details.more').open = true")
    named = {"view", "below", "positive", "signed", "opacity", "interpolation", "marks", "size"}
    unreached = named | {"threshold", "normalize", "range", "enlarge"}
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        unreached.discard(tab.page.evaluate(FOCUSED))
        if not unreached:
            break
    assert not unreached
    visit.is_quiet()
