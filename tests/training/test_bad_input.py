"""What can't be trained on, or isn't a model: one line and an exit code, or listed and left out; nothing is lost."""

import copy
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnvis_report.errors import CnnVisError
from cnnvis_report.models.architectures import Architecture, build
from cnnvis_report.models.load import load_model
from cnnvis_report.models.trained_file import read_trained, write_trained
from cnnvis_report.synthetic.layers import draw
from tests.cli.test_cli import one_line
from tests.conftest import command, fill_disk
from tests.models.test_trained_file import described
from tests.narrow import present
from tests.training.test_training import class_folders, trained

ONCE = ("--epochs", 1, "--device", "cpu")
WRITTEN = Path(tempfile.gettempdir()) / f"written-by-a-model-{os.getpid()}"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two classes of four pictures."""
    return class_folders(tmp_path_factory.mktemp("good") / "good", {"a": 4, "b": 4})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "model.pt"


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

    monkeypatch.setattr("cnnvis_report.cli.console_training.Reporter.batch_done", stops)
    monkeypatch.setattr("cnnvis_report.cli.console_training.Reporter.last", 3, raising=False)
    result = command("train", good, "-o", out, "--epochs", 5, "--device", "cpu", code=130)
    assert result.stdout == f"Wrote {out}\n"
    assert "the same command continues from model.part.pt" in result.stderr
    assert {path.name for path in out.parent.iterdir()} == {"model.pt", "model.part.pt"}
    record = present(read_trained(out)).training
    assert record.stopped == "stopped by hand" and len(record.history) == 2
    monkeypatch.setattr("cnnvis_report.cli.console_training.Reporter.last", 0)
    assert "Resume    from epoch 3" in command("train", good, "-o", out, "--epochs", 5, "--device", "cpu").stderr
    command("train", good, "-o", out.with_name("whole.pt"), "--epochs", 5, "--device", "cpu")
    assert out.read_bytes() == out.with_name("whole.pt").read_bytes()
    assert {path.name for path in out.parent.iterdir()} == {"model.pt", "whole.pt"}
    monkeypatch.setattr("cnnvis_report.cli.console_training.Reporter.last", 1)
    before = out.read_bytes()
    assert "nothing to keep" in last_line("train", good, "-o", out, *ONCE, code=1) and out.read_bytes() == before


def test_weights_of_another_network_are_refused(good: Path, tmp_path: Path, out: Path) -> None:
    large = class_folders(tmp_path / "large", {"a": 2, "b": 2}, side=64)
    trained(large, tmp_path / "large.pt", epochs=1)
    trained(good, tmp_path / "good.pt", epochs=1)
    torch.save({"some.weight": torch.zeros(3)}, tmp_path / "strange.pt")
    for folder, weights, words in (
        (large, "good.pt", ()),  # a block is missing
        (good, "large.pt", ()),  # a block is too many
        (good, "strange.pt", ()),
        (good, "good.pt", ("--channels", 1)),
        (good, "good.pt", ("--arch", "squeezenet1_1", "--size", 32)),
    ):
        said = one_line(command("train", folder, "-o", out, *ONCE, "-w", tmp_path / weights, *words, code=2))
        assert "the weights are of another network" in said, weights
    (tmp_path / "bomb.pt").write_bytes(pickle.dumps(Bomb()))
    one_line(command("train", good, "-o", out, *ONCE, "-w", tmp_path / "bomb.pt", code=2))


class Bomb:
    """Makes a folder when it is unpickled."""

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(WRITTEN),))


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a model's file holds."""
    architecture = Architecture("small", 2, 3, 3)
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("models") / "model.pt"
    write_trained(path, described(build(architecture), architecture))
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return content


