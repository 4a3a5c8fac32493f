"""Files of arrays that aren't as the run has written them."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.report.payload import provenance_slots
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.store.damaged.runs import first_arrays, refused
from tests.store.run_files import files, without_provenance


def put(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def poisoned(path: Path) -> None:
    arrays = dict(np.load(path))
    key = next(name for name in arrays if name.startswith("gradient"))
    arrays[key] = np.full_like(arrays[key], np.nan)
    put(path, arrays)


def swapped(path: Path) -> None:
    other = sorted(path.parent.iterdir())[1]
    one, two = path.read_bytes(), other.read_bytes()
    path.write_bytes(two)
    other.write_bytes(one)


def in_place_of(path: Path, what: Any) -> None:
    path.unlink()
    what(path)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: os.truncate(path, 100), "has 100 bytes in the place of"),
        (lambda path: in_place_of(path, Path.mkdir), "is no file"),
        (lambda path: in_place_of(path, os.mkfifo), "is no file"),
        (lambda path: in_place_of(path, lambda path: path.symlink_to("/dev/zero")), "is a link"),
        (swapped, "isn't what the run has written there|bytes in the place of"),
        (poisoned, "isn't what the run has written there|bytes in the place of"),
        (lambda path: shutil.rmtree(path.parent), "and 1 more"),
    ],
    ids=["missing", "cut", "folder", "pipe", "device", "swapped", "nan", "all"],
)
def test_arrays_that_are_not_as_they_were_written_are_named_and_made_again(
    damage: Callable[[Path], object], named: str, report: Path, again: Any, original: Path
) -> None:
    path = first_arrays(report)
    damage(path)
    said = refused(report)
    assert any(words in said for words in named.split("|")) and "--repair" in said and path.name in said
    if path.is_dir():
        path.rmdir()
    again()
    assert without_provenance(report) == without_provenance(original)


def test_a_folder_in_the_place_of_a_file_is_named_before_anything_is_made(report: Path, again: Any) -> None:
    path = first_arrays(report)
    in_place_of(path, Path.mkdir)
    before = files(report)
    assert f"{path}: is a folder, where a file of the run has to be" in again(code=2).stderr
    assert files(report) == before
    assert "1 of 4 images got damaged" in command("render", report, "--repair").stderr


def test_repair_makes_the_pages_of_the_rest_and_says_what_is_missing(report: Path, again: Any, original: Path) -> None:
    path = first_arrays(report)
    gone = path.stem
    name = next(image.name for image in load_run(report).images() if image.id == gone)
    os.truncate(path, 100)
    said = command("render", report, "--repair").stderr
    assert said.startswith("Warning: ") and f"1 of 4 images got damaged and are left out ({name})" in said
    run = load_run(report)
    assert run.record.images == 3 and run.record.left_out == 1
    seconds = run.record.provenance["seconds_by_method"]
    assert isinstance(seconds, Mapping)
    slots = provenance_slots(replace(run.record, provenance={"seconds_by_method": dict.fromkeys(seconds, 0.4)}))
    assert {slots[f"per-image:{name}"] for name in seconds} == {"0.1 s"}, "the time was that of four images"
    assert gone not in [image.id for image in run.images()] and not (report / "images" / f"{gone}.html").exists()
    assert "got damaged and are left out" in (report / "index.html").read_text(encoding="utf-8")
    assert path.stat().st_size == 100, "what is damaged stays"
    assert command("render", report, "--repair").stderr == "", "nothing is left to be repaired"
    again()
    assert without_provenance(report) == without_provenance(original)
