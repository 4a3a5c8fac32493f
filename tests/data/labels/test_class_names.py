"""Labels of folders: by name, synonym, id and index; what is no class is unknown, and said."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from torchvision.models import ResNet18_Weights

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.labels.class_names import Classes, distinct, find_class, imagenet_ids
from cnnvis_report.data.split_names import in_split
from cnnvis_report.data.tables.columns import find_columns
from cnnvis_report.data.tables.table import Table
from cnnvis_report.engine.outputs.scores import Scores
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.pipeline.explaining.targets import images_of
from cnnvis_report.records.scores import Quantity, ScoreKind
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


ALIKE = ("Tabby Cat", "tabby_cat", "tabby-cat", " tabby  cat", "TABBY, CAT", "tabby cat")
SHARP = ("Stra\u00dfe 5", "STRASSE-5", "strasse_5")
UMLAUT = ("Gr\u00fcner Papagei", "Gru\u0308ner_Papagei", "GR\u00dcNER-PAPAGEI", "GRU\u0308NER PAPAGEI")


@pytest.mark.parametrize("names", [ALIKE, UMLAUT, SHARP, ("n02123045", "N02123045")])
def test_classes_columns_and_parts_are_called_alike_by_one_rule(names: Sequence[str]) -> None:
    for name in names:
        assert Classes(("dog", names[0])).find(name).index == 1
        assert find_class(name, (name[::-1], *names[1:2])) == 1
        table = Table("all.csv", ("file", "x", names[0]), [[("1.png",), ("0",), ("1",)]])
        assert find_columns(table, (name,), bool).labels == (2,)
        assert in_split(name, names[0])


@pytest.mark.parametrize("name", ["-1", "-1.0", "grade -1", "grade_-1"])
def test_the_sign_of_a_number_is_part_of_a_name(name: str) -> None:
    without = name.replace("-", "")
    assert Classes(("dog", without, "0")).find(name).indices == ()
    assert Classes(("dog", without, name)).find(name.replace(" ", "_").upper()).index == 2
    assert Classes(("grade 1", "5-10")).find("grade-1").index == 0
    assert Classes(("grade 1", "5-10")).find("5_10").index == 1


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
    assert "no folder is called like a class (park, zoo)" in said
    assert "--labels folders" in said and "a table or a list" in said
    assert set(labels_in(tmp_path, FEW).values()) == {None}
    assert set(labels_in(tmp_path, FEW, labels="folders").values()) == {("zoo", None), ("park", None)}


def test_the_folder_that_is_given_may_be_a_class(tmp_path: Path) -> None:
    tree(tmp_path, "goldfish/a.png", "tench/b.png")
    assert labels_in(tmp_path / "goldfish", FEW) == {"a.png": ("goldfish", 1)}
    both = labeled(find_images([tmp_path / "goldfish", tmp_path / "tench"]), FEW)
    assert [(item.name, present(item.label).index) for item in both] == [("goldfish/a.png", 1), ("tench/b.png", 0)]


def test_a_regression_has_no_label_to_miss(tmp_path: Path) -> None:
    tree(tmp_path, "zoo/a.png", "park/b.png")
    found = labeled(find_images([tmp_path]), FEW)
    found = replace(found, notices=("12 bits.", *found.notices))
    classes, value = (Scores(kind, Quantity.LOGIT, "") for kind in (ScoreKind.SOFTMAX, ScoreKind.VALUE))
    assert len(found.notices) == 2 and images_of(found, classes, FEW).notices == found.notices
    assert images_of(found, value, FEW).notices == ("12 bits.",)


def test_letters_and_accents_may_be_stored_apart(tmp_path: Path) -> None:
    tree(tmp_path, "E\u0301cole/a.png")
    assert labels_in(tmp_path, ("mairie", "\u00e9cole")) == {"E\u0301cole/a.png": ("\u00e9cole", 1)}


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


def test_labels_of_a_list_that_are_no_classes_say_what_the_classes_are_called(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("file,label\na.png,sick\n")
    words = ("run", "tests.factories:bright", tmp_path, "--labels", tmp_path / "t.csv", "-m", "gradient", "-c", "top:1")
    said = command(*words, "-o", tmp_path / "r").stderr
    assert "labels: none known: what they are called is no class; --class-names FILE names the classes" in said
    assert "Its classes are called class 0, class 1, class 2, class 3 and 6 more; --class-names FILE calls them" in said
    names = command(*words, "-o", tmp_path / "r", "--class-names", "well,sick", code=2).stderr
    assert "well,sick: can't be read as a list of class names (there is no such file)" in names
    assert "a file with a name a line" in names
