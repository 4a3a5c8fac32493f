"""Locks, and folders that come and go with them."""

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.errors import BadRequest, WentAway
from cnnvis_report.store.files.lock import writing


@pytest.mark.parametrize(
    "what",
    [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("precious.txt"), lambda path: path.write_text("mine")],
    ids=["pipe", "folder", "link", "file"],
)
def test_a_lock_is_taken_only_where_one_is(what: Any, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    what(tmp_path / ".lock")
    before = (tmp_path / ".lock").lstat()
    with pytest.raises(BadRequest, match="Move it away"), writing(tmp_path):
        pass
    assert (tmp_path / ".lock").lstat() == before and (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize("left", [b"", b"4711\n", bytes(5)])
def test_a_lock_that_a_dead_program_left_is_taken_over(left: Any, tmp_path: Path) -> None:
    (tmp_path / ".lock").write_bytes(left)
    with writing(tmp_path):
        assert (tmp_path / ".lock").read_text() == f"{os.getpid()}\n"
    assert not (tmp_path / ".lock").exists()


def test_a_folder_that_its_last_writer_removes_is_made_again(tmp_path: Path) -> None:
    """Many threads come and go with a folder into which nothing is put: each has it, or is told who has."""
    said = []

    def come_and_go() -> None:
        for _ in range(150):
            try:
                with writing(tmp_path / "a" / "r"):
                    time.sleep(0)
            except BadRequest:
                continue
            except OSError as error:
                said.append(repr(error))

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not said


def test_the_folders_above_one_that_stays_empty_go_with_it(tmp_path: Path) -> None:
    with writing(tmp_path / "a" / "b" / "r"):
        assert (tmp_path / "a" / "b" / "r").is_dir()
    assert not list(tmp_path.iterdir())
    with writing(tmp_path / "a" / "b" / "r"):
        (tmp_path / "a" / "mine.txt").write_text("mine")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["mine.txt"]


def test_a_folder_that_is_gone_when_all_is_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WentAway, match="set: went away"), writing(tmp_path / "set"):
        (tmp_path / "set" / "dataset.json").write_text("{}")
        shutil.rmtree(tmp_path / "set")
    assert not (tmp_path / "set").exists()
    with pytest.raises(KeyError), writing(tmp_path / "set"):
        shutil.rmtree(tmp_path / "set")
        raise KeyError("what is wrong itself comes first")

    def gone(path: Path) -> None:  # between the look at the lock and its removal, which is the last that is done
        shutil.rmtree(path.parent)
        raise FileNotFoundError(path)

    with pytest.raises(WentAway, match="set: went away"), writing(tmp_path / "set"):
        monkeypatch.setattr(Path, "unlink", gone)
