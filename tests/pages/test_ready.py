"""A page says when it is ready, and it is: whoever waits for that needs no luck, on slow machines neither."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.store import load_run
from tests.narrow import present
from tests.pages.browser import Visit, until
from tests.pages.image_page import DRAWN, PAGE, images, shown

pytestmark = pytest.mark.browser

READY = "document.documentElement.dataset.ready !== undefined"
# keeps what `seen` gives each time that the page becomes ready
WITNESS = """globalThis.witnessed = [];
document.addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
  if (document.documentElement.dataset.ready !== undefined) globalThis.witnessed.push((%s)());
}).observe(document.documentElement, { attributeFilter: ["data-ready"] }));"""


def witnessed(visit: Visit, path: Path, fragment: Any, seen: Any) -> Any:
    visit.tab.page.add_init_script(WITNESS % seen)
    return visit.open(path, fragment).evaluate("globalThis.witnessed")


def test_the_gallery_is_filtered_when_the_page_is_ready(visit: Visit, moved: Path, report: Path) -> None:
    count = "() => document.querySelectorAll('[data-gallery] li').length"
    wrong = sum(image.correct is False for image in images(report))
    assert 0 < wrong < len(images(report))
    assert witnessed(visit, moved / "index.html", "#verdict=misclassified", count) == [wrong]


def test_every_map_is_drawn_when_the_page_is_ready(visit: Visit, moved: Path, report: Path) -> None:
    image = images(report)[0]
    second = image.targets[1]
    classes = f"new Set({PAGE}.tiles.filter((t) => t.method && !t.class && !t.lead).map((t) => t.drawn?.target))"
    seen = f"() => [({DRAWN})(), {PAGE}?.data ? [...{classes}].join() : '']"
    path = moved / "images" / f"{image.id}.html"
    assert witnessed(visit, path, f"#class={second.index}", seen)[-1] == [True, second.name]
    before = visit.tab.evaluate("witnessed.length")
    visit.tab.locator("[data-class]").first.click()
    assert visit.tab.evaluate("witnessed.at(-1)") == [True, image.targets[0].name]
    assert visit.tab.evaluate("witnessed.length") > before


def test_a_page_is_not_ready_while_something_is_on_its_way(visit: Visit, moved: Path) -> None:
    tab = visit.open(moved / "methods.html")
    page = tab.page
    assert page.evaluate(READY)
    page.evaluate("() => { CnnVis.working(new Promise((done) => { globalThis.arrive = done })); return 0 }")
    page.evaluate("() => { CnnVis.working(Promise.resolve()); return 0 }")
    assert not page.evaluate(READY), "one of two is through"
    page.evaluate("() => { arrive(); return 0 }")
    until(tab, READY)
    visit.is_quiet()
    page.evaluate("() => { CnnVis.working(Promise.reject(new Error('lost'))); return 0 }")
    until(tab, READY)
    assert "lost" in visit.complaints[0], "what fails ends, and is told of"


def test_what_comes_into_sight_makes_it_unready_until_it_is_drawn(visit: Visit, moved: Path, report: Path) -> None:
    inspected = present(load_run(report).record.inspection).images
    image = next(record.image for record in inspected if record.side)
    tab = visit.open(moved / "images" / f"{image}.html")
    assert tab.evaluate("document.querySelectorAll('[data-grid] button').length") == 0
    tab.locator("[data-maps]").scroll_into_view_if_needed()
    assert tab.evaluate("document.querySelectorAll('[data-grid] button').length") > 0


def test_a_slow_machine_filters_draws_and_enlarges(
    chromium: Any, moved: Path, report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.pages.browser.SLOWDOWN", 4.0)
    visit = Visit(chromium)
    tab = visit.open(moved / "index.html", "#verdict=correct")
    assert shown(tab) == [image.name for image in images(report) if image.correct]
    tab = visit.open(moved / "images" / f"{images(report)[0].id}.html")
    assert tab.evaluate(DRAWN)
    tab.locator("[data-method='occlusion'] .enlarge").focus()
    tab.keyboard.press("Enter")
    assert tab.locator("dialog .colorbar").count() == 1
    visit.is_quiet()
    visit.close()
