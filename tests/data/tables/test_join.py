"""Labels of a file, joined to images that are elsewhere."""

from pathlib import Path

import pytest

from cnnvis_report import create_report
from cnnvis_report.errors import BadRequest
from tests.conftest import command
from tests.data.labels.test_class_names import tree
from tests.data.tables.label_tables import by_file, indices, notices, opened, opener_of, write
from tests.factories import tiny
from tests.narrow import present


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(("x/a.png", "y/b.png"), id="relative paths"),
        pytest.param(("a.png", "b.png"), id="names alone"),
        pytest.param(("photos/x/a.png", "photos/y/b.png"), id="other folders"),
        pytest.param(("a", "b"), id="stems"),
        pytest.param(("a.tif", "b.jpeg"), id="other endings"),
        pytest.param(("x\\a.png", "y\\b.png"), id="of Windows"),
    ],
)
def test_rows_and_images_are_joined_by_their_names(tmp_path: Path, names: tuple[str, str]) -> None:
    images = tree(tmp_path / "images", "x/a.png", "y/b.png")
    table = write(tmp_path / "t.csv", f"file,label\n{names[0]},cat\n{names[1]},dog\n")
    assert indices(by_file(images, table)) == {"x/a.png": [0], "y/b.png": [1]}


def test_what_does_not_fit_is_counted(tmp_path: Path) -> None:
    images = tree(tmp_path / "images", "x/a.png", "y/a.png", "b.png", "rest.png")
    joined = by_file(images, write(tmp_path / "t.csv", "file,label\nx/a.png,cat\nb.png,dog\ngone.png,cat\nc.png,dog\n"))
    assert indices(joined) == {"b.png": [1], "rest.png": [], "x/a.png": [0], "y/a.png": []}
    said = notices(joined)
    assert "t.csv: 2 rows are of no image of the set: gone.png, c.png." in said
    assert "t.csv: 2 images are not in it: rest.png, y/a.png." in said


def test_a_name_of_two_images_is_neither(tmp_path: Path) -> None:
    images = tree(tmp_path / "images", "x/a.png", "y/a.png", "b.png")
    assert indices(by_file(images, write(tmp_path / "t.csv", "file,label\na.png,cat\nb.png,dog\n"))) == {
        "b.png": [1], "x/a.png": [], "y/a.png": [],
    }  # fmt: skip


def test_a_name_of_two_rows_is_neither(tmp_path: Path) -> None:
    images = tree(tmp_path / "images", "a.png", "b.png")
    joined = by_file(images, write(tmp_path / "t.csv", "file,label\nx/a.png,cat\ny/a.png,dog\nx/b.png,dog\n"))
    assert indices(joined) == {"a.png": [], "b.png": [1]}


@pytest.mark.parametrize(
    ("names", "rows", "labels"),
    [
        (("x/a.png", "y/a.png"), "x/a.png,cat\na.png,dog\n", {"x/a.png": [0], "y/a.png": []}),
        (("a.png", "z/a.jpg"), "a.png,cat\na,dog\n", {"a.png": [0], "z/a.jpg": []}),
        (("x/a.png",), "x/a.png,cat\na.png,dog\n", {"x/a.png": [0]}),
    ],
    ids=["folders", "endings", "rows"],
)
def test_what_a_narrower_name_has_left_is_no_match(
    tmp_path: Path, names: tuple[str, ...], rows: str, labels: dict[str, list[int]]
) -> None:
    images = tree(tmp_path / "images", *names)
    joined = by_file(images, write(tmp_path / "t.csv", "file,label\n" + rows))
    assert indices(joined) == labels
    assert "1 row is of no image of the set" in notices(joined)


def test_of_a_split_only_its_images_are_taken(tmp_path: Path) -> None:
    images = tree(tmp_path / "images", "a.png", "b.png", "c.png")
    table = write(tmp_path / "t.csv", "file,label,split\na.png,cat,train\nb.png,dog,val\n")
    joined = by_file(images, table, "validation")
    assert indices(joined) == {"b.png": [1]}
    assert "2 images are in none of these rows and left out: a.png, c.png" in notices(joined)


