"""A disk that says of a file that it isn't there, and lists it: nobody takes its word."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.store.files import atomic
from cnnvis_report.store.own_files import pages_of


@pytest.fixture
def denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of pages that the system denies, though it shows it."""
    path = tmp_path / "pages.json"
    path.write_text('["index.html"]', encoding="utf-8")

    def refusing(name: str) -> Any:
        right = getattr(os, name)

        def refuse(given: Any, *more: Any, **words: Any) -> Any:
            if os.fspath(given) == os.fspath(path):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), given)
            return right(given, *more, **words)

        return refuse

    for name in ("open", "unlink", "rmdir", "listdir", "scandir"):
        monkeypatch.setattr(os, name, refusing(name))
    return path


def test_it_is_not_read_as_if_there_were_none(denied: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
        pages_of(denied.parent)


def test_it_is_not_left_behind_as_if_it_were_gone(denied: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
        atomic.remove(denied.parent, [denied.name])


def test_an_empty_folder_is_not_left_behind(denied: Path) -> None:
    denied.rename(denied.with_name("moved"))
    denied.mkdir()
    with pytest.raises(OSError, match=os.strerror(errno.ESTALE)):
        atomic.remove_empty(denied)


def test_what_is_gone_is_gone(tmp_path: Path) -> None:
    assert pages_of(tmp_path) == []
    atomic.remove(tmp_path, ["index.html", "images/a.html"])
    atomic.remove_empty(tmp_path / "images")
    with pytest.raises(FileNotFoundError) as raised:
        atomic.read_json(tmp_path / "x", 1)
    assert raised.value.errno == errno.ENOENT
