"""A page that is printed as soon as it has loaded, as programs do, has its pictures; and no text of it is cut."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.pages.browser import Visit, until

pytestmark = pytest.mark.browser

# Pictures that would be white: in sight, once the page is scrolled there, and not there.
ABSENT = """() => [...document.querySelectorAll("main:not([hidden]) img[src]")].filter((image) =>
  image.offsetParent && !image.closest("[data-gallery]") && !(image.complete && image.naturalWidth))
  .map((image) => image.src)"""


@pytest.mark.parametrize("page", ["features", "performance", "image"])
def test_a_page_that_has_just_loaded_has_all_its_pictures(chromium: Any, moved: Path, page: str) -> None:
    path = next((moved / "images").glob("*.html")) if page == "image" else moved / f"{page}.html"
    tab = chromium.new_page(viewport={"width": 900, "height": 200})
    warnings: list[str] = []
    tab.on("console", lambda message: warnings.append(message.text))
    tab.route("**/stills/**", late)
    tab.goto(path.as_uri())  # until it is loaded, and no longer
    assert tab.evaluate(ABSENT) == []
    assert tab.evaluate("document.querySelectorAll('img, canvas').length") > 2
    assert warnings == []
    tab.close()


def late(route: Any) -> None:
    time.sleep(0.05)  # as from a disk that is busy
    route.continue_()


def test_another_part_of_a_single_file_has_its_pictures_too(visit: Visit, alone: Path) -> None:
    tab = visit.open(alone)
    tab.evaluate("location.hash = 'page=features'")
    until(tab, "document.querySelector('main[data-page=features]:not([hidden])') !== null")
    until(tab, f"({ABSENT})().length === 0")


def test_why_a_method_has_no_map_is_read_to_its_end(visit: Visit, moved: Path) -> None:
    """In a narrow tile too, where a name is longer than the tile is wide."""
    tab = visit.open(next((moved / "images").glob("*.html")))
    tab.set_viewport_size({"width": 390, "height": 800})
    place = tab.locator(".view").first
    lies_within = """(place) => {
      place.className = "view gap";
      place.innerHTML = "<p>LRP is not shown: no rule for GeneratedBackwardFor_torchvision_roi_align_default " +
        "and much more that is written here, so that it has many lines, more than are high, ".repeat(6) + "</p>";
      const text = place.firstChild.getBoundingClientRect(), box = place.getBoundingClientRect();
      const range = document.createRange();
      range.selectNodeContents(place.firstChild);
      const wide = [...range.getClientRects()].every((line) => line.left >= box.left && line.right <= box.right + 1);
      return wide && text.top >= box.top && text.bottom <= box.bottom + 1; }"""
    assert place.evaluate(lies_within)
