"""A folder that an export fills: empty before, full afterwards, and what a killed one has left is known by its list."""

import json
from pathlib import Path

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.sharing.maps.folder import MOVING, check_folder, filling

NAMES = ("a/gradient-1.csv", "manifest.json")


def half(folder: Path, names: object = NAMES) -> Path:
    """A folder in which a program was killed when the first of two files was in its place."""
    aside = folder / ".pages-00000000"
    for name in (f"{aside.name}/{NAMES[1]}", NAMES[0]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("old", "utf-8")
    (aside / MOVING).write_text(json.dumps(names), "utf-8")
    return folder


def fill(folder: Path, *, fail: bool = False) -> None:
    with filling(folder) as aside:
        (aside / "b").mkdir()
        for name in ("b/gradient-2.csv", "manifest.json"):
            (aside / name).write_text("new", "utf-8")
        if fail:
            raise ValueError


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_a_killed_export_has_left_gives_way(tmp_path: Path) -> None:
    fill(half(tmp_path))
    assert files(tmp_path) == ["b", "b/gradient-2.csv", "manifest.json"]


def test_it_stays_empty_where_something_fails(tmp_path: Path) -> None:
    for folder in (tmp_path, half(tmp_path)):
        with pytest.raises(ValueError):
            fill(folder, fail=True)
        assert files(folder) == []


@pytest.mark.parametrize("name", ["notes.txt", "a/notes.csv", "a/b/c.csv", ".pages-0/x", "c"])
def test_a_file_that_no_list_has_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    half(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine", "utf-8")
    before = files(tmp_path)
    with pytest.raises(BadRequest, match="isn't empty"):
        fill(tmp_path)
    assert files(tmp_path) == before


@pytest.mark.parametrize("names", ["notes.csv", {"notes.csv": 1}, None, [None, [["notes.csv"]]]])
def test_a_list_that_is_none_names_nothing(tmp_path: Path, names: object) -> None:
    check_stays(half(tmp_path, names), "a/gradient-1.csv")


@pytest.mark.parametrize("name", ["notes.txt", ".hidden.csv", "a/b/notes.csv", "_a.csv", "A b/notes.csv"])
def test_a_strangers_list_names_only_what_is_called_as_exported_files_are(tmp_path: Path, name: str) -> None:
    folder = half(tmp_path, [*NAMES, name])
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("mine", "utf-8")
    check_stays(folder, name)


def test_a_strangers_list_leads_nowhere_else(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("mine", "utf-8")
    fill(half(tmp_path / "maps", [*NAMES, "../notes.csv", "a/../../notes.csv", str(tmp_path / "notes.csv")]))
    assert (tmp_path / "notes.csv").read_text("utf-8") == "mine"


def check_stays(folder: Path, name: str) -> None:
    """The folder is refused, with all that is in it."""
    before = files(folder)
    with pytest.raises(BadRequest, match="isn't empty"):
        fill(folder)
    assert name in before and files(folder) == before


def test_a_link_is_neither_followed_nor_taken_for_a_folder(tmp_path: Path) -> None:
    folder = half(tmp_path / "maps")
    (folder / "a" / "gradient-1.csv").unlink()
    (folder / "a").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "gradient-1.csv").write_text("mine", "utf-8")
    (folder / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadRequest, match="isn't empty"):
        check_folder(folder)
    assert (tmp_path / "elsewhere" / "gradient-1.csv").read_text("utf-8") == "mine"


def test_a_link_to_a_folder_is_called_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "maps").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadRequest, match=r"-o .*maps: is a link to .*elsewhere, and nothing is written through a link"):
        check_folder(tmp_path / "maps")
