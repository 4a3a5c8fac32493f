"""Stacks of images in NumPy's files: each is an image, with the label that lies beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.image_set import find_images
from cnnvis_report.errors import BadRequest
from tests.data.archives.archive_files import WHOLE, labels, read

GENERATOR = np.random.default_rng(0)
COLOR = GENERATOR.integers(0, 256, (3, 8, 6, 3), np.uint8)
GRAY = GENERATOR.integers(0, 256, (3, 8, 6), np.uint8)
ONE_HOT = np.array([[0, 1], [1, 0], [0, 1]])


def pixels(path: Path) -> list[npt.NDArray[Any]]:
    results = [read_item(item, WHOLE) for item in read(path)]
    return [np.asarray(result.picture.seen) for result in results if isinstance(result, DecodedImage)]


LAYOUTS = {
    "last": (COLOR, COLOR),
    "first": (np.moveaxis(COLOR, 3, 1), COLOR),
    "gray": (GRAY, np.repeat(GRAY[..., None], 3, 3)),
    "one band": (GRAY[..., None], np.repeat(GRAY[..., None], 3, 3)),
    "bits": (GRAY > 99, np.repeat((GRAY > 99)[..., None], 3, 3)),
    "floats": (GRAY.astype(np.float32) / 255, None),
    "16 bits": (GRAY.astype(">u2") * 257, np.repeat(GRAY[..., None], 3, 3)),
}


@pytest.mark.parametrize("compressed", [False, True], ids=["stored", "compressed"])
@pytest.mark.parametrize(("array", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_each_image_has_its_values_and_its_label(
    tmp_path: Path, array: npt.NDArray[Any], expected: npt.NDArray[Any] | None, compressed: bool
) -> None:
    path = tmp_path / "images.npz"
    save: Any = np.savez_compressed if compressed else np.savez
    save(path, images=array, labels=np.array([1, 0, 1]))
    assert labels(read(path)) == {"0000": ["dog"], "0001": ["cat"], "0002": ["dog"]}
    seen = pixels(path)
    assert len(seen) == 3
    if expected is not None and array.dtype.kind != "b":
        assert np.array_equal(np.stack(seen), expected)


@pytest.mark.parametrize("compressed", [False, True], ids=["stored", "compressed"])
def test_images_are_read_one_by_one(tmp_path: Path, compressed: bool) -> None:
    array = GENERATOR.integers(0, 256, (50, 40, 30, 3), np.uint8)
    save: Any = np.savez_compressed if compressed else np.savez
    save(tmp_path / "i.npz", images=array)
    files = find_images([tmp_path / "i.npz"])
    for number in (49, 0, 25, 7):
        entry = files[number].entry
        assert entry is not None and entry.read().endswith(array[number].tobytes())


SETS: dict[str, tuple[dict[str, npt.NDArray[Any]], dict[str, list[str]]]] = {
    "keras": (
        {"x_train": GRAY, "y_train": np.array([0, 1, 0]), "x_test": GRAY[:1], "y_test": np.array([1])},
        {"test/0000": ["dog"]},
    ),
    "medmnist": (
        {
            "train_images": GRAY,
            "train_labels": np.zeros((3, 1)),
            "val_images": GRAY,
            "val_labels": np.zeros((3, 1)),
            "test_images": GRAY,
            "test_labels": np.array([[1], [0], [1]]),
        },
        {"test/0000": ["dog"], "test/0001": ["cat"], "test/0002": ["dog"]},
    ),
    "several labels": (
        {"test_images": GRAY[:2], "test_labels": np.array([[1, 1], [0, 0]])},
        {"test/0000": ["cat", "dog"], "test/0001": []},
    ),
    "texts": ({"test_x": GRAY[:2], "test_y": np.array(["dog", "cat"])}, {"test/0000": ["dog"], "test/0001": ["cat"]}),
    "whole floats": ({"test_x": GRAY[:1], "test_y": np.array([1.0])}, {"test/0000": ["dog"]}),
}


@pytest.mark.parametrize(("arrays", "expected"), SETS.values(), ids=SETS)
def test_sets_are_told_by_the_names_of_their_arrays(
    tmp_path: Path, arrays: Mapping[str, npt.NDArray[Any]], expected: dict[str, list[str]]
) -> None:
    save: Any = np.savez
    save(tmp_path / "set.npz", **arrays)
    assert labels(read(tmp_path / "set.npz", split="test")) == expected
    images = read(tmp_path / "set.npz")
    assert len(images) == sum(len(array) for array in arrays.values() if array.ndim == 3)
    several = len([array for array in arrays.values() if array.ndim == 3]) > 1
    assert any("--split test takes one" in notice for notice in images.notices) == several
    with pytest.raises(BadRequest, match=r"--split 'other': set\.npz has none of that name"):
        read(tmp_path / "set.npz", split="other")


def test_arrays_without_names_are_paired_by_their_lengths(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", COLOR, np.array([1, 0, 1]))
    assert labels(read(tmp_path / "a.npz"))["0000"] == ["dog"]
    np.savez(tmp_path / "b.npz", images=COLOR, labels=np.array([1, 0]), class_names=np.array(["cat", "dog"]))
    assert labels(read(tmp_path / "b.npz"))["0000"] == []
    assert find_images([tmp_path / "b.npz"]).classes == ("cat", "dog")


BESIDE = {"images.npy": "labels.npy", "x_test.npy": "y_test.npy", "train_images.npy": "train_labels.npy",
          "X.npy": "y.npy", "photos.npy": "targets.npy"}  # fmt: skip


@pytest.mark.parametrize(("name", "beside"), BESIDE.items(), ids=BESIDE)
def test_a_stack_is_labeled_by_the_file_beside_it(tmp_path: Path, name: str, beside: str) -> None:
    np.save(tmp_path / name, COLOR)
    np.save(tmp_path / beside, np.array([1, 0, 1]))
    images = read(tmp_path / name)
    assert [label for (label,) in labels(images).values()] == ["dog", "cat", "dog"]
    assert f"Labels are those in {beside}." in images.notices
    assert np.array_equal(np.stack(pixels(tmp_path / name)), COLOR)
    np.save(tmp_path / beside, np.array([1, 0]))
    assert set(map(len, labels(read(tmp_path / name)).values())) == {0}, "two labels of three images are none"


def test_what_is_one_image_stays_one(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", COLOR[0])
    assert [file.name for file in find_images([tmp_path / "a.npy"])] == ["a.npy"]
    np.save(tmp_path / "b.npy", np.moveaxis(COLOR[0], 2, 0))
    assert [file.name for file in find_images([tmp_path / "b.npy"])] == ["b.npy"]
    np.save(tmp_path / "c.npy", np.zeros((8, 6, 12), np.uint8))
    assert [file.name for file in find_images([tmp_path / "c.npy"], 12)] == ["c.npy"], "a network of 12 bands"
    assert len(find_images([tmp_path / "c.npy"], 3)) == 8


@pytest.mark.parametrize(
    ("images", "name", "count"), [("images", "labels", 2), ("x_test", "y_test", 5)], ids=["fewer", "more"]
)
def test_labels_of_another_length_are_none_and_it_is_said(tmp_path: Path, images: str, name: str, count: int) -> None:
    arrays: dict[str, Any] = {images: COLOR, name: np.arange(count) % 2}
    np.savez(tmp_path / "a.npz", **arrays)
    stack = read(tmp_path / "a.npz")
    assert set(map(len, labels(stack).values())) == {0}
    assert f"{name!r} has {count} entries for the {len(COLOR)} images in {images!r}" in str(stack.notices)


def test_python_objects_are_never_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=COLOR, labels=np.array([{}, 1, 2], object))
    images = read(tmp_path / "a.npz")
    assert set(map(len, labels(images).values())) == {0}
    assert "Labels in 'labels' aren't read: they are Python objects, which may run code." in str(images.notices)
    np.savez(tmp_path / "b.npz", images=np.array([{}, 1, 2], object))
    with pytest.raises(BadRequest, match="none of its arrays is a stack of images"):
        read(tmp_path / "b.npz")


def test_damage_and_bombs_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(b"nothing")
    with pytest.raises(BadRequest, match="not a NumPy archive, or a damaged one"):
        read(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", w=np.zeros((3, 4)))
    with pytest.raises(BadRequest, match=r"none of its arrays is a stack of images, .*it has w 3×4"):
        read(tmp_path / "b.npz")
    np.save(tmp_path / "c.npy", COLOR)
    content = (tmp_path / "c.npy").read_bytes()
    (tmp_path / "c.npy").write_bytes(content.replace(b"(3, 8", b"(9, 8"))
    with pytest.raises(BadRequest, match="Array 'images' is left aside: empty, or cut short"):
        read(tmp_path / "c.npy")
    np.savez(tmp_path / "f.npz", images=np.asfortranarray(COLOR))
    with pytest.raises(BadRequest, match="in Fortran's order: save"):
        read(tmp_path / "f.npz")
