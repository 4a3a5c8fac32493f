"""What is removed of a folder without its run, and what never is."""

import errno
import os
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from cnnvis_report.store.remains import clear_pages, clear_remains
from tests.fixtures.make_run import FOLDER


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE], ids=errno.errorcode.get)
def test_a_disk_that_cannot_tell_costs_no_file(code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, plain = Path(copytree(FOLDER, tmp_path / "run")), os.lstat
    write_site(load_run(folder))
    before = files(folder)

    def failing(path: Any, **options: Any) -> os.stat_result:
        if str(path).endswith(("run.json", "journal.jsonl")):
            raise OSError(code, os.strerror(code), str(path))
        return plain(path, **options)

    monkeypatch.setattr(os, "lstat", failing)
    clear_pages(folder)
    clear_remains(folder)
    monkeypatch.undo()
    assert files(folder) == before


def test_pages_without_their_run_are_removed(tmp_path: Path) -> None:
    folder = Path(copytree(FOLDER, tmp_path / "run"))
    write_site(load_run(folder))
    (folder / "run.json").unlink()
    clear_pages(folder)
    assert not list(folder.glob("*.html")) and not (folder / "pages.json").exists()
