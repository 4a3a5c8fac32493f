"""CIFAR's batches and MNIST's files, and pickles that nobody runs."""

import gzip
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis_report.data.arrays.plain_pickle import NotPlain, read_plain
from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.image_set import find_images
from cnnvis_report.errors import BadRequest
from tests.data.archives.archive_files import WHOLE, labels, read

GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(0, 256, (2, 3, 32, 32), np.uint8)


def python_2(batch: dict[bytes, Any]) -> bytes:
    """A batch as Python 2 wrote it: protocol 2, with the array's bytes as a text of Python 2."""

    def text(value: bytes) -> bytes:
        return b"T" + struct.pack("<i", len(value)) + value

    data = batch[b"data"]
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\0\x85U\x01b\x87Rq\x03("
        + b"K\x01M" + struct.pack("<H", data.shape[0]) + b"M\x00\x0c\x86cnumpy\ndtype\nq\x04U\x02u1K\0K\x01\x87R("
        + b"K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89" + text(data.tobytes()) + b"tb"
    )  # fmt: skip
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in batch[b"labels"]) + b"e"
    start: bytes = b"\x80\x02}("
    return start + text(b"data") + array + text(b"labels") + numbers + b"u."


def write_cifar(folder: Path, *, old: bool) -> Path:
    folder.mkdir()
    for name, values in (("data_batch_1", [0, 1]), ("data_batch_2", [1, 1]), ("test_batch", [1, 0])):
        batch = {b"data": PIXELS.reshape(2, -1), b"labels": values}
        (folder / name).write_bytes(python_2(batch) if old else pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({b"label_names": [b"cat", b"dog"]}, protocol=2))
    return folder


def pixels(path: Path) -> list[Any]:
    results = [read_item(item, WHOLE) for item in read(path)]
    return [np.asarray(result.picture.seen) for result in results if isinstance(result, DecodedImage)]


@pytest.mark.parametrize("old", [True, False], ids=["of Python 2", "of Python 3"])
def test_batches_for_python_are_read_without_being_run(tmp_path: Path, old: bool) -> None:
    folder = write_cifar(tmp_path / "cifar-10-batches-py", old=old)
    if old:
        assert pickle.loads((folder / "test_batch").read_bytes(), encoding="bytes")[b"labels"] == [1, 0]
    images = read(folder)
    assert len(images) == 6 and find_images([folder]).classes == ("cat", "dog")
    assert labels(read(folder, split="test")) == {"test/0000": ["dog"], "test/0001": ["cat"]}
    assert labels(images)["train/0002"] == ["dog"], "numbers go on from batch to batch"
    assert labels(read(folder / "test_batch")) == labels(read(folder, split="test"))
    assert np.array_equal(pixels(folder)[1], np.moveaxis(PIXELS[1], 0, 2))


@pytest.mark.parametrize("fine", [False, True], ids=["CIFAR-10", "CIFAR-100"])
def test_binary_batches_are_read(tmp_path: Path, fine: bool) -> None:
    (tmp_path / ("fine_label_names.txt" if fine else "batches.meta.txt")).write_text("cat\ndog\n\n")
    before = [b"\x07\x01", b"\x07\0"] if fine else [b"\x01", b"\0"]
    content = b"".join(label + image.tobytes() for label, image in zip(before, PIXELS, strict=True))
    path = tmp_path / ("test.bin" if fine else "test_batch.bin")
    path.write_bytes(content)
    assert labels(read(tmp_path)) == {"test/0000": ["dog"], "test/0001": ["cat"]}
    assert np.array_equal(pixels(tmp_path)[1], np.moveaxis(PIXELS[1], 0, 2))
    path.write_bytes(content[:-1])
    with pytest.raises(BadRequest, match="no batch of CIFAR, or cut short"):
        read(tmp_path)


class Harmful:
    def __reduce__(self) -> Any:
        return os.mkdir, ("harm",)


def test_a_pickle_that_would_run_something_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_cifar(tmp_path / "c", old=False)
    batch = {b"data": Harmful(), b"labels": [0], b"more": Harmful()}
    (folder / "test_batch").write_bytes(pickle.dumps(batch))
    with pytest.raises(BadRequest, match="it has no array of N×3072 bytes called data"):
        read(folder)
    assert not (tmp_path / "harm").exists()
    assert "mkdir" in read_plain(pickle.dumps(Harmful())).name


def nested(levels: int) -> bytes:
    """A dictionary whose key takes 2 to the number of levels steps to be hashed."""
    return b"\x80\x02})" + b"2\x86" * levels + b"Ns."


BAD = {
    "a key that takes years": nested(60),
    "without an end": b"\x80\x02}",
    "nothing on the stack": b"\x80\x02u.",
    "a memo that is not there": b"\x80\x02h\x05.",
    "an object": b"\x80\x02c__main__\nA\n)\x81.",
    "a persistent id": b"\x80\x02Pid\n.",
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_other_pickles_are_refused(content: bytes) -> None:
    with pytest.raises(NotPlain):
        read_plain(content)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(PLAIN, st.integers(3, 5))
def test_plain_values_are_those_of_the_real_unpickler(value: Any, protocol: int) -> None:
    assert read_plain(pickle.dumps(value, protocol)) == value


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.data())
def test_damaged_pickles_raise_nothing_else(data: st.DataObject) -> None:
    content = bytearray(python_2({b"data": PIXELS.reshape(2, -1)[:, :9], b"labels": [0, 1]}))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        read_plain(bytes(content))
    except NotPlain:
        return


def idx(values: Any) -> bytes:
    content: bytes = values.tobytes()
    return b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + content


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_files_of_mnist_are_read(tmp_path: Path, compressed: bool) -> None:
    images = GENERATOR.integers(0, 256, (3, 28, 28), np.uint8)
    pack, end = (gzip.compress, ".gz") if compressed else (bytes, "")
    for name in ("train", "t10k"):
        (tmp_path / f"{name}-images-idx3-ubyte{end}").write_bytes(pack(idx(images)))
        (tmp_path / f"{name}-labels-idx1-ubyte{end}").write_bytes(pack(idx(np.array([1, 0, 1], np.uint8))))
    assert labels(read(tmp_path, split="test")) == {"test/0000": ["dog"], "test/0001": ["cat"], "test/0002": ["dog"]}
    assert len(read(tmp_path)) == 6
    path = tmp_path / f"t10k-images-idx3-ubyte{end}"
    assert np.array_equal(np.stack(pixels(path))[..., 0], images)
    path.write_bytes(pack(idx(images)[:-1]))
    with pytest.raises(BadRequest, match="cut short: it has less than 3×28×28 bytes"):
        read(path)
