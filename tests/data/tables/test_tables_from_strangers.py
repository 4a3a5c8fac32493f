"""Tables that cost, or contradict themselves, are refused in a line."""

import json
import os
from pathlib import Path

import pytest

from cnnvis_report.data.collection import Selection
from cnnvis_report.data.discovery.dataset_json import FORMAT, listed_files, read_description
from cnnvis_report.data.image_file import several
from cnnvis_report.data.tables.label_file import read_label_file
from cnnvis_report.data.tables.text_tables import read_text
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.folder_config import read_config
from tests.robustness.damage import peak

SCATTERED = [{f"k{number}": 1} for number in range(9_000)]


def refused(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadRequest) as error:
        read_label_file(path, Selection("", ()), lambda _: True)
    assert len(str(error.value)) < 1000
    return str(error.value)


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("pairs.json", '{"a.png": "cat", "a.png": "dog"}', "'a.png' is there twice"),
        ("rows.json", '[{"file": "a.png", "label": "cat", "label": "dog"}]', "'label' is there twice"),
        ("rows.jsonl", '{"file": "a.png", "label": "cat", "label": "dog"}', "line 1: 'label' is there twice"),
    ],
)
def test_a_key_with_two_values_is_refused_and_no_label_lost(file: str, text: str, what: str, tmp_path: Path) -> None:
    assert what in refused(tmp_path / file, text)
    (tmp_path / file).write_text(text.replace("dog", "cat"))
    rows = read_label_file(tmp_path / file, Selection("", ()), lambda _: True).rows
    assert [(row.path, row.labels) for row in rows] == [("a.png", ("cat",))]


@pytest.mark.parametrize(
    ("head", "named"),
    [("file,label,label", "2 and 3 are both called 'label'"), ("file,label,Label", "2 and 3 are both called 'label'")],
)
def test_two_columns_of_a_name_are_refused_where_they_say_different_things(
    head: str, named: str, tmp_path: Path
) -> None:
    said = refused(tmp_path / "a.csv", f"{head}\na.png,cat,cat\nb.png,cat,dog\n")
    assert f"{named}, and row 2 of one holds 'cat', of the other 'dog'" in said
    (tmp_path / "a.csv").write_text(f"{head}\na.png,cat,cat\nb.png,dog,dog\n")
    rows = read_label_file(tmp_path / "a.csv", Selection("", ()), lambda _: True).rows
    assert [row.labels for row in rows] == [("cat",), ("dog",)]


def test_columns_that_case_tells_apart_are_taken_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("file,label,Label\na.png,cat,dog\n")
    rows = read_label_file(tmp_path / "a.csv", Selection("", ("Label",)), lambda _: True).rows
    assert [row.labels for row in rows] == [("dog",)]


def test_some_kilobytes_are_no_gigabytes_of_empty_cells(tmp_path: Path) -> None:
    assert "9,000 different keys" in refused(tmp_path / "a.json", json.dumps(SCATTERED))
    assert "9,000 different keys" in refused(tmp_path / "a.jsonl", "\n".join(map(json.dumps, SCATTERED)))
    wide = "file," + ",".join(f"c{number}" for number in range(20_000)) + "\na.png,1\n"
    assert "20,001 cells" in refused(tmp_path / "a.csv", wide)


@pytest.mark.parametrize("mark", [b"", b"\xff\xfe"])
def test_a_file_that_takes_no_room_on_the_disk_takes_none_in_memory(mark: bytes, tmp_path: Path) -> None:
    path = tmp_path / "dataset.json"
    path.write_bytes(mark)
    os.truncate(path, 500 << 20)
    before = peak()
    with pytest.raises(BadRequest, match=r"no text|more than"):
        read_text(path, "a table of labels", 1 << 29 if not mark else 1 << 27)
    assert read_description(tmp_path) is None
    assert peak() - before < 100


def test_a_pipe_in_the_place_of_a_configuration_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(BadRequest, match="no regular file"):
        read_config(tmp_path)


def test_the_list_of_a_drawn_set_names_no_files_of_others(tmp_path: Path) -> None:
    for name in ("mine.txt", "images/mine.txt", "images/cross/mine.png", "images/cross/01.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    listed = ["mine.txt", "images/mine.txt", "images/cross/mine.png", "images/cross/01.png", "images/../mine.txt"]
    assert listed_files(tmp_path, {"format": FORMAT, "files": listed}) == ["images/cross/01.png"]


def test_names_that_go_on_and_on_are_cut_where_they_are_listed() -> None:
    assert several(["a" * 100_000, "b"]).endswith("… (100000 characters), b")
    assert len(several(["a" * 100_000] * 9)) < 1000
