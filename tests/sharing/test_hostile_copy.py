"""A copy goes into a folder that may be a stranger's: only a copy's files in it change, and nothing outside."""

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import command


def listed(folder: Path, *names: str) -> None:
    """A list of a copy's files, as somebody else wrote it."""
    folder.mkdir(exist_ok=True)
    content = {"format": "cnnvis-report-share/1", "files": ["share.json", *names]}
    (folder / "share.json").write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("inner", ["images", "assets", "arrays", "stills"])
def test_no_link_in_the_folder_of_a_copy_is_followed(small: Path, tmp_path: Path, inner: str) -> None:
    copy, elsewhere = tmp_path / "anonymous-report", tmp_path / "elsewhere"
    listed(copy, inner, f"{inner}/precious.txt")
    elsewhere.mkdir()
    (elsewhere / "precious.txt").write_text("mine", encoding="utf-8")
    (copy / inner).symlink_to(elsewhere)
    result = command("render", small, "--anonymous", code=2)
    assert f"holds {inner}, which isn't of an earlier copy" in result.output
    assert [path.name for path in elsewhere.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    "name", ["thesis.txt", "notes.html", "arrays/mine.npy", "images/../thesis.txt", "../thesis.txt"]
)
def test_what_a_list_of_somebody_s_calls_ours_is_no_copy(small: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "anonymous-report"
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / "images").mkdir(exist_ok=True)
    (copy / name).write_text("mine", encoding="utf-8")
    listed(copy, name)
    command("render", small, "--anonymous", code=2 if ".." not in Path(name).parts[:1] else 0)
    assert (copy / name).read_text(encoding="utf-8") == "mine"


def test_a_copy_over_a_copy_leaves_no_file_of_the_earlier_one(small: Path, tmp_path: Path) -> None:
    command("render", small, "--anonymous")
    copy = tmp_path / "anonymous-report"
    files = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    shutil.copy(copy / "index.html", copy / "images" / "of-before.html")
    content = json.loads((copy / "share.json").read_text(encoding="utf-8"))
    listed(copy, *content["files"], "images/of-before.html")
    command("render", small, "--anonymous")
    assert {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()} == files


def test_an_export_that_fails_leaves_nothing(small: Path, tmp_path: Path) -> None:
    last = max((small / "arrays").iterdir())
    last.write_bytes(last.read_bytes()[:-1] + b"x")
    assert "isn't what the run has written there" in command("export", small, "-o", tmp_path / "maps", code=2).output
    assert not (tmp_path / "maps").exists()
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / ".lock").write_text("", encoding="utf-8")  # as a killed one leaves it
    command("render", small, "--repair")
    command("export", small, "-o", tmp_path / "maps")
    assert not (tmp_path / "maps" / ".lock").exists()
