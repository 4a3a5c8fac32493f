"""Shards: the same bytes wherever they are written, read by plain numpy, and one image at a time."""

import pickle
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import Keep, StoredFile
from cnnvis_report.store.array_files.arrays import Damaged
from cnnvis_report.store.array_files.npz import DIRECTORY
from cnnvis_report.store.array_files.shards import ArrayLayout, ShardReader, write_shard

NAME = "arrays/shard-00003.npz"


@dataclass(frozen=True)
class Explained:
    image: ImageRecord
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)


def record(name: str) -> ImageRecord:
    return ImageRecord(name, f"{name}.png", (4, 5), (4, 5), None, top=(), targets=(), maps=())


def results() -> list[Explained]:
    numbers = np.random.default_rng(0)
    return [
        Explained(
            record(f"image-{index}"),
            {
                "picture": numbers.integers(0, 255, (4, 5, 3)).astype(np.uint8),
                "saliency/1": numbers.normal(size=(4, 5)).astype(np.float16),
                "flat/1": np.zeros((40, 50), dtype=np.float16),
            },
        )
        for index in range(3)
    ]


def test_plain_numpy_reads_each_array_of_a_shard(tmp_path: Path) -> None:
    records, stored = write_shard(tmp_path, 3, results())
    assert [image.shard for image in records] == [3, 3, 3]
    assert stored.bytes == (tmp_path / NAME).stat().st_size
    with np.load(tmp_path / NAME, allow_pickle=False) as arrays:
        for result in results():
            for key, values in result.arrays.items():
                np.testing.assert_array_equal(arrays[f"{result.image.id}/{key}"], values)
    with zipfile.ZipFile(tmp_path / NAME) as archive:
        assert archive.testzip() is None


def test_a_shard_has_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    first, second = (write_shard(tmp_path / name, 3, results()) for name in ("one", "other"))
    assert first == second
    assert (tmp_path / "one" / NAME).read_bytes() == (tmp_path / "other" / NAME).read_bytes()


def test_a_reader_gives_one_image_and_travels_to_another_process(tmp_path: Path) -> None:
    _, stored = write_shard(tmp_path, 3, results())
    reader = ShardReader()
    for result in reversed(results()):
        arrays = reader.read(tmp_path, 3, result.image.id, stored)
        assert arrays.keys() == result.arrays.keys()
        assert all((arrays[key] == values).all() for key, values in result.arrays.items())
    assert pickle.loads(pickle.dumps(reader)).read(tmp_path, 3, "image-1", stored)


def flipped(content: bytes) -> bytes:
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(lambda content: content[:-7], "bytes in the place of", id="cut"),
        pytest.param(flipped, "another digest", id="one bit"),
    ],
)
def test_a_damaged_shard_is_named(damage: Any, reason: str, tmp_path: Path) -> None:
    _, stored = write_shard(tmp_path, 3, results())
    reader = ShardReader()
    reader.read(tmp_path, 3, "image-0", stored)
    (tmp_path / NAME).write_bytes(damage((tmp_path / NAME).read_bytes()))
    with pytest.raises(Damaged, match=reason):
        reader.read(tmp_path, 3, "image-0", stored)


def test_what_isn_t_as_written_is_noticed_without_a_digest_too(tmp_path: Path) -> None:
    write_shard(tmp_path, 3, results())
    (tmp_path / NAME).write_bytes(flipped((tmp_path / NAME).read_bytes()))
    with pytest.raises(Damaged, match="isn't as it was written"):
        ShardReader().read(tmp_path, 3, "image-0")


@pytest.mark.parametrize(
    ("number", "image", "reason"),
    [
        pytest.param(3, "image-9", "nothing of 'image-9'", id="image"),
        pytest.param(4, "image-0", "is missing", id="shard"),
    ],
)
def test_what_a_shard_hasn_t_got_is_said(number: int, image: str, reason: str, tmp_path: Path) -> None:
    _, stored = write_shard(tmp_path, 3, results())
    with pytest.raises(Damaged, match=reason):
        ShardReader().read(tmp_path, number, image, stored)


def test_a_shard_that_was_never_written_is_no_shard(tmp_path: Path) -> None:
    write_shard(tmp_path, 3, results())
    with pytest.raises(Damaged, match="in the place of 1"):
        ShardReader().read(tmp_path, 3, "image-0", StoredFile(1, "0" * 64))


@pytest.mark.parametrize(
    ("images", "asked", "size"),
    [
        pytest.param(1000, None, None, id="a thousand"),
        pytest.param(1001, None, 100, id="more"),
        pytest.param(10, 2, 2, id="asked for"),
        pytest.param(10_000, 0, None, id="refused"),
    ],
)
def test_a_run_is_sharded_beyond_a_thousand_images(images: int, asked: int | None, size: int | None) -> None:
    assert ArrayLayout.of(images, Keep.REDUCED, asked).shard_size == size


@pytest.mark.parametrize("zip64", [False, True])
def test_a_list_of_arrays_that_takes_the_memory_is_refused_unread(tmp_path: Path, zip64: bool) -> None:
    """A million entries are a few kilobytes in an archive that a stranger sends."""
    write_shard(tmp_path, 3, results())
    claim = DIRECTORY + 1
    head = bytes(40) + claim.to_bytes(8, "little") + bytes(8) + b"PK\6\7" + bytes(16) if zip64 else b""
    length = 0xFFFFFFFF if zip64 else claim
    end = b"PK\5\6" + bytes(8) + length.to_bytes(4, "little") + bytes(6)
    with (tmp_path / NAME).open("ab") as file:
        file.write(head + end)
    with pytest.raises(Damaged, match=f"a list of its arrays of {claim} bytes"):
        ShardReader().read(tmp_path, 3, "image-0")


def test_what_follows_the_end_makes_a_shard_none_of_ours(tmp_path: Path) -> None:
    write_shard(tmp_path, 3, results())
    with (tmp_path / NAME).open("ab") as file:
        file.write(b"x")
    with pytest.raises(Damaged, match="has no end"):
        ShardReader().read(tmp_path, 3, "image-0")
