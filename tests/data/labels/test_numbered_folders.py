"""Folders called by a number or an id and a name; the limit of a selection; masks of images with several labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from torchvision.models import ResNet18_Weights

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.setup import select_images, set_up
from cnnvis_report.progress import Progress
from tests.cli.test_images_of_runs import shade
from tests.data.labels.test_class_names import TEN, indices_in, labels_in, notices, tree
from tests.narrow import present

PETS = ("cat", "dog", "fish", "black cat")
IMAGENET = tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


@pytest.mark.parametrize(
    ("folders", "classes", "indices"),
    [
        (("0_cat", "1_dog"), PETS, (0, 1)),
        (("1.Cat", "3.Fish", "004.Black_cat"), PETS, (0, 2, 3)),
        (("001.cat",), PETS, (0,)),
        (("3 - black cat",), PETS, (3,)),
        (("[2] fish", "(1) dog"), PETS, (2, 1)),
        (("n01440764-tench", "n01443537_goldfish"), IMAGENET, (0, 1)),
        (("n01440764 a fish of ours", "goldfish.n01443537"), IMAGENET, (0, 1)),
        (("n02123045_cat",), PETS, (0,)),
        (("1_crane", "3 crane"), ("cat", "crane", "dog", "crane"), (1, 3)),
        (("0_x", "3_y"), TEN, (0, 3)),
        (("1_x", "10_y"), TEN, (0, 9)),
        (("train/0_cat", "test/1-dog"), PETS, (0, 1)),
    ],
)
def test_a_number_or_an_id_before_a_name(
    tmp_path: Path, folders: Sequence[str], classes: Sequence[str], indices: Sequence[int]
) -> None:
    assert indices_in(tree(tmp_path, *(f"{name}/a.png" for name in folders)), classes) == {
        f"{name}/a.png": index for name, index in zip(folders, indices, strict=True)
    }
    said = notices(tmp_path, classes)
    assert "are classes by both" in said and ("from 1" in said) == (folders[0] in ("1.Cat", "001.cat", "1_x"))


@pytest.mark.parametrize(
    ("folders", "classes", "unknown", "why"),
    [
        (("0_cat", "1_dog", "9_fish"), PETS, "9_fish", "the number is 9, and 'fish' is class 2"),
        (("0_cat", "2_dog"), PETS, "0_cat", "the number is 0, and 'cat' is class 0, counted neither from 0"),
        (
            ("n01440764-goldfish", "tench"),
            IMAGENET,
            "n01440764-goldfish",
            "n01440764 is 'tench', and the name is of 'go",
        ),
        (("12 cat", "cat"), PETS, "12 cat", "the number is 12, and 'cat' is class 0"),
    ],
)
def test_what_disagrees_is_unknown_and_said(tmp_path: Path, folders: Any, classes: Any, unknown: Any, why: Any) -> None:
    found = labels_in(tree(tmp_path, *(f"{name}/a.png" for name in folders)), classes)
    assert found[f"{unknown}/a.png"] == (unknown, None)
    said = notices(tmp_path, classes)
    assert why in said and "neither right nor wrong" in said


@pytest.mark.parametrize("names", [("2019 holidays", "2020 garden"), ("7_x", "8_y"), ("1_x", "1_y"), ("3x", "4x")])
def test_numbers_that_say_nothing_give_no_label(tmp_path: Path, names: Any) -> None:
    assert set(labels_in(tree(tmp_path, *(f"{name}/a.png" for name in names)), TEN).values()) == {None}


def test_a_name_that_is_a_class_as_it_stands_is_that_class(tmp_path: Path) -> None:
    found = labels_in(tree(tmp_path, "0_cat/a.png"), ("cat", "0_cat"))
    assert found["0_cat/a.png"] == ("0_cat", 1)


def test_the_limit_is_drawn_from_what_only_selects(tmp_path: Path) -> None:
    """Of twelve images of each of two classes one in six is wrong: a draw before would leave hardly any."""
    for number in range(12):
        shade(tmp_path / "2" / f"{number:02d}.png", 2 if number % 6 else 7)
        shade(tmp_path / "5" / f"{number:02d}.png", 5 if number % 6 else 8)
    given: dict[str, Any] = {"images": (tmp_path,), "methods": ("gradient",), "device": "cpu", "inspect": "none"}
    config = RunConfig.of("tests.factories:bright", limit=2, select="misclassified", **given)
    setup = select_images(set_up(config), Progress())
    assert [item.name for item in setup.images if int(Path(item.name).stem) % 6 == 0] == [i.name for i in setup.images]
    assert sorted({Path(item.name).parent.name for item in setup.images}) == ["2", "5"] and len(setup.images) == 2
    assert setup.notices[-1] == "Of the images misclassified, 2 of 4 images: 1 of each of 2 classes, seed 0."
    assert present(present(setup.selection).predictions).images == 24, "the figures are of all"


def test_a_mask_is_of_the_first_label_and_that_is_said(tmp_path: Path) -> None:
    tree(tmp_path / "images", "a.png", "b.png")
    tree(tmp_path / "masks", "a.png", "b.png")
    (tmp_path / "list.csv").write_text("images/a.png,cat|dog\nimages/b.png,fish\n")
    found = find_images([tmp_path / "list.csv"])
    said = labeled(found, PETS, masks=tmp_path).notices
    expected = "1 image with a mask has several labels: a mask is taken to be of the first, and measures maps of that"
    assert any(each.startswith(expected) for each in said)
    (tmp_path / "list.csv").write_text("images/a.png,cat\nimages/b.png,fish\n")
    assert not any(
        "mask" in each for each in labeled(find_images([tmp_path / "list.csv"]), PETS, masks=tmp_path).notices
    )


def test_labels_of_a_list_may_have_a_number_before_the_name(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png", "c.png")
    (tmp_path / "list.csv").write_text("a.png,001.Cat\nb.png,003.Fish\nc.png,009.Dog\n")
    found = labeled(find_images([tmp_path / "list.csv"]), PETS)
    assert [item.label.index for item in found if item.label] == [0, 2, None]
    said = " ".join(found.notices)
    assert "Labels called by a number or an id and a name are classes by both, the numbers counting from 1" in said
    assert "'009.Dog': the number is 9, and 'dog' is class 1" in said
