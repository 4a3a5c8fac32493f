"""A read that the system refuses says nothing of the file, which isn't taken for damaged or missing then."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cnnvis_report.store import fitted_file, manifest, own_files
from cnnvis_report.store.array_files import arrays
from cnnvis_report.store.files.os_errors import OF_THE_SYSTEM

READERS: dict[str, tuple[Any, str, Callable[[Path], Any], object]] = {
    "images of a manifest": (manifest, "read_head", lambda folder: list(manifest.ImagesLeft(folder)), []),
    "list of pages": (own_files, "read_json", own_files.pages_of, []),
    "names of arrays": (arrays, "open_regular", arrays.names_in, []),
    "head of a fitted file": (fitted_file, "open_regular", fitted_file.fitted_head, None),
}


def refuse(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, number: int) -> None:
    def refused(*_: object, **__: object) -> NoReturn:
        raise OSError(number, "refused")

    monkeypatch.setattr(module, name, refused)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("number", sorted(OF_THE_SYSTEM), ids=lambda number: errno.errorcode[number])
def test_what_the_system_refuses_is_not_taken_for_damage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reader: str, number: int
) -> None:
    module, name, read, _ = READERS[reader]
    refuse(monkeypatch, module, name, number)
    with pytest.raises(OSError, match="refused"):
        read(tmp_path)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("number", [errno.ENOENT, errno.EIO], ids=lambda number: errno.errorcode[number])
def test_what_is_gone_or_on_a_bad_sector_is_damage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, reader: str, number: int
) -> None:
    module, name, read, left = READERS[reader]
    refuse(monkeypatch, module, name, number)
    assert read(tmp_path) == left
