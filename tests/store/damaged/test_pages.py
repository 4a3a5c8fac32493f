"""Pages that somebody else wrote, or that the list of the run's own doesn't have."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.store.own_files import pages_of
from tests.conftest import command
from tests.store.damaged.runs import refused


def test_pages_are_those_of_ours_in_the_list(report: Path) -> None:
    listed = ["run.json", "../x.html", "images/mine.html", "index.html", 3, None, "/etc/x.html", "arrays/a.npz"]
    (report / "pages.json").write_text(json.dumps(listed))
    assert pages_of(report) == ["images/mine.html", "index.html"]
    for text in ("", "{", "{}", "[" * 100_000, '"run.json"'):
        (report / "pages.json").write_text(text)
        assert pages_of(report) == []
        command("render", report)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("images", "is a file, where a folder"),
        ("stills", "is a file, where a folder"),
        ("pages.json", "is a folder, w"),
    ],
)
def test_no_page_is_removed_before_all_have_room(name: str, said: Any, report: Path) -> None:
    path = report / name
    if path.is_dir():
        shutil.rmtree(path)
        path.write_text("mine")
    else:
        path.unlink()
        path.mkdir()
    assert said in refused(report)
    assert (report / "index.html").is_file()


def test_a_page_that_somebody_else_made_is_not_written_over(report: Path, again: Any) -> None:
    (report / "index.html").write_text("<html>mine")
    (report / "pages.json").unlink()
    for said in (refused(report), again(code=2).stderr):
        assert "index.html: isn't a file that this program has written" in said
    assert (report / "index.html").read_text() == "<html>mine"
    (report / "index.html").write_bytes(b"")
    command("render", report)


@pytest.mark.parametrize("inner", ["data", "stills", "assets", "images"])
def test_no_file_of_a_page_is_written_over_that_no_list_has(inner: Any, report: Path) -> None:
    """Whatever is called as ours are and isn't in the list is somebody's, unless it is what would be written."""
    path = next(path for path in sorted((report / inner).rglob("*")) if path.is_file())
    name = path.relative_to(report).as_posix()
    (report / "pages.json").write_text(json.dumps([other for other in pages_of(report) if other != name]))
    command("render", report)
    (report / "pages.json").write_text(json.dumps([other for other in pages_of(report) if other != name]))
    path.write_text("mine")
    assert f"{path.name}: isn't a file that this program has written" in refused(report)
    assert path.read_text() == "mine"
    path.unlink()
    command("render", report)
    assert name in pages_of(report)
