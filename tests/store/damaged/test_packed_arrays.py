"""Files of arrays that are packed to do harm, or that come from another run."""

import bz2
import os
import shutil
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnvis_report.pipeline.explaining.fit_cache import FolderFitCache
from cnnvis_report.store import load_run
from cnnvis_report.store.array_files.array_checks import wrong_arrays
from cnnvis_report.store.array_files.arrays import INFLATED, Damaged, read_arrays
from cnnvis_report.store.files.names import fitted_name
from tests.narrow import present


def test_arrays_packed_in_a_way_of_others_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    """bzip2 makes a hundred megabytes of a hundred bytes, whatever the entry says of its size."""
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", bytes(1 << 20))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\1\2") + 24, 1000)
    (tmp_path / "x.npz").write_bytes(content)
    asked = []
    plain = bz2.BZ2Decompressor

    class Watched:
        def __init__(self) -> None:
            asked.append(self)
            self._plain = plain()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._plain, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bz2, "BZ2Decompressor", Watched)
        with pytest.raises(Damaged, match="packed in a way that no run packs"):
            read_arrays(tmp_path, "x.npz")
    assert not asked


def test_entries_that_share_their_bytes_count_each(tmp_path: Path) -> None:
    """A list of a thousand entries that all lead to the same megabyte is no file of a gigabyte."""
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", bytes(1 << 20))
        for number in range(40):
            entry = archive.filelist[0]
            copied = zipfile.ZipInfo(f"{number}.npy")
            for name in ("header_offset", "file_size", "compress_size", "CRC", "external_attr"):
                setattr(copied, name, getattr(entry, name))
            archive.filelist.append(copied)
            archive.NameToInfo[copied.filename] = copied
        setattr(archive, "_didModify", True)  # noqa: B010 # not among its types
    assert (tmp_path / "x.npz").stat().st_size < 2 << 20 < INFLATED
    with pytest.raises(Damaged, match="arrays of 42991616 bytes in 10"):
        read_arrays(tmp_path, "x.npz")


def test_what_was_fitted_is_taken_from_its_own_run_alone(tmp_path: Path) -> None:
    like, made = torch.zeros(1), (torch.arange(6.0).reshape(2, 3), torch.tensor(2), torch.zeros(0, 4))
    cache = FolderFitCache(tmp_path, "aa")
    path = tmp_path / fitted_name("patterns")
    assert cache.find("patterns", like) is None
    cache.put("patterns", made)
    found = present(cache.find("patterns", like))
    assert len(found) == 3 and all(torch.equal(one, two) for one, two in zip(found, made, strict=True))
    assert FolderFitCache(tmp_path, "bb").find("patterns", like) is None
    shutil.copy(path, tmp_path / fitted_name("others"))
    assert cache.find("others", like) is None, "it is of another key"
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    assert cache.find("patterns", like) is None, "a bit was changed"
    for what in (os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero"), lambda path: path.write_bytes(b"x")):
        path.unlink() if not path.is_dir() else path.rmdir()
        what(path)
        assert cache.find("patterns", like) is None
    path.unlink()
    shutil.rmtree(path.parent)
    path.parent.symlink_to(tmp_path)
    assert cache.find("patterns", like) is None, "nothing is read through a link"


def test_a_picture_is_gray_or_in_color(original: Path) -> None:
    run = load_run(original)
    image = next(run.images())
    arrays = run.stored_arrays(image)
    assert wrong_arrays(image, arrays) == "" == wrong_arrays(image, arrays | {"picture": arrays["picture"][..., 0]})
    for channels in (1, 2):  # which no picture has that is drawn
        said = wrong_arrays(image, arrays | {"picture": arrays["picture"][..., :channels]})
        assert "has a picture of" in said
