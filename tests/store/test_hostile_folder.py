"""Folders with which somebody means harm, and what a repair leaves behind."""

import bz2
import json
import os
import shutil
import struct
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.fit_cache import FolderFitCache
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.training import SnapshotSeries
from cnnvis_report.store import load_run
from cnnvis_report.store.array_checks import wrong_arrays
from cnnvis_report.store.arrays import INFLATED, Damaged, read_arrays, write_arrays
from cnnvis_report.store.lock import writing
from cnnvis_report.store.names import fitted_name
from cnnvis_report.store.own_files import check_writable, clear, is_run_folder, pages_of
from tests.conftest import command, rewritten
from tests.narrow import present
from tests.store.test_run_folder import BARE, FEW, again, made, pictures, refused, report  # noqa: F401 # fixtures
from tests.store.test_store import files, without_provenance


@pytest.fixture(scope="module")
def looked(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """A report with a look inside, on which the strongest images are named."""
    folder = tmp_path_factory.mktemp("looked") / "r"
    command("inspect", "tests.factories:tiny", pictures, "-o", folder, "--device", "cpu", "-q")
    return folder


def npz(path: Path, **arrays: np.ndarray) -> None:
    np.savez(path, allow_pickle=False, **arrays)


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
    like, made = torch.zeros(1), (torch.arange(6.0).reshape(2, 3), torch.tensor(2), torch.zeros(0, 4))  # noqa: F811
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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("images", "is a file, where a folder"),
        ("stills", "is a file, where a folder"),
        ("pages.json", "is a folder, w"),
    ],
)
def test_no_page_is_removed_before_all_have_room(name: str, said: Any, report: Path) -> None:  # noqa: F811
    path = report / name
    if path.is_dir():
        shutil.rmtree(path)
        path.write_text("mine")
    else:
        path.unlink()
        path.mkdir()
    assert said in refused(report)
    assert (report / "index.html").is_file()


def test_a_page_that_somebody_else_made_is_not_written_over(report: Path, again: Any) -> None:  # noqa: F811
    (report / "index.html").write_text("<html>mine")
    (report / "pages.json").unlink()
    for said in (refused(report), again(code=2).stderr):
        assert "index.html: isn't a file that this program has written" in said
    assert (report / "index.html").read_text() == "<html>mine"
    (report / "index.html").write_bytes(b"")
    command("render", report)


@pytest.mark.parametrize("inner", ["data", "stills", "assets", "images"])
def test_no_file_of_a_page_is_written_over_that_no_list_has(inner: Any, report: Path) -> None:  # noqa: F811
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


def test_arrays_that_somebody_keeps_beside_ours_stay(report: Path, again: Any, made: Path) -> None:  # noqa: F811
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
    assert set(files(report)) - set(files(made)) == more


def test_a_strangers_journal_does_not_hide_a_complete_run(report: Path, again: Any, made: Path) -> None:  # noqa: F811
    (report / "journal.jsonl").write_text('{"format": "cnnvis-report/2", "fingerprint": "aa"}\n')
    before = [path.stat().st_mtime_ns for path in sorted((report / "arrays").iterdir())]
    again()
    assert [path.stat().st_mtime_ns for path in sorted((report / "arrays").iterdir())] == before
    assert not (report / "journal.jsonl").exists() and without_provenance(report) == without_provenance(made)


def test_what_is_inside_is_shown_without_the_images_that_got_lost(looked: Path, tmp_path: Path) -> None:
    """The strongest images of a channel may be lost ones: their picture stays, no link leads to them."""
    folder = shutil.copytree(looked, tmp_path / "r")
    inside = present(load_run(folder).record.inspection)
    lost = inside.top_images[0].units[0].image
    os.truncate(folder / "arrays" / f"{lost}.npz", 100)
    os.truncate(folder / "inspection" / f"{inside.images[0].image}.npz", 100)
    command("render", folder, "--repair")
    assert command("render", folder, "--repair").stderr == ""
    page = (folder / "features.html").read_text(encoding="utf-8")
    assert f"images/{lost}.html" not in page and page.count('<div class="sheet"') == len(inside.top_images)
    command("render", folder, "--single-file")


def test_a_look_without_images_says_what_got_lost(tmp_path: Path, looked: Path) -> None:
    folder = shutil.copytree(looked, tmp_path / "r")

    def emptied(run: RunRecord, _: list[ImageRecord]) -> tuple[RunRecord, list[ImageRecord]]:
        return replace(run, images=0, inspection=replace(present(run.inspection), images=())), []

    rewritten(folder, emptied)
    os.truncate(folder / "inspection" / "network.npz", 100)
    said = command("render", folder, "--repair", code=2).stderr
    assert "nothing of it is whole" in said


def test_a_picture_is_gray_or_in_color(made: Path) -> None:  # noqa: F811
    run = load_run(made)
    image = next(run.images())
    arrays = run.stored_arrays(image)
    assert wrong_arrays(image, arrays) == "" == wrong_arrays(image, arrays | {"picture": arrays["picture"][..., 0]})
    for channels in (1, 2):  # which no picture has that is drawn
        said = wrong_arrays(image, arrays | {"picture": arrays["picture"][..., :channels]})
        assert "has a picture of" in said


def test_films_that_got_damaged_are_left_out(report: Path) -> None:  # noqa: F811
    """They have no image of their own that could be missed."""

    def filmed(run: Any, images: Any) -> Any:
        (report / "inspection").mkdir(exist_ok=True)
        stored = write_arrays(report / "inspection" / "snapshots.npz", {"a": np.zeros(3)})
        snapshots = tuple(SnapshotSeries(image.id, "x", 0, (run.methods[0].name,), ()) for image in images[:2])
        return replace(run, snapshots=snapshots, files=run.files | {"inspection/snapshots.npz": stored}), images

    rewritten(report, filmed)
    command("render", report)
    assert command("render", report, "--repair").stderr == ""
    (report / "inspection" / "snapshots.npz").write_bytes(b"x")
    assert "snapshots.npz" in refused(report)
    said = command("render", report, "--repair").stderr
    assert said.count("\n") == 1 and "The snapshots over the epochs" in said
    assert load_run(report).record.snapshots == ()


def test_files_that_belong_to_nothing_are_left_out_by_a_repair(report: Path) -> None:  # noqa: F811
    def more(run: Any, images: Any) -> Any:
        return replace(run, files=run.files | {"arrays/x.npz": next(iter(run.files.values()))}), images

    rewritten(report, more)
    assert "arrays/x.npz is missing" in refused(report)
    command("render", report, "--repair")
    assert "arrays/x.npz" not in json.loads((report / "run.json").read_text())["run"]["files"]
