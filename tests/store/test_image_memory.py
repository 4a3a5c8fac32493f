"""Images of a manifest that are remembered: read once where they are few, each time where they are many."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import image_memory, load_run
from cnnvis_report.store.manifest import images_in
from tests.fixtures.make_run import FOLDER


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "run"))


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the images that are read from a manifest."""
    names: list[str] = []

    def watched(path: Path, run: RunRecord) -> Iterator[ImageRecord]:
        for image in images_in(path, run):
            names.append(image.name)
            yield image

    monkeypatch.setattr(image_memory, "images_in", watched)
    return names


def test_few_are_read_once_and_stay_the_same(folder: Path, reads: list[str]) -> None:
    run = load_run(folder)
    first, second = list(run.images()), list(run.images())
    assert first == second == list(images_in(folder / "run.json", run.record))
    assert reads == [image.name for image in first]


def test_many_are_read_each_time(folder: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_memory, "LARGEST", (folder / "run.json").stat().st_size - 1)
    run = load_run(folder)
    assert list(run.images()) == list(run.images())
    assert len(reads) == 3 * run.record.images


def test_those_that_were_read_in_part_are_not_taken_for_all(folder: Path) -> None:
    run = load_run(folder)
    memory = image_memory.ImageMemory()
    reading = memory.read(folder / "run.json", run.record)
    first = next(reading)
    others = list(memory.read(folder / "run.json", run.record))
    assert others == [first, *reading] and len(others) == run.record.images


def test_a_damaged_manifest_is_damaged_each_time(folder: Path) -> None:
    run, path = load_run(folder), folder / "run.json"
    text = path.read_text(encoding="utf-8").replace('"top"', '"tip"')
    path.write_text(text, encoding="utf-8")
    memory = image_memory.ImageMemory()
    for _ in range(2):
        with pytest.raises(BadRequest, match="tip"):
            list(memory.read(path, run.record))
