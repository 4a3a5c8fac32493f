"""Labels of lists and tables: one or several an image, by name, index or flag."""

from pathlib import Path

import pytest

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.data.labels.class_names import Classes
from cnnvis_report.data.labels.parsing import labels_in as labels_of
from cnnvis_report.engine.outputs.scores import Scores
from cnnvis_report.pipeline.explaining.targets import images_of
from cnnvis_report.records.scores import Quantity, ScoreKind
from tests.data.labels.test_class_names import FEW, TEN, notices, tree
from tests.narrow import present

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
        ("b, c.png", [2]), ("a.png", [1, 4, None]), ("a.png", []), ("sub/a.png", [None]),
    ]  # fmt: skip
    said = " ".join(found.notices)
    assert "Line 1 of list.txt is its header." in said and "unheard of" in said and "2 labels that are no" in said
    assert (
        "in the set again" in said
        and "list.txt: 1 image that it names can't be had (there is no such file): gone.png" in said
    )
    assert [(skipped.name, skipped.reason) for skipped in found.skipped] == [("gone.png", "there is no such file")]


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
    sizes = [getattr(item.open(), "size", None) for item in found]
    assert sizes == [(4, 4)] * 2


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


@pytest.mark.parametrize("text", ["[{[]: 1}]", f"[0x{'f' * 5000}, 1]", "[" + "-" * 100_000 + "1]", "[" * 100_000])
def test_what_only_looks_like_a_list_is_an_unknown_label(text: str) -> None:
    assert [label.index for label in labels_of(text, Classes(FEW))] == [None]
