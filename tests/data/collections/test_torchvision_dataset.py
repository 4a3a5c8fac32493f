"""torchvision:NAME@ROOT: what torchvision's own classes give, with their labels, names, parts and masks."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from torchvision import datasets

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.discovery.find_images import find_images
from cnnvis_report.data.image_set import ImageSet, labeled
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.errors import BadRequest, UnknownName

WHOLE = Preprocessing((0.0,) * 3, (1.0,) * 3)
DIGITS = [str(number) for number in range(10)]


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """Three training and two test images, in MNIST's own files."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    for part, labels in (("train", [4, 0, 9]), ("t10k", [7, 1])):
        images = random.integers(0, 256, (len(labels), 28, 28), np.uint8)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(
            struct.pack(">4i", 0x803, len(labels), 28, 28) + images.tobytes()
        )
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2i", 0x801, len(labels)) + bytes(labels))
    return tmp_path


def opened(text: str, classes: list[str], split: str = "") -> ImageSet:
    return labeled(find_images([text], selection=Selection(split)), classes)


def test_pictures_and_labels_are_those_of_torchvision(mnist: Path) -> None:
    images = opened(f"torchvision:MNIST@{mnist}", [f"class {number}" for number in range(10)], "test")
    expected = datasets.MNIST(str(mnist), train=False)
    assert images.order == tuple(expected.classes), "the network takes the names"
    assert len(images) == len(expected) == 2
    for number, item in enumerate(images):
        picture, label = expected[number]
        result = read_item(item, WHOLE)
        assert isinstance(result, DecodedImage) and item.labels[0].index == label
        assert np.array_equal(result.picture.seen, np.asarray(picture.convert("RGB")))
    assert len({item.id for item in images}) == len({item.fingerprint for item in images}) == 2


def test_all_parts_are_taken_where_none_is_asked_for_and_it_is_said(mnist: Path) -> None:
    images = opened(f"torchvision:MNIST@{mnist}", DIGITS)
    assert [item.name for item in images] == [f"train/image {number}" for number in range(3)] + [
        f"test/image {number}" for number in range(2)
    ]
    assert [item.labels[0].index for item in images] == [4, 0, 9, 7, 1]
    assert any("has the parts train (3), test (2), and all are taken" in notice for notice in images.notices)
    assert len(opened(f"torchvision:MNIST@{mnist}", DIGITS, "training")) == 3


def test_masks_of_pets_are_their_trimaps(tmp_path: Path) -> None:
    base = tmp_path / "oxford-iiit-pet"
    (base / "annotations" / "trimaps").mkdir(parents=True)
    (base / "images").mkdir()
    rows = ["Abyssinian_1 1 1 1", "american_bulldog_7 2 2 1"]
    (base / "annotations" / "test.txt").write_text("\n".join(rows) + "\n")
    trimap = np.array([[1, 1, 3, 2]] * 3, np.uint8)
    for row in rows:
        name = row.split()[0]
        Image.new("RGB", (4, 3), (200, 10, 10)).save(base / "images" / f"{name}.jpg")
        Image.fromarray(trimap).save(base / "annotations" / "trimaps" / f"{name}.png")
    images = opened(f"torchvision:OxfordIIITPet@{tmp_path}", ["American Bulldog", "Abyssinian"], "test")
    assert [item.labels[0].index for item in images] == [1, 0], "by name, in the network's order"
    assert [item.name.rpartition("/")[2] for item in images] == ["Abyssinian_1.jpg", "american_bulldog_7.jpg"]
    for item in images:
        result = read_item(item, WHOLE)
        assert isinstance(result, DecodedImage) and result.mask is not None
        assert np.array_equal(result.mask, trimap == 1)


@pytest.mark.parametrize(
    ("text", "split", "message"),
    [
        ("torchvision:MNIST", "", r"give the data set and the folder that it lies in, such as torchvision:MNIST@data"),
        ("torchvision:MNIST@{}/none", "", r"there is no folder .*none"),
        ("torchvision:CIFAR10@{}", "", r"nothing is fetched here\. This fetches it: .*CIFAR10\(.*download=True\)"),
        ("torchvision:MNIST@{}", "val", r"--split 'val': there is no such part of .*; it has train, test"),
        ("torchvision:ImageNet@{}", "", r"no meta\.bin"),
        ("torchvision:SUN397@{}", "val", r"it has no parts"),
    ],
    ids=["no folder", "none", "not there", "part", "imagenet", "no parts"],
)
def test_what_is_not_there_is_one_line(mnist: Path, text: str, split: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        opened(text.format(mnist), DIGITS, split)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in mnist.iterdir()) == ["MNIST"], "nothing is written"


def test_a_name_that_is_none_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'CIFAR100'"):
        opened(f"torchvision:CIFAR100_@{tmp_path}", DIGITS)


def test_a_part_that_is_not_there_is_said(mnist: Path) -> None:
    for path in (mnist / "MNIST" / "raw").glob("train-*"):
        path.write_bytes(b"damaged")
    images = opened(f"torchvision:MNIST@{mnist}", DIGITS)
    assert len(images) == 2 and any("the part train isn't taken" in notice for notice in images.notices)
