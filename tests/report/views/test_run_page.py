"""What single images lack is a row of an image, and of a method where many lack it for one reason."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.records.images import ImageRecord, NotApplicableRecord
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views import run as run_page
from cnnvis_report.report.views.links import SingleFileLinks
from cnnvis_report.report.views.report import Report
from cnnvis_report.store import load_run
from tests.conftest import rewritten
from tests.fixtures.make_run import FOLDER

NOT_FINITE = "values that aren't finite"


@pytest.fixture(name="report")
def fixture_report(tmp_path: Path) -> Report:
    """Two images without maps of the gradient, for two classes each, of which one can't be read at all."""
    folder = shutil.copytree(FOLDER, tmp_path / "run")

    def lacking(record: Any, images: list[ImageRecord]) -> Any:
        gaps = tuple(NotApplicableRecord("gradient", NOT_FINITE, target=target) for target in (0, 1))
        first, second = (replace(image, not_applicable=gaps) for image in images)
        damaged = replace(first, not_applicable=(*gaps, NotApplicableRecord("", "too dark")))
        return replace(record, skipped=()), [damaged, second]

    rewritten(folder, lacking)
    return Report(load_run(folder), QUALITIES[0])


def test_a_few_images_are_a_row_each(report: Report) -> None:
    first, second = (image.name for image in report.images())
    rows = list(run_page.run(report, SingleFileLinks()).missing)
    assert rows == [(first, f"Gradient: {NOT_FINITE}"), (second, f"Gradient: {NOT_FINITE}"), (first, "too dark")]


def test_many_images_are_one_row(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_page, "NAMED", 1)
    first, _ = (image.name for image in report.images())
    rows = list(run_page.run(report, SingleFileLinks()).missing)
    assert rows == [("Gradient", f"{NOT_FINITE}, on 2 images: {first} and 1 more"), (first, "too dark")]
