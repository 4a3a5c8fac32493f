"""Files that a command writes where the user says: what a killed one has left, and what of a stranger's is read."""

import os
from pathlib import Path

import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.sharing.zip_file import MARK, check_zip
from cnnvis_report.store.files.lock import lock_of
from cnnvis_report.store.files.output_file import check_output, output_file
from tests.robustness.damage import peak

LARGE = 1 << 30  # bytes; a file of so many takes no room until something is written to it
LEFT = ".evidence.md.00000000.new"


def write(path: Path) -> None:
    with output_file(path) as temporary:
        temporary.write_text("new", "utf-8")


def test_what_a_killed_command_has_left_is_gone(tmp_path: Path) -> None:
    for name in (LEFT, ".evidence.md.lock", ".other.md.00000000.new", ".evidence.md.new"):
        (tmp_path / name).write_text("" if name.endswith("lock") else "half", "utf-8")
    write(tmp_path / "evidence.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".evidence.md.new",
        ".other.md.00000000.new",
        "evidence.md",
    ]


def test_what_somebody_else_is_writing_stays(tmp_path: Path) -> None:
    (tmp_path / LEFT).write_text("half", "utf-8")
    with lock_of(tmp_path / ".evidence.md.lock", "a test"):
        write(tmp_path / "evidence.md")
    assert sorted(path.name for path in tmp_path.iterdir()) == [LEFT, "evidence.md"]


def test_a_lock_that_is_none_stays_and_nothing_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".evidence.md.lock").write_text("somebody's own words", "utf-8")
    (tmp_path / LEFT).write_text("half", "utf-8")
    write(tmp_path / "evidence.md")
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.skipif(os.name == "nt", reason="files with holes")
def test_a_large_file_of_somebody_else_takes_no_memory_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.touch()
    os.truncate(path, LARGE)
    before = peak()
    with pytest.raises(BadRequest, match="isn't a zip file that this program has written"):
        check_zip(path)
    with path.open("rb+") as file:  # a mark at the end has all of it looked at
        file.seek(-len(MARK), os.SEEK_END)
        file.write(MARK)
    check_zip(path)
    os.truncate(path, 1 << 20)
    with pytest.raises(BadRequest, match="isn't a figure"):
        check_output(path, "cnnvis-report figure", "a figure")
    assert peak() - before < 300


def test_a_mark_is_seen_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    for content in (b"", b"x"):
        path.write_bytes(content)
        with pytest.raises(BadRequest, match="isn't a figure"):
            check_output(path, "mark", "a figure")
    path.write_bytes(bytes(1 << 20) + b"mark")
    check_output(path, "mark", "a figure")
