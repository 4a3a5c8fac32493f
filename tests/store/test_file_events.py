"""What a kill or a full disk leaves, taken up again; each case was found by making every file event the last."""

import errno
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.models import trained_file as trained_files
from cnnvis_report.models.trained_file import read_trained
from cnnvis_report.store.array_files.arrays import write_arrays
from cnnvis_report.store.files.lock import lock_of
from cnnvis_report.store.files.os_errors import in_words, refusal
from tests.cli.words import one_line
from tests.conftest import command, fill_disk
from tests.narrow import present
from tests.training.trainings import class_folders

DRAW = ("make-dataset", "shapes", "-n", 5, "--size", 24, "-q")


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_set_that_was_barely_begun_is_drawn(tmp_path: Path) -> None:
    command(*DRAW, "-o", tmp_path / "fresh")
    begun = tmp_path / "begun"
    begun.mkdir()
    (begun / ".lock").write_text("1\n")
    (begun / ".dataset.json.0123abcd.new").write_text("{")
    command(*DRAW, "-o", begun)
    assert files(begun) == files(tmp_path / "fresh")
    for name in ("notes.txt", ".dataset.json.new", ".other.json.0123abcd.new"):
        strange = tmp_path / name.strip(".")
        strange.mkdir()
        (strange / name).write_text("mine")
        assert "holds something else" in one_line(command(*DRAW, "-o", strange, code=2))
        assert files(strange) == {name: b"mine"}


def test_what_a_killed_drawing_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    command(*DRAW, "-o", tmp_path / "fresh")
    command(*DRAW, "-o", tmp_path / "set", "--seed", 1)
    for name in (".2.png.0123abcd.new", ".dataset.json.0123abcd.new"):
        place = tmp_path / "set" if "json" in name else tmp_path / "set" / "masks" / "square"
        assert place.is_dir()
        (place / name).write_bytes(b"\x89PNG")
    (tmp_path / "set" / "masks" / "square" / ".mine.0123abcd.new").write_bytes(b"mine")
    command(*DRAW, "-o", tmp_path / "set")
    mine = {"masks/square/.mine.0123abcd.new": b"mine"}
    assert files(tmp_path / "set") == files(tmp_path / "fresh") | mine


def test_no_link_in_a_set_is_followed(tmp_path: Path) -> None:
    command(*DRAW, "-o", tmp_path / "set")
    outside = tmp_path / "outside"
    (tmp_path / "set" / "images" / "circle").rename(outside)
    (tmp_path / "set" / "images" / "circle").symlink_to(outside)
    before = files(outside)
    assert "is a link" in one_line(command(*DRAW, "-o", tmp_path / "set", "--seed", 1, code=2))
    assert files(outside) == before


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return class_folders(tmp_path_factory.mktemp("events") / "i", {"a": 4, "b": 4})


def in_another_thread(function: Any) -> None:
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


def test_a_second_training_or_drawing_in_the_same_place_is_told_who_is_there(images: Any, tmp_path: Path) -> None:
    words = ("train", images, "-o", tmp_path / "m.pt", "--epochs", 1, "--device", "cpu", "-q")
    with lock_of(tmp_path / ".m.pt.lock", "a test"):
        said = one_line(command(*words, code=2))
    assert said.startswith(f"Error: -o {tmp_path / 'm.pt'}: process {os.getpid()} is writing there.")
    assert not (tmp_path / "m.pt").exists()
    (tmp_path / "set").mkdir()
    with lock_of(tmp_path / "set" / ".lock", "a test"):
        said = one_line(command(*DRAW, "-o", tmp_path / "set", code=2))
    assert f"process {os.getpid()} is writing there" in said
    (tmp_path / ".m.pt.lock").write_text("1\n")  # a killed one's: nobody holds it
    (tmp_path / ".m.part.pt.0123abcd.new").write_bytes(b"PK")
    (tmp_path / ".n.pt.0123abcd.new").write_bytes(b"PK")  # of another model
    command(*words)
    command(*DRAW, "-o", tmp_path / "set")
    assert {path.name for path in tmp_path.iterdir()} == {"m.pt", "set", ".n.pt.0123abcd.new"}


def test_a_place_that_is_refused_leaves_no_folder_behind(tmp_path: Path) -> None:
    one_line(command("train", tmp_path / "nowhere", "-o", tmp_path / "a" / "b" / "m.pt", code=2))
    assert not (tmp_path / "a").exists()


