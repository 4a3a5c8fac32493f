"""Labels: of folders and of lists, by name, synonym, id and index; what is no class is unknown, and said."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torchvision.models import ResNet18_Weights

from cnnvis_report.data.class_names import Classes, distinct, find_class, imagenet_ids
from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.label_parsing import labels_in as labels_of
from cnnvis_report.engine.outputs.scores import Scores
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.setup import set_up
from cnnvis_report.pipeline.targets import images_of
from cnnvis_report.records.scores import Quantity, ScoreKind
from cnnvis_report.training.splits import find_classes
from tests.conftest import command
from tests.narrow import present

IMAGENET = tuple(ResNet18_Weights.IMAGENET1K_V1.meta["categories"])
TEN = tuple(f"class {index}" for index in range(10))
FEW = ("tench, Tinca tinca", "goldfish", "great white shark", "crane", "ice-cream", "jack-o'-lantern", "crane")


def tree(top: Path, *names: str) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), len(name)).save(top / name, "PNG")
    return top


Named = tuple[str, int | None]  # a label's name, and the index of its class


def labels_in(top: Path, classes: Sequence[str], **given: Any) -> dict[str, Named | None]:
    images = labeled(find_images([top]), classes, **given)
    return {item.name: (item.label.name, item.label.index) if item.label else None for item in images}


def indices_in(top: Path, classes: Sequence[str], **given: Any) -> dict[str, int | None]:
    """By image, all of which have a label."""
    return {name: present(label)[1] for name, label in labels_in(top, classes, **given).items()}


def notices(top: Path, classes: Sequence[str], **given: Any) -> str:
    return " ".join(labeled(find_images([top]), classes, **given).notices)


@pytest.mark.parametrize(
    ("word", "index"),
    [
        ("tench, Tinca tinca", 0), ("tench", 0), ("TINCA_TINCA", 0), ("Goldfish, Carassius auratus", 1),
        ("great_white-shark", 2), ("Great  White Shark ", 2), ("ice cream", 4), ("jack_o_lantern", 5), ("5", 5),
        ("005", 5), ("crane (3)", 3), ("crane (6)", 6), ("crane", None), ("7", None), ("shark", None), ("", None),
        ("-1", None), ("²", None),
    ],
)  # fmt: skip
def test_a_class_is_found_by_whatever_it_is_called(word: str, index: int | None) -> None:
    assert Classes(FEW).find(word).index == index
    assert Classes(distinct(FEW)).find(word).index == index, "told apart for the page, and called as before"


def test_a_name_comes_before_an_index() -> None:
    assert Classes(("3", "2", "1", "0")).find("3").index == 0
    assert Classes(("Crane", "crane")).find("crane").index == 1, "exactly so"
    assert Classes(("Crane", "crane")).find("CRANE").indices == (0, 1)


def test_two_classes_of_one_name_are_told_apart() -> None:
    assert distinct(("crane", "cat", "crane")) == ("crane (0)", "cat", "crane (2)")
    assert distinct(("a", "b")) == ("a", "b")
    awkward = ("a", "a", "a (0)", "a (1)")
    assert len(set(distinct(awkward))) == 4
    names = distinct(FEW)
    with pytest.raises(BadRequest, match="2 classes are called 'crane': 3, 6"):
        find_class("crane", names)
    with pytest.raises(UnknownName):
        find_class("krane (3)", ("crane", "cat"))


def test_imagenet_is_known_by_its_ids_whatever_its_names_are() -> None:
    ids = imagenet_ids()
    assert len(ids) == 1000 and list(ids) == sorted(set(ids))
    known = {"n01440764": "tench", "n02123045": "tabby", "n02279972": "monarch", "n04254680": "soccer ball"}
    for word, name in known.items():
        assert IMAGENET[present(Classes(IMAGENET).find(word).index)] == name
    unnamed = Classes([f"class {index}" for index in range(1000)])
    assert unnamed.find("n02123045").index == 281
    assert Classes(ids).find("tabby").index == 281, "and by its names where the ids are the names"
    longer = [f"{name}, something else" for name in IMAGENET]
    assert Classes(longer).find("n02123045").index == 281
    assert not Classes([f"bird {index}" for index in range(1000)]).find("n02123045").indices
    assert not Classes(TEN).find("n01440764").indices


def test_an_id_from_a_file_of_classes_names_its_class(tmp_path: Path) -> None:
    tree(tmp_path, "n00000002/a.png", "one/b.png")
    found = labels_in(tmp_path, ("one", "two"), aliases=(("n00000001",), ("n00000002",)))
    assert found == {"n00000002/a.png": ("two", 1), "one/b.png": ("one", 0)}
    assert find_class("n00000001", ("one", "two"), (("n00000001",), ("n00000002",))) == 0


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


def test_what_is_no_class_is_unknown_and_counted(tmp_path: Path) -> None:
    tree(tmp_path, "goldfish/a.png", "crane/b.png", "holiday/c.png", "holiday/d.png", "e.png")
    found = labels_in(tmp_path, FEW)
    assert found["goldfish/a.png"] == ("goldfish", 1)
    assert found["crane/b.png"] == ("crane", None) and found["holiday/c.png"] == ("holiday", None)
    assert found["e.png"] is None
    said = notices(tmp_path, FEW)
    assert "3 images have 2 folders that are no classes of this network, unknown" in said
    assert "'crane' may be one of 2 classes (3, 6)" in said and "1 image has no label" in said


def test_where_nothing_is_known_the_notice_says_what_was_tried(tmp_path: Path) -> None:
    tree(tmp_path, "zoo/a.png", "park/b.png")
    said = notices(tmp_path, FEW)
    assert "no folder is called like a class (park, zoo)" in said and "--labels folders" in said and ".txt list" in said
    assert set(labels_in(tmp_path, FEW).values()) == {None}
    assert set(labels_in(tmp_path, FEW, labels="folders").values()) == {("zoo", None), ("park", None)}


def test_the_folder_that_is_given_may_be_a_class(tmp_path: Path) -> None:
    tree(tmp_path, "goldfish/a.png", "tench/b.png")
    assert labels_in(tmp_path / "goldfish", FEW) == {"a.png": ("goldfish", 1)}
    both = labeled(find_images([tmp_path / "goldfish", tmp_path / "tench"]), FEW)
    assert [(item.name, present(item.label).index) for item in both] == [("goldfish/a.png", 1), ("tench/b.png", 0)]


LINES = """path label
a.png\t1
my dog 1.png great white shark
my dog 1.png\tcrane (3)
b, c.png,tench, Tinca tinca
a.png,goldfish
"b, c.png",2
# a comment
a.png goldfish|ice cream|unheard of
gone.png 3
a.png
sub/a.png n01443537
"""


def test_lists_are_split_where_a_file_is_left(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "my", "my dog 1.png", "b, c.png", "sub/a.png")
    (tmp_path / "list.txt").write_bytes(LINES.replace("\n", "\r\n").encode("utf-8-sig"))
    found = labeled(find_images([tmp_path / "list.txt"]), FEW)
    assert [(item.name, [label.index for label in item.labels]) for item in found] == [
        ("a.png", [1]), ("my dog 1.png", [2]), ("my dog 1.png", [3]), ("b, c.png", [0]), ("a.png", [1]),
        ("b, c.png", [2]), ("a.png", [1, 4, None]), ("gone.png", [3]), ("a.png", []), ("sub/a.png", [None]),
    ]  # fmt: skip
    said = " ".join(found.notices)
    assert "Line 1 of list.txt is its header." in said and "unheard of" in said and "2 labels that are no" in said
    assert "in the set again" in said


def test_tables_have_columns_of_paths_and_labels(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png")
    (tmp_path / "t.csv").write_text('id;Label;file_name\n7;"goldfish";a.png\n8;2;b.png\n')
    (tmp_path / "t.tsv").write_text("image\tclass\na.png\tgoldfish\nb.png\t2\n")
    (tmp_path / "plain.csv").write_text("a.png,goldfish\nb.png,2\n")
    for name in ("t.csv", "t.tsv", "plain.csv"):
        found = labeled(find_images([tmp_path / name]), FEW)
        assert [(item.name, present(item.label).index) for item in found] == [("a.png", 1), ("b.png", 2)], name
    (tmp_path / "short.csv").write_text("image_id,class\na,1\nb,2\n")
    found = labeled(find_images([tmp_path / "short.csv"]), FEW)
    assert [(item.name, present(item.label).index) for item in found] == [("a.png", 1), ("b.png", 2)], (
        "endings left out"
    )
    (tmp_path / "many.csv").write_text("image,goldfish,tench,crane (3)\na.png,1,0,1\nb.png,0,0,0\n")
    found = labeled(find_images([tmp_path / "many.csv"]), FEW)
    assert [[label.index for label in item.labels] for item in found] == [[1, 3], []]
    assert "many.csv names images: give it as IMAGES" in notices(tmp_path, FEW)


def test_a_list_without_labels_has_those_of_the_folders_in_it(tmp_path: Path) -> None:
    tree(tmp_path, "goldfish/a.png", "other/b.png")
    (tmp_path / "list.txt").write_text("goldfish/a.png\nother/b.png\n")
    found = labeled(find_images([tmp_path / "list.txt"]), FEW)
    assert [present(item.label).index for item in found] == [1, None]


def test_labels_that_count_from_one_are_noticed(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png", "c.png")
    (tmp_path / "list.txt").write_text("a.png 1\nb.png 2\nc.png 3\n")
    found = labeled(find_images([tmp_path / "list.txt"]), TEN[:3])
    assert [present(item.label).index for item in found] == [1, 2, None]
    assert "Indices count from 0, to 2." in " ".join(found.notices)


def test_where_no_label_was_offered_there_is_nothing_to_say(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png", "c.png")
    assert notices(tmp_path, FEW) == ""
    (tmp_path / "list.txt").write_text("a.png\tunicorn\nb.png\tphoenix\n")
    said = notices(tmp_path / "list.txt", FEW)
    assert "2 images have 2 labels that are no classes" in said and "what the list gives is no class" in said


def test_a_regression_has_no_label_to_miss(tmp_path: Path) -> None:
    tree(tmp_path, "zoo/a.png", "park/b.png")
    found = labeled(find_images([tmp_path]), FEW)
    found = replace(found, notices=("12 bits.", *found.notices))
    classes, value = (Scores(kind, Quantity.LOGIT, "") for kind in (ScoreKind.SOFTMAX, ScoreKind.VALUE))
    assert len(found.notices) == 2 and images_of(found, classes, FEW).notices == found.notices
    assert images_of(found, value, FEW).notices == ("12 bits.",)


def test_folders_in_order_and_predictions_have_one_name(tmp_path: Path) -> None:
    """So that a label and a prediction of one class are one row and one column of the confusions."""
    tree(tmp_path, "benign/a.png", "malignant/b.png", "loose.png")
    (tmp_path / "names.txt").write_text("healthy\nill\n")
    given: dict[str, Any] = {
        "model": "tests.data.test_labels:reddish",
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


def test_letters_and_accents_may_be_stored_apart(tmp_path: Path) -> None:
    tree(tmp_path, "E\u0301cole/a.png")
    assert labels_in(tmp_path, ("mairie", "\u00e9cole")) == {"E\u0301cole/a.png": ("\u00e9cole", 1)}


@pytest.mark.parametrize(
    ("text", "indices"),
    [
        ("goldfish|5", [1, 5]), ("['goldfish', 'ice-cream']", [1, 4]), ("[1, 4]", [1, 4]), ("1 4", [1, 4]),
        ("goldfish;2", [1, 2]), ("goldfish ice-cream", [1, 4]), ("goldfish, 2", [1, 2]), ("2.0", [2]),
        ("tench, Tinca tinca", [0]), ("great white shark", [2]), ("great shark", [None]), ("1.5", [None]),
        ("goldfish, unheard of", [1]), ("crane", [None]), ("[goldfish", [None]), ("zebra|yak", [None, None]),
    ],
)  # fmt: skip
def test_several_labels_in_any_form(text: str, indices: list[int | None]) -> None:
    assert [label.index for label in labels_of(text, Classes(FEW))] == indices


def test_numbers_in_a_list_are_said_to_be_indices(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png", "c.png")
    said = []
    for first in (0, 1):
        lines = (f"{name}.png {number}" for number, name in enumerate("abc", start=first))
        (tmp_path / "list.txt").write_text("\n".join(lines))
        said.append(" ".join(labeled(find_images([tmp_path / "list.txt"]), TEN).notices))
    assert "by their index, from 0: 0, 1, 2." in said[0] and "may count from 1" not in said[0]
    assert "by their index, from 0: 1, 2, 3. These may count from 1; the network's count from 0 to 9." in said[1]


def test_images_with_several_unknown_labels_are_counted_once(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png")
    (tmp_path / "list.txt").write_text("a.png zebra|yak\nb.png goldfish\n")
    said = " ".join(labeled(find_images([tmp_path / "list.txt"]), FEW).notices)
    assert "1 image has 2 labels that are no classes" in said


def test_paths_that_were_written_on_windows(tmp_path: Path) -> None:
    tree(tmp_path, "in/a b.png", "in/deep/c.png")
    (tmp_path / "list.txt").write_bytes(b"\xef\xbb\xbfin\\a b.png goldfish\r\nin\\deep\\c.png\t2\r\n")
    found = labeled(find_images([tmp_path / "list.txt"]), FEW)
    assert [(item.name, present(item.label).index) for item in found] == [("in/a b.png", 1), ("in/deep/c.png", 2)]
    assert [item.open().size for item in found] == [(4, 4)] * 2


def test_tables_of_flags_have_other_columns_too(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png", "c.png")
    rows = ("Path,Sex,goldfish,ice-cream", "a.png,F,1.0,", "b.png,M,-1.0,1", "c.png,M,,0.0")
    (tmp_path / "t.csv").write_text("\n".join(rows))
    found = labeled(find_images([tmp_path / "t.csv"]), FEW)
    assert [[label.index for label in item.labels] for item in found] == [[1], [4], []]
    assert [item.bare for item in found] == [False, False, True]
    tree(tmp_path, "goldfish/d.png")
    (tmp_path / "none.csv").write_text("image,goldfish,ice-cream\ngoldfish/d.png,0,0\na.png,1,1\n")
    nothing = labeled(find_images([tmp_path / "none.csv"]), FEW).items[0]
    assert (nothing.bare, nothing.labels) == (True, ()), "the table counts, not the folder"
    assert found.notices == (
        "t.csv: each of its columns but Path, Sex is a label where it holds 1, and -1 (uncertain) counts as 0.",
    )
    told = images_of(found, Scores(ScoreKind.SOFTMAX, Quantity.LOGIT, ""), FEW).notices
    assert told[-1].startswith("1 image bears none of the table's labels, which counts where they don't exclude")
    assert images_of(found, Scores(ScoreKind.SIGMOID, Quantity.LOGIT, ""), FEW) is found


@pytest.mark.parametrize(("no", "yes"), [("neg", "Pos"), ("False", "True"), ("no", "yes"), ("negative", "positive")])
def test_a_binary_network_without_names_knows_yes_and_no(tmp_path: Path, no: str, yes: str) -> None:
    tree(tmp_path, f"{no}/a.png", f"{yes}/b.png")
    found = labeled(find_images([tmp_path]), ("negative", "positive"))
    assert {Path(item.name).name: present(item.label).index for item in found} == {"a.png": 0, "b.png": 1}
    assert set(labels_in(tmp_path, ("sound", "broken")).values()) == {None}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("cat/a.png", "dog/b.png", "zebra/c.png"), "labels: known for 2 of 3 images"),
        (("a.png", "b.png"), "labels: none known; sub-folders called like classes"),
    ],
    ids=["folders", "none"],
)
def test_the_plan_says_how_many_images_have_a_label_and_else_how_to_give_them(
    names: Sequence[str], said: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "pictures" / name)
    (tmp_path / "names.txt").write_text("\n".join(["cat", "dog", *"abcdefgh"]))
    words = ("run", "tests.factories:bright", tmp_path / "pictures", "--class-names", tmp_path / "names.txt")
    told = command(*words, "-m", "gradient", "-c", "top:1", "-o", tmp_path / "r").stderr
    assert said in told
