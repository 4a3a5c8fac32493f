"""The misclassified images of the performance page: grouped, with the maps for prediction and label on one scale."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from weakref import ref

import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.performance import error_maps
from cnnvis_report.report.views.performance.errors import errors_of
from cnnvis_report.report.views.report import Report
from cnnvis_report.store import StoredRun, load_run
from tests.fixtures.make_run import FOLDER


@pytest.fixture
def report() -> Report:
    return Report(load_run(FOLDER), QUALITIES[0])


def test_errors_stand_in_groups_of_label_and_prediction(report: Report) -> None:
    errors = errors_of(report, SiteLinks("pages/performance"))
    assert errors is not None
    (group,) = errors.groups
    (row,) = group.rows
    predicted, label = row.tiles
    assert (group.title, group.count) == ("cross predicted as ring", 1)
    assert predicted is not None and predicted.caption.startswith("for ring") and "class=2" in predicted.page
    assert label is None and errors.incomplete, "the label isn't among the explained classes of this run"


def test_pictures_are_those_that_the_page_asks_for(report: Report) -> None:
    errors = errors_of(report, SiteLinks())
    assert errors is not None
    made = {name for name, _ in error_maps.error_pictures(report.stored, report.error_maps)}
    rows = [row for group in errors.groups for row in group.rows]
    asked = {Path(row.picture).stem for row in rows} | {
        Path(tile.picture).stem for row in rows for tile in row.tiles if tile
    }
    assert made == asked


def test_a_method_whose_map_is_the_same_for_every_class_shows_no_errors(report: Report) -> None:
    first = error_maps.best_of_classes(report.run, None)
    assert first is not None
    name = first.name

    def agnostic(method: MethodInfo) -> MethodInfo:
        return replace(method, class_agnostic=method.name == name)

    run = replace(report.run, methods=tuple(map(agnostic, report.run.methods)))
    other = error_maps.best_of_classes(run, None)
    assert other is not None and other.name not in (name, "random")


def test_no_more_records_are_held_than_the_page_lists(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = next(image for image in report.images() if image.correct is False)
    records: list[ref[ImageRecord]] = []
    most = 0

    def many(_: StoredRun) -> Iterator[ImageRecord]:
        nonlocal most
        for number in range(10 * error_maps.ERRORS):
            image = replace(wrong, id=f"image-{number}", name=f"{number:04}.png")
            records.append(ref(image))
            most = max(most, sum(record() is not None for record in records))
            yield image
            del image

    monkeypatch.setattr(StoredRun, "images", many)
    assert [maps.image.name for maps in error_maps.error_maps(report.stored, None).values()] == [
        f"{number:04}.png" for number in range(error_maps.ERRORS)
    ]
    assert most <= error_maps.ERRORS + 2
