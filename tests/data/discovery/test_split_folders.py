"""`--split` takes the sub-folders of a part, as Keras and torchvision lay them out, and their labels stay."""

import zipfile
from pathlib import Path

import pytest
from PIL import Image

from cnnvis_report.data.collection import Selection
from cnnvis_report.data.discovery.find_images import find_images
from cnnvis_report.data.image_set import labeled
from cnnvis_report.errors import BadRequest, UnusedOption
from cnnvis_report.synthetic.write import check_request, write_set

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


def test_where_nobody_chooses_a_part_it_is_said_that_all_are_taken(folder: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name in NAMES:
            archive.write(folder / name, f"top/{name}")
    for images, name in ((folder, "set"), (tmp_path / "set.zip", "set.zip")):
        said = f"{name}: has folders train (2), validation (2); all are taken, and --split takes one."
        assert said in find_images([images]).notices
        assert "all are taken" not in str(find_images([images], selection=Selection("val")).notices)
    assert not find_images([folder / "train"]).notices
    (folder / "train").rename(folder / "car")
    (folder / "validation").rename(folder / "train")
    assert not find_images([folder]).notices, "a class may be called train"


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


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """A folder without parts, beside the set."""
    path = tmp_path / "more" / "cat" / "5.png"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (4, 4), "teal").save(path)
    return tmp_path / "more"


def test_a_part_is_taken_where_there_are_parts_and_the_rest_is_taken_whole_and_said(folder: Path, more: Path) -> None:
    found = find_images([more, folder, more / "cat" / "5.png"], selection=Selection("val"))
    assert [image.name for image in found] == ["more/cat/5.png", *(f"set/{name}" for name in NAMES[2:]), "5.png"]
    said = f"--split 'val': no sub-folder of {more} is called so; it has cat. All of it is taken."
    assert f"{said} So it is with 1 more of IMAGES." in found.notices


def test_options_apply_each_where_it_can(folder: Path, more: Path) -> None:
    table = folder.parent / "labels.csv"
    table.write_text("path,species\nmore/cat/5.png,cat\n", encoding="utf-8")
    found = find_images([table, folder], selection=Selection("val", ("species",)))
    assert {label for image in found for label in image.labels} == {"cat"} and len(found) == 3
    assert sum("All of it is taken." in notice for notice in found.notices) == 2, "a line for each option"


def test_what_none_of_several_has_a_use_for_is_refused_and_so_is_a_wrong_name_of_a_part(
    folder: Path, more: Path
) -> None:
    file = more / "cat" / "5.png"
    with pytest.raises(UnusedOption, match=f"--split 'val': no sub-folder of {more} is called so"):
        find_images([more, file], selection=Selection("val"))
    with pytest.raises(UnusedOption, match=r"--split 'val': .* is a single file, which has no use for it"):
        find_images([file], selection=Selection("val"))
    with pytest.raises(BadRequest, match=r"--split 'test': no sub-folder of .*set is called so"):
        find_images([folder, more], selection=Selection("test"))


def test_a_generated_set_has_no_parts(tmp_path: Path) -> None:
    kind, variant, side = check_request("shapes", 5, None, 32)
    write_set(kind, 5, tmp_path / "drawn", variant=variant, side=side, seed=0)
    with pytest.raises(UnusedOption, match="is a generated data set, which has no use for it"):
        find_images([tmp_path / "drawn"], selection=Selection("val"))
