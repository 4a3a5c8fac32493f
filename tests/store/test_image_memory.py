"""Images of a manifest that are remembered: read once where they are few, each time where they are many."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import parsed
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import image_memory, load_run, manifest
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


@pytest.fixture
def many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest that is too large to be remembered."""
    monkeypatch.setattr(image_memory, "LARGEST", (folder / "run.json").stat().st_size - 1)
    return folder


def test_many_are_read_each_time_and_checked_once(many: Path, reads: list[str]) -> None:
    run = load_run(many)
    images = list(images_in(many / "run.json", run.record))
    assert list(run.images()) == list(run.images()) == images
    assert reads == [image.name for image in images]


def test_of_some_that_are_wanted_the_others_are_not_parsed(many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, lines = load_run(many), []
    images = list(run.images())

    def watched(text: str) -> object:
        lines.append(text)
        return parsed(text)

    monkeypatch.setattr(manifest, "parsed", watched)
    for wanted in ([images[1].id], [images[0].id, images[-1].id, "another"], []):
        lines.clear()
        chosen = [image for image in images if image.id in wanted]
        assert list(run.images(wanted)) == chosen and len(lines) == len(chosen)


def test_few_that_are_wanted_come_from_memory(folder: Path) -> None:
    run = load_run(folder)
    first, *_, last = run.images()
    assert list(run.images({last.id, first.id})) == [first, last]


def test_an_id_that_is_written_otherwise_is_found_all_the_same(many: Path) -> None:
    path, run = many / "run.json", load_run(many)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"id": "', '"id":"'), encoding="utf-8")
    first, *_ = run.images()
    assert list(run.images([first.id])) == [first], "the seals are of what is said, not of how it is written"


def test_a_manifest_that_was_written_anew_is_checked_again(many: Path) -> None:
    path, run = many / "run.json", load_run(many)
    first, *_ = run.images()
    path.write_text(path.read_text(encoding="utf-8").replace(first.name, "another"), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(BadRequest, match="isn't as the run has written it"):
            list(run.images())


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
