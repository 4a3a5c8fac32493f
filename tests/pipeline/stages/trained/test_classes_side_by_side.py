"""The maps of all classes side by side, and the single file, in Chromium."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.pages.browser import Visit, until
from tests.pages.image_page import PAGE
from tests.pipeline.stages.trained.views import (
    SIDE,
    charts_show_the_training,
    classes_have_one_scale_and_their_own_maps,
    leads_to_its_images,
)


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1440])
def test_classes_side_by_side_have_one_scale_and_their_own_maps(chromium: Any, trained: Path, width: int) -> None:
    visit = Visit(chromium, viewport={"width": width, "height": 900})
    image = next(iter(load_run(trained / "report").images()))
    for state in ("", "#range=full"):
        tab = visit.open(trained / "report" / "images" / f"{image.id}.html", state)
        until(tab, f"{PAGE}.state?.range === '{'full' if state else 'clipped'}'")
        classes_have_one_scale_and_their_own_maps(tab, trained / "report", image)
    names = [text.split("(")[0].strip() for text in tab.locator(".side tbody th").all_inner_texts()]
    assert names == [target.name for target in image.targets]
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    visit.is_quiet()
    visit.close()


@pytest.mark.browser
def test_the_single_file_has_them_too(visit: Visit, trained: Path, record: RunRecord, tmp_path: Path) -> None:
    shutil.copytree(trained / "report", tmp_path / "run")
    command("render", tmp_path / "run", "--single-file")
    images = list(load_run(trained / "report").images())
    tab = visit.open(tmp_path / "run" / "index.html", "#page=performance")
    until(tab, "document.querySelector('main[data-page=performance]:not([hidden]) .chart') !== null")
    charts_show_the_training(tab, record)
    ring = tab.locator("main[data-page=performance] .list td a[href*='label=%3Cb%3E']").first
    assert leads_to_its_images(tab, ring, images)[0] == "<b>ring & 'co'"
    tab.page.goto(f"{(tmp_path / 'run' / 'index.html').resolve().as_uri()}#page=image-{images[0].id}")
    until(tab, f"{PAGE}?.data && {SIDE}.length > 0")
    classes_have_one_scale_and_their_own_maps(tab, trained / "report", images[0])
    visit.is_quiet()
