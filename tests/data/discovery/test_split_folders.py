"""`--split` takes the sub-folders of a part, as Keras and torchvision lay them out, and their labels stay."""

from pathlib import Path

import pytest
from PIL import Image

from cnnvis_report.data.collection import Selection
from cnnvis_report.data.discovery.find_images import find_images
from cnnvis_report.data.image_set import labeled
from cnnvis_report.errors import BadRequest

NAMES = ["train/cat/1.png", "train/dog/2.png", "validation/cat/3.png", "validation/dog/4.png"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path)
    return tmp_path / "set"


@pytest.mark.parametrize("split", ["val", "Validation", "valid"])
def test_a_part_is_a_folder_of_that_name(folder: Path, split: str) -> None:
    images = labeled(find_images([folder], selection=Selection(split)), ["dog", "cat"])
    assert [item.name for item in images] == NAMES[2:]
    assert [item.labels[0].index for item in images] == [1, 0]


def test_classes_in_alphabetical_order_are_those_of_the_part(folder: Path) -> None:
    images = labeled(find_images([folder], selection=Selection("train")), ["class 0", "class 1"], labels="folders")
    assert [item.labels[0].index for item in images] == [0, 1] and images.order == ("cat", "dog")


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection("test"), r"--split 'test': no sub-folder of .* is called so; it has cat, dog, train, validation"),
        (Selection(label_columns=("a",)), r"--label-columns 'a': .* is a folder, which has none"),
    ],
    ids=["split", "columns"],
)
def test_what_a_folder_has_not_is_refused(folder: Path, selection: Selection, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        find_images([folder], selection=selection)
