"""Model files that are damaged or mean harm."""

import copy
import os
import pickle
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

from cnnvis_report.errors import CnnVisError
from cnnvis_report.models.architectures import Architecture, build
from cnnvis_report.models.load import load_model
from cnnvis_report.models.trained_file import write_trained
from cnnvis_report.synthetic.layers import draw
from tests.cli.words import one_line
from tests.conftest import command
from tests.exhaustive import represented
from tests.models.test_trained_file import described
from tests.training.test_bad_input import ONCE
from tests.training.trainings import class_folders, trained

WRITTEN = Path(tempfile.gettempdir()) / f"written-by-a-model-{os.getpid()}"


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


@pytest.mark.parametrize("field", represented(DAMAGED, by=12))
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
        assert "would run as a program" in said or "isn't a checkpoint" in said
    assert not WRITTEN.exists()
    (tmp_path / "model.pt").write_bytes((tmp_path / "model.pt").read_bytes()[:5000])
    assert "breaks off" in one_line(command("run", tmp_path / "model.pt", good, "-o", tmp_path / "r", code=2))