def test_lists_are_joined_too(tmp_path: Path) -> None:
    images = tree(tmp_path / "val", "V_1.png", "V_2.png")
    joined = by_file(images, write(tmp_path / "val.txt", "V_1.png 1\nV_2.png 2\n"))
    assert indices(joined) == {"V_1.png": [1], "V_2.png": [2]}
    with pytest.raises(BadRequest, match=r"val\.txt is a list of images, which has no use for --split"):
        by_file(images, tmp_path / "val.txt", "val")


def test_a_file_of_other_images_is_refused(tmp_path: Path) -> None:
    images = tree(tmp_path / "images", "a.png", "b.png")
    table = write(tmp_path / "t.csv", "file,label\nx.png,cat\n")
    with pytest.raises(BadRequest, match=r"none of its 1 rows names one of the 2 images\. It names x\.png, .* a\.png"):
        by_file(images, table)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("fodlers", "is not one of 'names', 'folders', 'indices', nor a file"),
        ("labels.pdf", "a file that ends in .csv"),
    ],
)
def test_what_labels_takes_is_said(tmp_path: Path, value: str, message: str) -> None:
    images = tree(tmp_path / "images", "a.png")
    result = command("run", "tests.factories:tiny", images, "--labels", value, "-o", tmp_path / "report", code=2)
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_the_command_reads_labels_beside_the_images(tmp_path: Path) -> None:
    images = tree(tmp_path / "images", "a.png", "b.png")
    table = write(tmp_path / "t.csv", "file,label,split\na.png,1,val\nb.png,0,train\n")
    words = ("run", "tests.factories:tiny", images, "--labels", table, "--split", "val", "-m", "gradient")
    out = command(*words, "-o", tmp_path / "report").output
    assert "labels: known for 1 of 1 image" in out and "t.csv: paths in column 'file', labels in column 'label'" in out


METADATA = '{"file_name": "a.png", "label": "cat"}\n{"file_name": "b.png", "label": "dog"}\n'


def test_a_folder_with_its_metadata(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.png", "c.png")
    write(tmp_path / "metadata.jsonl", METADATA)
    images = opened(tmp_path)
    assert opener_of(tmp_path) == "metadata_folder"
    assert indices(images) == {"a.png": [0], "b.png": [1], "c.png": []}
    assert "metadata.jsonl: 1 image is not in it: c.png." in notices(images) and "left aside" not in notices(images)


def test_a_folder_with_metadata_in_each_split(tmp_path: Path) -> None:
    tree(tmp_path, "train/a.png", "train/b.png", "validation/a.png", "validation/b.png")
    write(tmp_path / "train/metadata.jsonl", METADATA)
    write(tmp_path / "validation/metadata.csv", "file_name,label\na.png,bird\nb.png,cat\n")
    assert indices(opened(tmp_path)) == {
        "train/a.png": [0], "train/b.png": [1], "validation/a.png": [2], "validation/b.png": [0],
    }  # fmt: skip
    assert indices(opened(tmp_path, "val")) == {"validation/a.png": [2], "validation/b.png": [0]}
    with pytest.raises(BadRequest, match=r"no such part\. Its parts are train \(1\), validation \(1\)"):
        opened(tmp_path, "test")


def test_python_takes_a_file_of_labels(tmp_path: Path) -> None:
    images = tree(tmp_path / "images", "a.png", "b.png")
    table = write(tmp_path / "t.csv", "file,label\na.png,1\nb.png,0\n")
    report = create_report(tiny(), images, labels=table, methods="gradient", output=tmp_path / "report")
    labels = {name: present(report[name].record.label).index for name in ("a.png", "b.png")}
    assert labels == {"a.png": 1, "b.png": 0}


def test_a_table_among_the_images_is_not_offered_where_it_is_given(tmp_path: Path) -> None:
    images = tree(tmp_path / "images", "a.png")
    table = write(images / "t.csv", "file,label\na.png,cat\n")
    assert "t.csv names images" in notices(opened(images)) and "names images" not in notices(by_file(images, table))
