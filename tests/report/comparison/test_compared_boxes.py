"""Detectors that are compared: each run's own box upon its own map, and a caption that says of which class maps are."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.comparison.compare import compare_runs
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.comparison.figure import comparison_caption, comparison_figure
from cnnvis_report.report.comparison.report import PAGES, ComparedReport
from cnnvis_report.store.manifest import write_manifest
from cnnvis_report.store.run_folder import StoredRun, load_run
from tests.comparison.runs import Planted, Values, layer_method, planted_run
from tests.evidence.records import NETWORK
from tests.narrow import present

DETECTOR = replace(NETWORK, kind=ScoreKind.DETECTION)


def run(folder: Path, boxes: list[list[float]], side: int = 16, names: str = "ab", explained: int = 1) -> StoredRun:
    """A detector's run of images of this side, with maps of the class of the box that it explains."""
    maps: dict[tuple[str, str, int], Values] = {("cam", "last", explained): np.eye(4, dtype=np.float32)}
    images = [
        Planted(
            f"{name}.png",
            explained,
            None,
            maps=maps,
            mask=np.ones((side, side), bool),
            boxes=np.array(boxes, dtype=np.float32),
        )
        for name in names
    ]
    return planted_run(folder, images, network=DETECTOR, methods=[layer_method("cam")])


def report(*runs: StoredRun) -> ComparedReport:
    return ComparedReport(compare_runs(runs), runs, PAGES)


@pytest.mark.parametrize(("count", "more"), [(2, (None,)), (3, ((4.0, 4.0, 12.0, 12.0),))], ids=["difference", "third"])
def test_the_box_of_each_run_lies_upon_its_own_map(tmp_path: Path, count: int, more: tuple[object, ...]) -> None:
    """In the pixels of the picture that is shown, that of the first run; the input and a difference are of no run."""
    runs = [
        run(tmp_path / "old", [[1, 2, 9, 8, 1, 0.9], [0, 0, 2, 2, 0, 0.8]]),
        run(tmp_path / "new", [[0, 0, 5, 5, 2, 0.9], [4, 8, 30, 32, 1, 0.5]], side=32),
        run(tmp_path / "third", [[4, 4, 12, 12, 1, 0.9]]),
    ]
    compared = report(*runs[:count])
    figure = present(comparison_figure(compared))
    for row in figure.rows:
        assert row.boxes == (None, (1.0, 2.0, 9.0, 8.0), (2.0, 4.0, 15.0, 16.0), *more)
    assert "Yellow: the box whose score is explained, that of the run in the column." in comparison_caption(
        compared, figure
    )


def test_a_run_without_its_box_in_the_picture_has_none_upon_its_map(tmp_path: Path) -> None:
    compared = report(run(tmp_path / "old", [[1, 2, 9, 8, 1, 0.9]]), run(tmp_path / "new", [[20, 2, 30, 8, 1, 0.9]]))
    assert present(comparison_figure(compared)).rows[0].boxes == (None, (1.0, 2.0, 9.0, 8.0), None, None)


def test_runs_that_saw_no_class_alike_are_compared_each_for_its_own(tmp_path: Path) -> None:
    """Nothing says that they call one class differently; the caption doesn't call it the same class."""
    old = run(tmp_path / "old", [[1, 2, 9, 8, 1, 0.9]], names="a", explained=1)
    new = run(tmp_path / "new", [[2, 2, 9, 9, 2, 0.9]], names="a", explained=2)
    compared = report(*(only_seen(one) for one in (old, new)))
    text = comparison_caption(compared, present(comparison_figure(compared)))
    assert "each run's for the class that it predicts" in text and "the same class" not in text
    same = report(*(run(tmp_path / name, [[1, 2, 9, 8, 1, 0.9]], names="a") for name in ("one", "two")))
    assert "and for the same class." in comparison_caption(same, present(comparison_figure(same)))


def only_seen(stored: StoredRun) -> StoredRun:
    """The run as it is where the names of classes that weren't predicted aren't known."""
    images = [replace(image, top=image.top[:1], targets=image.top[:1]) for image in stored.images()]
    write_manifest(stored.folder, stored.record, images)
    return load_run(stored.folder)
