"""What a repair leaves out, and what it says."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.training import SnapshotSeries
from cnnvis_report.store import load_run
from cnnvis_report.store.array_files.arrays import write_arrays
from tests.conftest import command, rewritten
from tests.narrow import present
from tests.store.damaged.runs import refused


@pytest.fixture(scope="module")
def looked(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a look inside, on which the strongest images are named."""
    folder = tmp_path_factory.mktemp("looked") / "r"
    command("inspect", "tests.factories:tiny", pictures, "-o", folder, "--device", "cpu", "-q")
    return folder


def test_what_is_inside_is_shown_without_the_images_that_got_lost(looked: Path, tmp_path: Path) -> None:
    """The strongest images of a channel may be lost ones: their picture stays, no link leads to them."""
    folder = shutil.copytree(looked, tmp_path / "r")
    inside = present(load_run(folder).record.inspection)
    lost = inside.top_images[0].units[0].image
    os.truncate(folder / "arrays" / f"{lost}.npz", 100)
    os.truncate(folder / "inspection" / f"{inside.images[0].image}.npz", 100)
    command("render", folder, "--repair")
    assert command("render", folder, "--repair").stderr == ""
    page = (folder / "features.html").read_text(encoding="utf-8")
    assert f"images/{lost}.html" not in page and page.count('<div class="sheet"') == len(inside.top_images)
    command("render", folder, "--single-file")


def test_a_look_without_images_says_what_got_lost(tmp_path: Path, looked: Path) -> None:
    folder = shutil.copytree(looked, tmp_path / "r")

    def emptied(run: RunRecord, _: list[ImageRecord]) -> tuple[RunRecord, list[ImageRecord]]:
        return replace(run, images=0, inspection=replace(present(run.inspection), images=())), []

    rewritten(folder, emptied)
    os.truncate(folder / "inspection" / "network.npz", 100)
    said = command("render", folder, "--repair", code=2).stderr
    assert "nothing of it is whole" in said


def test_films_that_got_damaged_are_left_out(report: Path) -> None:
    """They have no image of their own that could be missed."""

    def filmed(run: Any, images: Any) -> Any:
        (report / "inspection").mkdir(exist_ok=True)
        stored = write_arrays(report / "inspection" / "snapshots.npz", {"a": np.zeros(3)})
        snapshots = tuple(SnapshotSeries(image.id, "x", 0, (run.methods[0].name,), ()) for image in images[:2])
        return replace(run, snapshots=snapshots, files=run.files | {"inspection/snapshots.npz": stored}), images

    rewritten(report, filmed)
    command("render", report)
    assert command("render", report, "--repair").stderr == ""
    (report / "inspection" / "snapshots.npz").write_bytes(b"x")
    assert "snapshots.npz" in refused(report)
    said = command("render", report, "--repair").stderr
    assert said.count("\n") == 1 and "The snapshots over the epochs" in said
    assert load_run(report).record.snapshots == ()


def test_files_that_belong_to_nothing_are_left_out_by_a_repair(report: Path) -> None:
    def more(run: Any, images: Any) -> Any:
        return replace(run, files=run.files | {"arrays/x.npz": next(iter(run.files.values()))}), images

    rewritten(report, more)
    assert "arrays/x.npz is missing" in refused(report)
    command("render", report, "--repair")
    assert "arrays/x.npz" not in json.loads((report / "run.json").read_text())["run"]["files"]
