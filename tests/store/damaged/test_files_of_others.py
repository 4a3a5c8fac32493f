"""Files of somebody else beside those of a run."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.store.own_files import check_writable, clear, is_run_folder
from tests.store.run_files import files, without_provenance


def npz(path: Path, **arrays: np.ndarray) -> None:
    np.savez(path, allow_pickle=False, **arrays)


def test_a_website_is_not_taken_for_a_run(tmp_path: Path) -> None:
    (tmp_path / "arrays").mkdir()
    npz(tmp_path / "arrays" / "data.npz", a=np.zeros(3))
    (tmp_path / "run.json").write_text('{"scripts": {}}')
    (tmp_path / "index.html").write_text("mine")
    before = files(tmp_path)
    assert not is_run_folder(tmp_path)
    with pytest.raises(BadRequest, match="not of a report"):
        check_writable(tmp_path)
    clear(tmp_path)
    assert files(tmp_path) == before


def test_arrays_that_somebody_keeps_beside_ours_stay(report: Path, again: Any, original: Path) -> None:
    """A new run removes what the last one lists, and what it has written before it could list it."""
    first = sorted((report / "arrays").iterdir())[0]
    shutil.copy(first, report / "arrays" / "orphan-1.npz")
    npz(report / "arrays" / "notes.npz", a=np.zeros(3))
    (report / "arrays" / "mine.npz").write_bytes(b"mine")
    (report / "fitted").mkdir()
    (report / "fitted" / "mine.safetensors").write_bytes(b"mine")
    again("--seed", "1")
    again()
    more = {"arrays/notes.npz", "arrays/mine.npz", "fitted/mine.safetensors"}
    assert set(files(report)) - set(files(original)) == more


def test_a_strangers_journal_does_not_hide_a_complete_run(report: Path, again: Any, original: Path) -> None:
    (report / "journal.jsonl").write_text('{"format": "cnnvis-report/2", "fingerprint": "aa"}\n')
    before = [path.stat().st_mtime_ns for path in sorted((report / "arrays").iterdir())]
    again()
    assert [path.stat().st_mtime_ns for path in sorted((report / "arrays").iterdir())] == before
    assert not (report / "journal.jsonl").exists() and without_provenance(report) == without_provenance(original)