EPOCH: dict[str, object] = {
    "number": 1,
    "loss": 1.0,
    "accuracy": 0.5,
    "validation_loss": 1.0,
    "validation_accuracy": 0.5,
    "rate": 0.1,
}
TOO_MUCH = 10**12
DAMAGED: dict[str, list[Any]] = {
    "architecture": [None, [1], "small"],
    "architecture.name": [5, ["small"], "../../small", "fcn_resnet50"],
    "architecture.classes": ["2", 3, -2, TOO_MUCH, float("nan"), None, 2.0],
    "architecture.channels": [[3], TOO_MUCH, "3", None],
    "architecture.blocks": [2.5, TOO_MUCH, "3"],
    "architecture.head": [{}, "cam", 5],
    "architecture.options": [{"weights": "DEFAULT"}, {5: 1}, None],
    "preprocessing.mean": ["abc", 5, (0, 0, 0), (0.5,), (torch.zeros(2),) * 3],
    "preprocessing.std": [(0.0,) * 3, (-1.0,) * 3, (0.5,) * 2],
    "preprocessing.resize": [(28,), (28, 28, 28), (), "28", 28.0, (TOO_MUCH, 28), TOO_MUCH, (None, 28), -5],
    "preprocessing.crop": [28, (28,), (28, 28, 28), (None, None), {28: 1, 29: 2}, (TOO_MUCH, 28)],
    "preprocessing.interpolation": [5, "magic", "__class__", None],
    "classes": [5, None, ["a"], ["a", "b", "c"]],
    "training": [None, 5, "abc", []],
    "training.settings": [None, [1], {"seed": [1]}, {"seed": torch.zeros(2)}, {5: 1}],
    "training.counts": ["ab", (1, 2), ({"name": 5, "training": "x", "validation": None, "test": []},)],
    "training.history": ["ab", (1,), *((EPOCH | {"loss": value},) for value in ("high", None, float("nan")))],
    "training.best_epoch": ["many", None, 77],
    "training.stopped": [5],
    "training.validation": [None, {"accuracy": "x", "loss": 1.0, "images": 3}],
    "training.test": [5, "x"],
    "training.snapshots": [({"epoch": "x", "file": "a.pt"},), ({"epoch": 1, "file": 5},), ("../../model.pt",)],
    "training.skipped": ["x"],
    "seen": [5, None],
    "state_dict": [None, [1], {}, {"a": "b"}, {5: torch.zeros(1)}],
    "state_dict.classifier.bias": [
        None,
        "x",
        torch.zeros(3),
        torch.zeros(2).to_sparse(),
        torch.zeros(2, device="meta"),
    ],
}


@pytest.mark.parametrize("field", DAMAGED)
def test_a_model_with_a_damaged_field_is_refused_in_one_line(
    field: str, content: dict[str, Any], tmp_path: Path
) -> None:
    first, _, second = field.partition(".")
    passed = []
    for value in DAMAGED[field]:
        damaged = copy.deepcopy(content)
        (damaged[first] if second else damaged)[second or first] = value
        torch.save(damaged, tmp_path / "model.pt")
        try:
            load_model(str(tmp_path / "model.pt"))
            passed.append((value, "taken as it is"))
        except CnnVisError as error:
            if len(str(error)) > 600 or "\n" in str(error):
                passed.append((value, str(error)))
        except Exception as error:
            passed.append((value, repr(error)))
    assert not passed


def test_weights_that_are_no_plain_tensors_are_refused(
    content: dict[str, Any], good: Path, tmp_path: Path, out: Path
) -> None:
    torch.save({name: value.to_sparse() for name, value in content["state_dict"].items()}, tmp_path / "sparse.pt")
    one_line(command("train", good, "-o", out, *ONCE, "-w", tmp_path / "sparse.pt", code=2))


@pytest.mark.parametrize("damage", [{}, {"settings": {}}, {"data": "../\udce9"}], ids=["names", "settings", "data"])
def test_names_in_a_model_lead_nowhere(damage: dict[str, object], content: dict[str, Any], tmp_path: Path) -> None:
    draw(0, 0, 28).picture.save(tmp_path / "picture.png")
    damaged = copy.deepcopy(content)
    damaged["classes"] = ["../../a\x1b[31m", "/etc/b\udce9"]
    damaged["training"] |= damage
    damaged["training"]["snapshots"] = [{"epoch": 1, "file": name} for name in ("../m.pt", "/etc/passwd", "..", "a\0b")]
    torch.save(damaged, tmp_path / "model.pt")
    run = ("run", tmp_path / "model.pt", tmp_path / "picture.png", "-m", "cam", "--inspect", "none", "--device", "cpu")
    result = command(*run, "-o", tmp_path / "deep" / "report")
    assert "\x1b" not in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"picture.png", "model.pt", "deep"}
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["report"]


def test_a_pickled_object_is_refused_and_not_run(content: dict[str, Any], tmp_path: Path, good: Path) -> None:
    torch.save(content | {"extra": Bomb()}, tmp_path / "model.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(content | {"classes": Bomb()}))
    for name in ("model.pt", "plain.pt"):
        said = one_line(command("run", tmp_path / name, good, "-o", tmp_path / "r", code=2))
        assert "plain tensors" in said or "isn't a checkpoint" in said
    assert not WRITTEN.exists()
    (tmp_path / "model.pt").write_bytes((tmp_path / "model.pt").read_bytes()[:5000])
    assert "breaks off" in one_line(command("run", tmp_path / "model.pt", good, "-o", tmp_path / "r", code=2))
