"""Runs whose images share files of arrays: stopped, damaged and taken up again."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.data.batches import batches
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.stages import explain as running
from cnnvis_report.records.run import Skipped
from cnnvis_report.store import RunWriter, StoredRun, load_arrays, load_run
from cnnvis_report.store.array_files.shards import ArrayLayout, write_shard
from cnnvis_report.store.repair import repair
from tests.conftest import command
from tests.store.run_files import FEW, RUN, Stop, files, interrupted, without_provenance

SHARDED = (*FEW, "--shard-size", "4", "--batch-size", "3")


@pytest.fixture(scope="module")
def sharded(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six images in two shards; two further files are no good."""
    folder = tmp_path_factory.mktemp("sharded") / "r"
    command(*RUN, drawn, "-o", folder, *SHARDED)
    return folder


def content(run: StoredRun) -> list[tuple[Any, list[tuple[str, bytes]]]]:
    return [
        (image.id, [(key, values.tobytes()) for key, values in sorted(run.maps(image).items())])
        for image in run.images()
    ]


def test_a_sharded_run_holds_what_one_with_a_file_an_image_holds(sharded: Path, drawn: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in (sharded / "arrays").iterdir())
    assert names == ["shard-00000.npz", "shard-00001.npz"]
    command(*RUN, drawn, "-o", tmp_path / "r", *FEW, "--shard-size", "0", "--batch-size", "3")
    run, plain = load_run(sharded), load_run(tmp_path / "r")
    assert content(run) == content(plain)
    for image in run.images():
        assert load_arrays(sharded, image.id).keys() == load_arrays(tmp_path / "r", image.id).keys()


@pytest.mark.parametrize("after", [1, 3, 4, 5])
def test_a_sharded_run_that_was_stopped_ends_in_the_same_bytes(
    after: int, sharded: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupted(patch, after)
        with pytest.raises(Stop):
            command(*RUN, drawn, "-o", tmp_path / "r", *SHARDED)
    written = collected(monkeypatch)
    command(*RUN, drawn, "-o", tmp_path / "r", *SHARDED)
    assert len(written) == len(list(load_run(sharded).images())) - after, "what was done stays, in a shard or not"
    assert without_provenance(sharded) == without_provenance(tmp_path / "r")


def collected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the images that are explained from now on."""
    written: list[str] = []
    plain = running._go_on

    def write(writer: Any, finished: int | None, results: Any) -> None:
        written.extend(result.image.id for result in results)
        plain(writer, finished, results)

    monkeypatch.setattr(running, "_go_on", write)
    return written


@pytest.mark.parametrize("event", ["append_lines", "remove"])
def test_a_shard_whose_closing_was_stopped_is_closed_again(
    event: str, sharded: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def close_shard(writer: RunWriter, number: int) -> None:
        from cnnvis_report.store import writer as module

        def stop(*_: object) -> None:
            raise Stop

        monkeypatch.setattr(module, event, stop)
        plain(writer, number)

    plain = RunWriter.close_shard
    with monkeypatch.context():
        monkeypatch.setattr(RunWriter, "close_shard", close_shard)
        with pytest.raises(Stop):
            command(*RUN, drawn, "-o", tmp_path / "r", *SHARDED)
    monkeypatch.undo()
    command(*RUN, drawn, "-o", tmp_path / "r", *SHARDED)
    assert without_provenance(sharded) == without_provenance(tmp_path / "r")


def test_a_damaged_shard_is_made_again_and_nothing_else(
    sharded: Path, drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command(*RUN, drawn, "-o", tmp_path / "r", *SHARDED)
    shard = tmp_path / "r" / "arrays" / "shard-00001.npz"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(BadRequest, match=r"shard-00001\.npz has \d+ bytes in the place of"):
        load_run(tmp_path / "r")
    first = (tmp_path / "r" / "arrays" / "shard-00000.npz").stat().st_mtime_ns
    written = collected(monkeypatch)
    command(*RUN, drawn, "-o", tmp_path / "r", *SHARDED)
    assert written == [image.id for image in load_run(sharded).images() if image.shard == 1]
    assert (tmp_path / "r" / "arrays" / "shard-00000.npz").stat().st_mtime_ns == first
    assert without_provenance(sharded) == without_provenance(tmp_path / "r")


def test_a_repair_leaves_the_images_of_a_damaged_shard_out(drawn: Path, tmp_path: Path) -> None:
    command(*RUN, drawn, "-o", tmp_path / "r", *SHARDED)
    (tmp_path / "r" / "arrays" / "shard-00000.npz").unlink()
    left = [image.id for image in load_images(tmp_path / "r") if image.shard == 1]
    assert repair(tmp_path / "r")
    assert [image.id for image in load_run(tmp_path / "r").images()] == left


def load_images(folder: Path) -> list[Any]:
    from cnnvis_report.store.manifest import ImagesLeft

    return list(ImagesLeft(folder))


def test_shards_written_elsewhere_give_the_same_run(sharded: Path, tmp_path: Path) -> None:
    run = load_run(sharded)
    layout = ArrayLayout(run.record.keep, 4)
    names = {image.id: image.name for image in run.images()}
    images = list(run.images())
    first, elsewhere = tmp_path / "r", tmp_path / "worker"
    elsewhere.mkdir()
    writer = RunWriter(first, run.record.identity, names, resume=False, layout=layout)
    for number in (1, 0):
        results = [Result(image, run.stored_arrays(image)) for image in images[4 * number : 4 * number + 4]]
        records, stored = write_shard(elsewhere, number, results)
        name = f"arrays/shard-0000{number}.npz"
        (first / name).write_bytes((elsewhere / name).read_bytes())
        writer.add_shard(number, records, stored, [{"grad_cam": 1.0}] * len(records), [{}] * len(records))
    assert writer.seconds() == {"grad_cam": float(len(images))}
    assert [image.id for image in writer.images()] == list(names)
    with pytest.raises(BadRequest, match="isn't of shard 1"):
        writer.add_shard(1, images[:1], stored, [{}], [{}])
    writer.finish(run.record)
    assert [image.id for image in load_run(first).images()] == list(names)
    assert files(first / "arrays").keys() == {"shard-00000.npz", "shard-00001.npz"}


class Result:
    def __init__(self, image: Any, arrays: Any) -> None:
        self.image, self.arrays = image, arrays


def test_no_batch_has_images_of_two_shards(drawn: Path) -> None:
    images = labeled(find_images([drawn]), [])
    skipped: list[Skipped] = []
    position = {item.id: index for index, item in enumerate(images)}
    rows = [
        [position[image.item.id] for image in batch.ready]
        for batch in batches(images, Preprocessing(), 3, skipped, shard_size=4)
    ]
    assert len({index for row in rows for index in row}) == len(images) - len(skipped)
    assert all(len({index // 4 for index in row}) == 1 for row in rows) and max(map(len, rows)) == 3
