"""Folders that stand for classes by their order or their number."""

from pathlib import Path
from typing import Any

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.setup import set_up
from cnnvis_report.training.splits import find_classes
from tests.data.labels.test_class_names import TEN, indices_in, labels_in, notices, tree
from tests.narrow import present


def test_folders_stand_for_classes_in_the_order_of_imagefolder(tmp_path: Path) -> None:
    names = [str(number) for number in range(1, 13)]
    tree(tmp_path / "twelve", *(f"{name}/a.png" for name in names))
    twelve = [f"class {index}" for index in range(12)]
    assert indices_in(tmp_path / "twelve", twelve, labels="folders") == {
        f"{name}/a.png": index for index, name in enumerate(sorted(names))
    }
    assert "in the order of torchvision's ImageFolder" in notices(tmp_path / "twelve", twelve, labels="folders")
    by_folder = {"Zebra/x.png": 0, "apple/x.png": 1, "banana/x/y.png": 2}
    tree(tmp_path / "three", "apple/x.png", "Zebra/x.png", "banana/x/y.png")
    assert indices_in(tmp_path / "three", TEN[:3], labels="folders") == by_folder
    (tmp_path / "three" / "carrot").mkdir()
    found = labels_in(tmp_path / "three", TEN[:4], labels="folders")
    assert found["banana/x/y.png"] == ("banana", 2), "an empty folder is a class too"
    assert indices_in(tmp_path / "three", TEN[:3], labels="folders") == by_folder, "or is none"


def test_the_order_agrees_with_torchvision(tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    tree(tmp_path, "b10/1.png", "b9/1.png", "B2/1.png", "_a/1.png", "ä/1.png", "z z/deep/1.png")
    theirs = ImageFolder(str(tmp_path))
    expected = {Path(path).relative_to(tmp_path).as_posix(): index for path, index in theirs.samples}
    assert indices_in(tmp_path, TEN[:6], labels="folders") == expected
    (tmp_path / "list.txt").write_text("\n".join(reversed(expected)))
    assert indices_in(tmp_path / "list.txt", TEN[:6], labels="folders") == expected
    assert list(find_classes(tmp_path)[1]) == theirs.classes, "and so does a training here"


def test_the_parts_of_a_set_are_no_classes(tmp_path: Path) -> None:
    tree(tmp_path, "train/b/1.png", "train/a/2.png", "val/a/3.png")
    for given in ([tmp_path], [tmp_path / "train", tmp_path / "val"]):
        found = labeled(find_images(given), TEN[:2], labels="folders")
        assert {item.name: present(item.label).index for item in found} == {
            "train/a/2.png": 0, "train/b/1.png": 1, "val/a/3.png": 0,
        }  # fmt: skip


def test_folders_called_by_an_index(tmp_path: Path) -> None:
    tree(tmp_path, "2/a.png", "005/a.png", "7/more/a.png")
    for mode in ("names", "folders", "indices"):
        found = labels_in(tmp_path, TEN, labels=mode)
        assert found == {"2/a.png": ("class 2", 2), "005/a.png": ("class 5", 5), "7/more/a.png": ("class 7", 7)}
    assert "by their index, from 0: 2, 005, 7" in notices(tmp_path, TEN)
    tree(tmp_path, "10/a.png")
    assert set(labels_in(tmp_path, TEN).values()) == {None}, "one is no index, so none need be"
    assert labels_in(tmp_path, TEN, labels="indices")["10/a.png"] == ("10", None)


def test_numbers_that_may_be_indices_or_an_order_are_not_guessed(tmp_path: Path) -> None:
    tree(tmp_path, *(f"{number}/a.png" for number in range(12)))
    twelve = [f"class {index}" for index in range(12)]
    assert set(labels_in(tmp_path, twelve).values()) == {None}
    assert "--labels indices or --labels folders" in notices(tmp_path, twelve)
    assert indices_in(tmp_path, twelve, labels="indices")["10/a.png"] == 10
    assert indices_in(tmp_path, twelve, labels="folders")["10/a.png"] == 2
    tree(tmp_path / "ten", *(f"{number}/a.png" for number in range(10)))
    assert indices_in(tmp_path / "ten", TEN)["9/a.png"] == 9, "both ways the same"


def test_folders_in_order_and_predictions_have_one_name(tmp_path: Path) -> None:
    """So that a label and a prediction of one class are one row and one column of the confusions."""
    tree(tmp_path, "benign/a.png", "malignant/b.png", "loose.png")
    (tmp_path / "names.txt").write_text("healthy\nill\n")
    given: dict[str, Any] = {
        "model": "tests.data.several_labels:reddish",
        "images": (tmp_path,),
        "labels": "folders",
        "device": "cpu",
    }
    cases: list[tuple[dict[str, Any], tuple[str, str]]] = [
        ({}, ("benign", "malignant")), ({"class_names": tmp_path / "names.txt"}, ("healthy", "ill")),
    ]  # fmt: skip
    for more, names in cases:
        setup = set_up(RunConfig.of(**given, **more))
        labels = {item.name: item.label and (item.label.name, item.label.index) for item in setup.images}
        assert setup.network.subject.classes == names
        assert labels == {"benign/a.png": (names[0], 0), "malignant/b.png": (names[1], 1), "loose.png": None}
    assert any("alphabetical: benign for healthy, malignant for ill." in notice for notice in setup.notices)


def test_numbers_below_or_above_named_classes_are_no_labels(tmp_path: Path) -> None:
    tree(tmp_path, "cat/0/a.png", "cat/1/b.png", "dog/0/c.png", "dog/1/d.png")
    assert list(indices_in(tmp_path, ("cat", "dog")).values()) == [0, 0, 1, 1]
    assert "index" not in notices(tmp_path, ("cat", "dog"))
    assert list(indices_in(tmp_path, ("dog", "fox", "cat")).values()) == [2, 2, 0, 0]
    assert set(labels_in(tmp_path, TEN[:2]).values()) == {None}, "the folders above may be the classes"
    assert "the classes are the 2 folders cat, dog, in ImageFolder's order" in notices(tmp_path, TEN[:2])
    assert list(indices_in(tmp_path, TEN[:2], labels="indices").values()) == [0, 1, 0, 1]
    parts = tree(tmp_path / "parts", "train/0/a.png", "train/1/b.png", "val/0/c.png", "val/1/d.png")
    assert list(indices_in(parts, TEN[:2]).values()) == [0, 1, 0, 1]


def test_numbers_are_indices_beside_a_folder_of_strays(tmp_path: Path) -> None:
    tree(tmp_path, "0/a.png", "1/b.png", "2/c.png", "unlabeled/d.png")
    assert list(indices_in(tmp_path, TEN[:3]).values()) == [0, 1, 2, None]
    tree(tmp_path / "one", "1/a.png", "2/b.png", "3/c.png")
    assert set(labels_in(tmp_path / "one", TEN[:3]).values()) == {None}, "3 is no index, so none need be"
