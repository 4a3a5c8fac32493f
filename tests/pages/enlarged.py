"""The enlarged view, as the tests of it open it and ask it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.records.images import ImageRecord, MapRecord
from tests.pages.browser import Visit, until
from tests.pages.image_page import images

CONTENT = "CnnVis.wired.get(document.querySelector('main:not([hidden])')).enlarged.content"
COPIES = ["clipboard-read", "clipboard-write"]


@pytest.fixture
def copying(chromium: Any) -> Iterator[Visit]:
    """A visit that may read and write the clipboard."""
    visit = Visit(chromium, permissions=COPIES)
    yield visit
    visit.close()


@pytest.fixture(scope="module")
def shared(chromium: Any) -> Iterator[Visit]:
    """A visit for all tests of a file that can begin on a page that was read before: reading Plotly takes a second."""
    visit = Visit(chromium, permissions=COPIES)
    yield visit
    visit.close()


def opened(visit: Visit, folder: Path, image: ImageRecord, method: str, more: str = "") -> Any:
    """An image page with the map of a method enlarged; put back by its address, where it was read before."""
    path = folder / "images" / f"{image.id}.html"
    if visit.tab.page.url.partition("#")[0] == path.resolve().as_uri():
        visit.tab.evaluate("location.hash = ''")
        visit.tab.locator("dialog").wait_for(state="detached")
    tab = visit.open(path, f"#open={method}{more}")
    tab.locator("dialog.enlarged .nsewdrag").nth(1).wait_for(state="attached")
    return tab


def saved(tab: Any, kind: str, folder: Path) -> Path:
    """What a button saves, under the name that it suggests."""
    with tab.page.expect_download() as download:
        tab.locator(f"[data-export='{kind}']").click()
    path = folder / str(download.value.suggested_filename)
    download.value.save_as(path)
    return path


def record_of(image: ImageRecord, method: str, target: int) -> MapRecord:
    return next(record for record in image.maps if (record.method, record.target) == (method, target))


def told(tab: Any) -> str:
    """What the enlarged view says that a button did."""
    until(tab, "document.querySelector('dialog [role=status]').textContent !== ''")
    return str(tab.locator("dialog [role='status']").inner_text())


def called(report: Path, name: str) -> ImageRecord:
    """The image of which this is a part of the name."""
    return next(image for image in images(report) if name in image.name)


def plain(report: Path) -> ImageRecord:
    """The image with a name as most have it."""
    return called(report, "plain.png")


def hostile(report: Path) -> ImageRecord:
    """The image whose name would be a script."""
    return called(report, "<script>")
