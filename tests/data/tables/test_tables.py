"""Tables as IMAGES: columns, separators, several labels, splits, and what can't be had."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnvis_report.data.collection import Selection
from cnnvis_report.data.tables.delimited import table_of_text
from cnnvis_report.data.tables.json_table import table_of_json
from cnnvis_report.data.tables.label_rows import label_rows
from cnnvis_report.errors import BadRequest, CnnVisError, UnknownName
from tests.data.labels.test_class_names import tree
from tests.data.tables.label_tables import CLASSES, indices, notices, opened, opener_of, write
from tests.narrow import present

SAME = {"a.png": [0], "sub/b.png": [1]}
ROWS = [{"file": "a.png", "label": "cat"}, {"file": "sub/b.png", "label": "dog"}]
FORMS = {
    "commas.csv": "file,label\na.png,cat\nsub/b.png,dog\n",
    "semicolons.csv": "id;image_path;Class\n7;a.png;0\n8;sub/b.png;1\n",
    "tabs.csv": "path\ttarget\na.png\tcat\nsub/b.png\tdog\n",
    "bars.csv": "path|target\na.png|cat\nsub/b.png|dog\n",
    "quoted.tsv": '"photo"\t"label"\n"a.png"\t"cat"\n"sub/b.png"\t"dog"\n',
    "no-header.csv": "a.png,cat\nsub/b.png,dog\n",
    "label-first.csv": "cat,a.png\ndog,sub/b.png\n",
    "a-name-among-notes.csv": "x1,x2,label\nc.png,a.png,cat\n-,sub/b.png,dog\n-,sub/b.png,dog\n",
    "odd-names.csv": "x1,x2\na.png,cat\nsub/b.png,dog\n",
    "no-endings.csv": "image_id,label\na,cat\nsub/b,dog\n",
    "windows.csv": "file,label\r\na.png,cat\r\nsub\\b.png,dog\r\n",
    "floats.csv": "file,label\na.png,0.0\nsub/b.png,1.0\n",
    "lines.jsonl": "\n".join(map(json.dumps, ROWS)),
    "lists.jsonl": '{"file_name": "a.png", "label": ["cat"]}\n\n{"file_name": "sub/b.png", "label": [1]}\n',
    "objects.json": json.dumps(ROWS),
    "columns.json": json.dumps({"file": ["a.png", "sub/b.png"], "label": ["cat", "dog"]}),
    "by-path.json": json.dumps({"a.png": "cat", "sub/b.png": 1}),
    "pairs.json": json.dumps({"labels": [["a.png", 0], ["sub/b.png", 1]]}),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tree(tmp_path, "a.png", "sub/b.png", "c.png")


@pytest.mark.parametrize("name", FORMS)
def test_one_table_in_every_form(folder: Path, name: str) -> None:
    assert indices(opened(write(folder / name, FORMS[name]))) == SAME


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        pytest.param("file,label\na.png,cat|dog\nc.png,bird\n", (), [[0, 1], [2]], id="bars"),
        pytest.param("file,label\na.png,cat\na.png,dog\nc.png,bird\n", (), [[0, 1], [2]], id="rows of one image"),
        pytest.param("file,cat,dog,note\na.png,1,1,x\nc.png,0,0,y\n", (), [[0, 1], []], id="columns of 0 and 1"),
        pytest.param(
            "file,cat,dog\na.png,True,False\nc.png,False,True\n", (), [[0], [1]], id="columns of truth values"
        ),
        pytest.param("file,one,two\na.png,cat,dog\nc.png,bird,\n", ("one", "Two"), [[0, 1], [2]], id="columns by name"),
        pytest.param("file,label,kind\na.png,x,dog\nc.png,x,cat\n", ("kind",), [[1], [0]], id="one column by name"),
        pytest.param(
            "file,cat,dog\na.png,1,0\nc.png,0,1\n", ("dog", "cat"), [[0], [1]], id="columns of 0 and 1 by name"
        ),
    ],
)
def test_several_labels(folder: Path, text: str, columns: tuple[str, ...], expected: list[list[int]]) -> None:
    images = opened(write(folder / "labels.csv", text), columns=columns)
    assert sorted(sorted(present(index) for index in labels) for labels in indices(images).values()) == sorted(
        map(sorted, expected)
    )


def test_rows_of_one_image_are_counted(folder: Path) -> None:
    images = opened(write(folder / "t.csv", "file,label\na.png,cat\na.png,dog\nc.png,cat\nc.png,cat\n,dog\n"))
    said = notices(images)
    assert "t.csv: 1 image is named in several rows, and bears the labels of all of them." in said
    assert "t.csv: 1 row without a path." in said and len(images) == 2


@pytest.mark.parametrize(
    ("column", "values", "split", "expected"),
    [
        ("split", ("train", "val", "val"), "val", ["sub/b.png", "c.png"]),
        ("Subset", ("training", "validation", "test"), "val", ["sub/b.png"]),
        ("fold", ("0", "1", "0"), "0", ["a.png", "c.png"]),
        ("is_valid", ("False", "True", "1"), "valid", ["sub/b.png", "c.png"]),
        ("is_valid", ("False", "True", "1"), "train", ["a.png"]),
        ("is_test", ("0", "0", "1"), "test", ["c.png"]),
    ],
)
def test_a_split_is_taken(folder: Path, column: str, values: tuple[str, ...], split: str, expected: list[str]) -> None:
    rows = [f"{name},cat,{value}" for name, value in zip(("a.png", "sub/b.png", "c.png"), values, strict=True)]
    table = write(folder / "t.csv", "\n".join([f"file,label,{column}", *rows]))
    images = opened(table, split)
    assert list(indices(images)) == expected
    assert f"{len(expected)} of 3 rows are of split {split!r}" in notices(images)
    everything = opened(table)
    assert len(everything) == 3 and "all are taken, and --split takes one" in notices(everything)


@pytest.mark.parametrize(
    ("name", "text", "split", "columns", "message"),
    [
        ("t.csv", "file,split\na.png,train\n", "val", (), r"t\.csv has no such part\. Its parts are train \(1\)"),
        ("t.csv", "file,label\na.png,cat\n", "val", (), r"no column of that, such as split"),
        ("t.csv", "file,label\na.png,cat\n", "", ("lable",), r"Did you mean 'label'"),
        ("t.csv", "a.png,cat\n", "", ("label",), r"has no line that names its columns"),
        (
            "t.csv",
            "breed,weight\ncat,4\ndog,20\n",
            "",
            (),
            r"no column holds paths of images\. Its first line is b",
        ),
        (
            "t.csv",
            "file,label\nx.png,cat\ny.png,dog\n",
            "",
            (),
            r"none of the 2 files that it names is there, .* x\.png",
        ),
        ("t.jsonl", '{"file": "a.png"}\n[1]\n', "", (), r"t\.jsonl: line 2 is no JSON object"),
        ("t.json", '{"a": 1}', "", (), r"no table of images and labels\. Possible are"),
        ("t.json", '{"a": ', "", (), r"it is no JSON"),
        ("t.json", "[" * 100_000, "", (), r"it is no JSON"),
        ("t.csv", "\0\1\2", "", (), r"it is no text"),
        ("t.csv", "file,label\n" + "x" * (1 << 21), "", (), r"line 2 has 2097152 characters"),
        ("t.csv", "file,label\n", "", (), r"t\.csv has no rows"),
    ],
)
def test_what_is_no_table_is_one_line(
    folder: Path, name: str, text: str, split: str, columns: tuple[str, ...], message: str
) -> None:
    with pytest.raises(BadRequest, match=message) as caught:
        opened(write(folder / name, text), split, columns)
    assert "\n" not in str(caught.value)


def test_what_leaves_the_table_is_skipped(tmp_path: Path) -> None:
    tree(tmp_path, "set/a.png", "set/in/b.png", "other/c.png")
    inside = f"in/../../{tmp_path.name}/x"
    names = (
        "a.png",
        "in/../a.png",
        "../other/c.png",
        f"{tmp_path}/other/c.png",
        "gone.png",
        "http://x.org/a.png",
        inside,
    )
    images = opened(write(tmp_path / "set/t.csv", "file\n" + "\n".join(names)))
    assert [file.name for file in images] == ["a.png", "c.png"], "each once, an absolute path by its name alone"
    assert {(entry.name, entry.reason) for entry in images.skipped} >= {
        ("c.png", "a path that leaves the table's folder"),
        ("gone.png", "there is no such file"),
        ("http:/x.org/a.png", "an address in a table, and nothing is fetched"),
    }
    assert "t.csv: 1 image that it names can't be had (there is no such file): gone.png." in notices(images)


def test_many_missing_files_are_counted_and_not_all_listed(folder: Path) -> None:
    rows = "\n".join(f"no-{number}.png,cat" for number in range(5000))
    images = opened(write(folder / "t.csv", f"file,label\na.png,cat\n{rows}\n"))
    assert "5,000 images that it names can't be had" in notices(images)
    assert len(images) == 1 and len(images.skipped) == 100


def test_a_column_of_numbers_that_are_no_classes(folder: Path) -> None:
    images = opened(write(folder / "t.csv", "file,label\na.png,17\nsub/b.png,2\n"))
    assert indices(images) == {"a.png": [None], "sub/b.png": [2]}
    assert "1 image has a label that is no class of this network, unknown and neither right nor wrong: 17" in notices(
        images
    )


def test_each_form_has_its_collection(folder: Path) -> None:
    assert [opener_of(write(folder / name, "x")) for name in ("a.txt", "a.csv", "a.jsonl", "a.json")] == [
        "image_list", "image_table", "image_table", "json_annotations",
    ]  # fmt: skip
    assert opener_of(folder / "none.csv") == ""


def test_solutions_of_imagenet_have_ids_and_boxes(folder: Path) -> None:
    text = "ImageId,PredictionString\na,n01440764 1 2 3 4 \nc,n01443537 0 0 9 9 n01440764 5 5 6 6\n"
    images = opened(write(folder / "LOC_val_solution.csv", text))
    assert {image.name: image.labels for image in images} == {
        "a.png": ("n01440764",), "c.png": ("n01443537", "n01440764"),
    }  # fmt: skip


CELLS = st.text(alphabet=st.sampled_from("ab.png,;\t|\"'\n\r/\\0 1é"), max_size=60)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(CELLS, st.sampled_from([".csv", ".tsv"]))
def test_no_text_is_more_than_a_message(text: str, suffix: str) -> None:
    try:
        label_rows(table_of_text(text, "t", suffix), Selection(), CLASSES.__contains__)
    except CnnVisError as error:
        assert "\n" not in str(error)


KEYS = st.sampled_from(["file", "label", "labels", "images", "a.png"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["a.png", "label", "file", "images", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(VALUES)
def test_no_json_is_more_than_a_message(content: object) -> None:
    try:
        label_rows(table_of_json(content, "t"), Selection(), CLASSES.__contains__)
    except CnnVisError as error:
        assert "\n" not in str(error)


def test_unknown_columns_are_named(folder: Path) -> None:
    with pytest.raises(UnknownName, match="Known: file, label"):
        opened(write(folder / "t.csv", "file,label\na.png,cat\n"), columns=("breed",))