def test_a_file_that_the_disk_does_not_give_is_not_called_a_strangers(
    images: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("train", images, "-o", tmp_path / "m.pt", "--epochs", 1, "--device", "cpu", "-q")
    command(*words)
    before = (tmp_path / "m.pt").read_bytes()

    def fails(path: Path, **_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr("cnnvis_report.models.checkpoints.read_checkpoint.check_kind", fails)
    said = one_line(command(*words, code=2))
    assert "Input/output error" in said and "no model" not in said
    assert (tmp_path / "m.pt").read_bytes() == before


RUN = ("-m", "gradient", "--metrics", "none", "--classes", "top:1", "-q")
NETWORK = """
import torch
from torch import nn
from tests.narrow import present

def tiny():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU())
    network = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)).eval()
    network.size, network.mean, network.std = 16, (0.5,) * 3, (0.25,) * 3
    return network
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, images: Any) -> Any:
    """The words of a small run, and what it leaves."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "net.py").write_text(NETWORK)
    words = ("run", f"{folder / 'net.py'}:tiny", images / "a" / "0.png", images / "b" / "0.png", *RUN)
    command(*words, "--inspect", "standard", "-o", folder / "right")
    return words, {name for name in files(folder / "right") if name.partition("/")[0] in ("arrays", "inspection")}


def _refusing(ending: str) -> Callable[..., object]:
    """What writes arrays, with no room for one file of them."""
    real = write_arrays

    def write(path: Path, arrays: Any, **options: Any) -> Any:
        if path.as_posix().endswith(ending):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path, arrays, **options)

    return write


def test_a_folder_in_which_a_run_had_barely_begun_is_taken_up(run: Any, tmp_path: Path) -> None:
    words, _ = run
    for name in ("arrays", "inspection"):
        (tmp_path / "report" / name).mkdir(parents=True)
    (tmp_path / "report" / ".lock").write_text("1\n")
    (tmp_path / "report" / ".journal.jsonl.0123abcd.new").write_text("{")
    command(*words, "--inspect", "none", "-o", tmp_path / "report")
    assert not list((tmp_path / "report").glob(".*"))
    for name in ("mine.txt", "arrays/mine.npz", "images/mine.png"):
        strange = tmp_path / "strange" / name
        strange.parent.mkdir(parents=True, exist_ok=True)
        strange.write_text("mine")
        said = one_line(command(*words, "--inspect", "none", "-o", tmp_path / "strange", code=2))
        assert "not of a report" in said
        strange.unlink()


@pytest.mark.parametrize("full", ["network.npz", "run.json", "an image"])
def test_a_run_without_room_for_the_inside_isnt_complete_without_it(full: Any, run: Any, tmp_path: Path) -> None:
    words, right = run
    image = next(name for name in sorted(right) if name.startswith("inspection/") and "network" not in name)
    with pytest.MonkeyPatch.context() as patch:
        if full == "an image":  # whose file of arrays is called alike, and is written before
            patch.setattr("cnnvis_report.store.writer.write_arrays", _refusing(image))
        else:
            fill_disk(patch, full)
        said = one_line(command(*words, "--inspect", "standard", "-o", tmp_path / "report", code=1))
    assert said.startswith("Error: No space left on device") and not (tmp_path / "report" / "run.json").exists()
    command(*words, "--inspect", "standard", "-o", tmp_path / "report")
    found = files(tmp_path / "report")
    assert right <= found.keys() and not [name for name in found if name.startswith(".") or name.endswith(".new")]


def test_pages_that_may_not_be_looked_at_are_not_left_out_in_silence(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, _ = run
    report = tmp_path / "report"
    command(*words, "--inspect", "none", "-o", report)
    before, real = files(report), os.scandir

    def refused(path: Any = ".", *more: Any) -> Any:
        if ".pages-" in str(path) and str(path).endswith("images"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refused)
        assert "Permission denied" in one_line(command("render", report, code=1))
    assert files(report).keys() == before.keys()


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_a_file_of_arrays_that_the_system_refuses_isnt_called_damaged(
    number: Any, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words, _ = run
    report = tmp_path / "report"
    command(*words, "--inspect", "none", "-o", report)

    def refused(path: Path, most: Any) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("cnnvis_report.store.array_files.arrays.open_regular", refused)
    said = one_line(command("render", report, code=2 if number == errno.EIO else 1))
    assert os.strerror(number) in said and "Errno" not in said and ("--repair" in said) == (number == errno.EIO)


def test_refusals_of_the_system_are_known_in_every_guise() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/x/y.npz")
    assert in_words(full) == "No space left on device (/x/y.npz)"
    assert in_words(OSError(5, "Input/output error", b"/x/y")) == "Input/output error (/x/y)"
    assert in_words(OSError(5, "Input/output error", 7)) == "Input/output error"  # a descriptor is no name
    try:
        raise RuntimeError("the writer failed") from full
    except RuntimeError as error:
        assert refusal(error) is full
    rust = present(refusal(RuntimeError("I/O error: No space left on device (os error 28)")))
    assert (rust.errno, rust.strerror) == (errno.ENOSPC, os.strerror(errno.ENOSPC))
    for other in (ValueError("x"), OSError("encoder error -2"), BrokenPipeError(errno.EPIPE, "Broken pipe")):
        assert refusal(other) is None


def test_a_folder_that_is_half_cleared_is_still_ours(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words, right = run
    report = tmp_path / "report"
    command(*words, "--inspect", "none", "-o", report)
    real = os.rmdir

    def refused(path: Path, *more: Any, **options: Any) -> Any:
        if "stills" in str(path) and "report/" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rmdir", refused)
        said = one_line(command(*words, "--inspect", "standard", "-o", report, code=1))
    assert "Permission denied" in said and "stills" in said
    command(*words, "--inspect", "standard", "-o", report)
    assert right <= files(report).keys()


def test_an_error_of_the_disk_that_pytorch_would_hide_is_told() -> None:
    class Once(io.BytesIO):
        count = 0

        def write(self, data: Any) -> Any:
            self.count += 1
            if self.count == 2:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    whole = trained_files._Whole(Once())
    # torch.save needs no more of a file than `_Whole` has
    torch.save({"a": torch.zeros(100), "b": torch.ones(3)}, whole)  # type: ignore[arg-type]
    with pytest.raises(OSError, match="No space left"):
        whole.check()


def test_a_model_on_a_full_disk_is_the_systems_error_and_no_crash(
    images: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("train", images, "-o", tmp_path / "m.pt", "--epochs", 1, "--device", "cpu", "-q")
    fill_disk(monkeypatch, "m.part.pt")
    said = one_line(command(*words, code=1))
    assert said.startswith("Error: No space left on device") and list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    command(*words)
    assert read_trained(tmp_path / "m.pt") is not None and torch.load(tmp_path / "m.pt", weights_only=True)
    with pytest.raises(BadRequest):
        read_trained(tmp_path / "none.pt")
