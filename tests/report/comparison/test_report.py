"""Which images and methods a comparison shows."""

from pathlib import Path

import pytest

from cnnvis_report.records.compared_images import Flip
from cnnvis_report.report.comparison.report import moved, strongest_flip
from tests.report.comparison.planted import HOSTILE, compared


def test_broken_images_come_first_then_fixed_ones_then_those_whose_maps_moved_most(tmp_path: Path) -> None:
    report = compared(tmp_path)
    names = [image.name for image in report.images]
    assert names[:2] == ["c.png", HOSTILE] and names[-1] == "e.png"
    assert [strongest_flip(image) for image in report.images[:2]] == [Flip.BROKEN, Flip.FIXED]
    rest = [moved(image) for image in report.images[2:]]
    assert rest == sorted(rest, key=lambda value: -(value or 0)) and rest[-1] == pytest.approx(0, abs=1e-9)


def test_no_more_images_have_a_page_than_asked_for(tmp_path: Path) -> None:
    report = compared(tmp_path, most=2)
    assert [image.name for image, _ in report.records()] == [HOSTILE, "c.png"], "in the order of the run"
    assert report.left_out == 3 and report.position == {"image-2": 0, "image-1": 1}


def test_the_most_prominent_method_stands_for_the_runs_and_one_of_another_kind_beside_it(tmp_path: Path) -> None:
    report = compared(tmp_path)
    assert report.shown is not None and report.second is not None
    assert (report.shown.key, report.second.key) == ("cam", "gradient")
