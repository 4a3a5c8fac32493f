"""What can't be trained on, or isn't a model: one line and an exit code, or listed and left out; nothing is lost."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.models.trained_file import read_trained
from tests.cli.words import one_line
from tests.conftest import command, fill_disk
from tests.narrow import present
from tests.training.trainings import class_folders

ONCE = ("--epochs", 1, "--device", "cpu")


def last_line(*words: object, code: int) -> str:
    """What is said last on the standard error stream, where something is said before."""
    last = command(*words, code=code).stderr.splitlines()[-1]
    assert last.startswith("Error: ") and len(last) < 600
    return last


def junk(path: Path, content: bytes = b"no picture") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


REQUESTS = {
    "no share": (("--val-split", "nan"), "'nan' isn't a number above 0 and at most 0.99"),
    "too small": (("--size", 7), "7x7: the small network needs at least 8"),
    "size for others": (("--arch", "squeezenet1_1", "-w", "none", "--size", 8), "squeezenet1_1 doesn't take a 1×3×8×8"),
    "size for one": (("--arch", "vit_b_16", "-w", "none"), "vit_b_16 doesn't take a 1×3×28×28"),
    "no such network": (("--arch", "smal"), "Did you mean 'small'?"),
    "channels": (("--channels", 2), "--channels 2: give auto, 1 (gray) or 3"),
    "gray": (("--arch", "resnet18", "-w", "none", "--channels", 1), "resnet18 reads 3 channels"),
    "no such layer": (("--freeze", "feature"), "No layer is called 'feature'"),
    "nothing to train": (("--freeze", "classifier"), "leaves nothing to train"),
    "late snapshot": (("--checkpoint-epochs", "1,2"), "--checkpoint-epochs 2: there are epochs 1 to 1"),
    "no weights": (("-w", "/nonexistent/w.pt"), "there is no such file"),
    "rate beyond": (("--lr", "1e39"), "--lr"),
    "no rate": (("--lr", "nan"), "--lr"),
}


@pytest.mark.parametrize("request_", REQUESTS)
def test_what_cannot_be_is_said_in_one_line(request_: Any, good: Path, out: Path) -> None:
    words, said = REQUESTS[request_]
    assert said in one_line(command("train", good, "-o", out, *ONCE, *words, code=2))
    assert not out.exists()


def test_folders_that_are_no_classes(tmp_path: Path, good: Path, out: Path) -> None:
    def refused(folder: Path, *words: Any) -> Any:
        return one_line(command("train", folder, "-o", out, *ONCE, *words, code=2))

    assert "there is no such folder" in refused(tmp_path / "nowhere")
    assert "there is no such folder" in refused(good / "a" / "0.png")
    assert "has one class, 'a'" in refused(class_folders(tmp_path / "one", {"a": 3}))
    assert "has no sub-folder with images" in refused(good / "a")
    parts = class_folders(tmp_path / "parts", {"val": 2, "training": 2})
    assert f"are parts of a set and no classes. Give {parts / 'training'}." in refused(parts)
    class_folders(tmp_path / "one", {"b": 1})
    assert "Class 'b' has 1 readable image; one for training and one for validation" in refused(tmp_path / "one")
    junk(tmp_path / "one" / "b" / "0.png")
    assert "Class 'b' has no readable image" in refused(tmp_path / "one")
    assert "has the folders c; the classes are a, b" in refused(good, "--test", class_folders(tmp_path / "t", {"c": 1}))
    assert "has no sub-folder with images" in refused(good, "--test", good / "a")


@pytest.mark.parametrize("names", [("test", "train"), ("test",), ("Training", "Testing")])
def test_folders_of_a_set_come_with_advice(names: Any, tmp_path: Path, out: Path) -> None:
    folder = class_folders(tmp_path / "i", dict.fromkeys(names, 2))
    said = one_line(command("train", folder, "-o", out, *ONCE, code=2))
    assert "parts of a set and no classes" in said
    if len(names) == 2:
        test, training = sorted(names, key=lambda name: "r" in name)
        assert said.endswith(f"Give {folder / training} --test {folder / test}.\n")


def test_a_test_set_without_a_readable_image(good: Path, tmp_path: Path, out: Path) -> None:
    junk(tmp_path / "test" / "a" / "0.png")
    assert "test" in one_line(command("train", good, "-o", out, *ONCE, "--test", tmp_path / "test", code=2))


def test_what_is_left_out_is_said(tmp_path: Path, out: Path) -> None:
    folder = class_folders(tmp_path / "i", {"a": 9, "b": 4})
    (folder / "c").mkdir()
    (folder / "loose.png").write_bytes((folder / "a/0.png").read_bytes())
    junk(folder / "a" / "broken.png")
    with Image.open(folder / "b" / "0.png") as picture:  # of another size, turned, gray, with transparency, of 16 bits
        picture.resize((40, 21)).save(folder / "b" / "large.jpg")
        picture.convert("L").save(folder / "b" / "gray.bmp")
        picture.convert("LA").save(folder / "b" / "clear.png")
        Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257).save(folder / "b" / "deep.png")
    said = command("train", folder, "-o", out, *ONCE, "--size", 24).stderr
    assert "Warning: a/broken.png: not an image of a known format" in said and "Skipped." in said
    assert "1 images lie beside the class folders" in said and "no image in c: left out as a class" in said
    record = present(read_trained(out)).training
    assert "imbalanced" not in said and record.skipped == 1
    assert [count.training + count.validation for count in record.counts] == [9, 8]
    class_folders(folder, {"a": 9}, first=50)
    for words, advice in (
        ((), "--class-weights balanced counts them alike"),
        (("--class-weights", "balanced"), "balanced by class weights"),
    ):
        said = command("train", folder, "-o", out, *ONCE, "--size", 24, *words).stderr
        assert f"imbalanced: 14 images in the largest class, 6 in the smallest; {advice}" in said


@pytest.mark.parametrize(
    ("name", "said"), [("model.bin", "ends in .pt, as in model.pt"), ("folder.pt", "is no file"), ("", "ends in .pt")]
)
def test_a_model_is_a_file_that_ends_in_pt(name: str, said: Any, good: Path, tmp_path: Path) -> None:
    (tmp_path / "folder.pt").mkdir()
    assert said in one_line(command("train", good, "-o", tmp_path / name, *ONCE, code=2))


def test_a_strangers_file_is_not_overwritten(good: Path, tmp_path: Path) -> None:
    for content in (b"a poem", b"PK\x03\x04 an archive"):
        junk(tmp_path / "poem.pt", content)
        assert "poem.pt" in one_line(command("train", good, "-o", tmp_path / "poem.pt", *ONCE, code=2))
        assert (tmp_path / "poem.pt").read_bytes() == content
    for name in ("m.part.pt", "m.epoch-1.pt"):  # what is written beside it
        (tmp_path / "poem.pt").rename(tmp_path / name)
        assert name in one_line(
            command("train", good, "-o", tmp_path / "m.pt", *ONCE, "--checkpoint-epochs", 1, code=2)
        )
        (tmp_path / name).rename(tmp_path / "poem.pt")


def test_nothing_is_written_below_a_file(good: Path, tmp_path: Path) -> None:
    junk(tmp_path / "file")
    assert "file" in one_line(command("train", good, "-o", tmp_path / "file" / "model.pt", *ONCE, code=2))


@pytest.mark.parametrize("full", ["model.pt", "model.part.pt", "model.epoch-2.pt"])
def test_on_a_full_disk_what_was_there_stays_whole(
    full: str, good: Path, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command("train", good, "-o", out, "--epochs", 2, "--device", "cpu", "--checkpoint-epochs", 2, "--seed", 1)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    fill_disk(monkeypatch, full)
    said = last_line("train", good, "-o", out, "--epochs", 2, "--device", "cpu", "--checkpoint-epochs", 2, code=1)
    assert said.startswith("Error: No space left on device")
    after = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.pop(tmp_path / "model.part.pt", None) is not None or full == "model.part.pt"
    assert after.keys() == before.keys() and after[out] == before[out]
    assert all(read_trained(path) for path in tmp_path.iterdir())


def test_ctrl_c_leaves_a_model_and_its_exit_code(good: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(self: Any, epoch: int, *_: Any) -> None:
        if epoch == self.last:
            raise KeyboardInterrupt

    monkeypatch.setattr("cnnvis_report.cli.terminal.console_training.Reporter.batch_done", stops)
    monkeypatch.setattr("cnnvis_report.cli.terminal.console_training.Reporter.last", 3, raising=False)
    result = command("train", good, "-o", out, "--epochs", 5, "--device", "cpu", code=130)
    assert result.stdout == f"Wrote {out}\n"
    assert "the same command continues from model.part.pt" in result.stderr
    assert {path.name for path in out.parent.iterdir()} == {"model.pt", "model.part.pt"}
    record = present(read_trained(out)).training
    assert record.stopped == "stopped by hand" and len(record.history) == 2
    monkeypatch.setattr("cnnvis_report.cli.terminal.console_training.Reporter.last", 0)
    assert "Resume    from epoch 3" in command("train", good, "-o", out, "--epochs", 5, "--device", "cpu").stderr
    command("train", good, "-o", out.with_name("whole.pt"), "--epochs", 5, "--device", "cpu")
    assert out.read_bytes() == out.with_name("whole.pt").read_bytes()
    assert {path.name for path in out.parent.iterdir()} == {"model.pt", "whole.pt"}
    monkeypatch.setattr("cnnvis_report.cli.terminal.console_training.Reporter.last", 1)
    before = out.read_bytes()
    assert "nothing to keep" in last_line("train", good, "-o", out, *ONCE, code=1) and out.read_bytes() == before
