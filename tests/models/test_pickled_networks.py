"""Whole networks in pickles: refused with the classes in them, and opened where the user trusts the file."""

import pickle
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from tests.conftest import command
from tests.robustness.mutated_models import failures


class Tiny(nn.Module):
    """A network whose class can be imported."""

    size = 32

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
        self.fc = nn.Linear(4, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.fc(self.features(images).mean((2, 3)))
        return scores


class Normalize:
    """As fastai's, by its name and what it holds."""

    def __init__(self) -> None:
        self.mean, self.std = torch.full((1, 3, 1, 1), 0.4), torch.full((1, 3, 1, 1), 0.2)


class Resize:
    """As fastai's: (width, height), a method, and Pillow's filters."""

    def __init__(self, size: tuple[int, int], method: str = "crop") -> None:
        self.size, self.method, self.resamples = size, method, (3, 0)


class Steps:
    """As a pipeline of fastai's."""

    def __init__(self, *steps: object) -> None:
        self.fs = list(steps)


class Loaders:
    """As fastai's: a vocabulary, and what is done to an item and to a batch."""

    def __init__(self, resize: Resize) -> None:
        self.vocab = ["cat", "dog", "owl"]
        self.after_item, self.after_batch = Steps(resize), Steps(Normalize())


class Learner:
    """As fastai's `learn.export()` writes it."""

    def __init__(self, model: nn.Module, resize: Resize) -> None:
        self.model, self.dls = model, Loaders(resize)


class Trainer(nn.Module):
    """Holds the network that it trains, and has no forward."""

    def __init__(self) -> None:
        super().__init__()
        self.criterion, self.net = nn.CrossEntropyLoss(), Tiny()


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    return Tiny().eval()


def saved(folder: Path, content: object, write: Callable[..., object] = torch.save) -> str:
    path = folder / "model.pt"
    if write is torch.save:
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    return str(path)


FORMS: dict[str, Callable[[nn.Module], Any]] = {
    "the network": lambda network: network,
    "under a key": lambda network: {"epoch": 3, "model": network, "optimizer": {}},
    "averaged beside": lambda network: {"model": Tiny(5), "ema": network},
    "with its use": lambda network: (network, {"size": 40, "classes": ["a", "b", "c"]}),
    "parallel": nn.DataParallel,
    "compiled": lambda network: torch.compile(network, backend="eager"),
    "a learner": lambda network: Learner(network, Resize((48, 48))),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("write", [torch.save, pickle.dump], ids=["torch.save", "pickle.dump"])
@pytest.mark.filterwarnings("ignore")
def test_every_form_is_refused_with_its_classes_and_opened_where_it_is_trusted(
    form: str, write: Callable[..., object], network: nn.Module, tmp_path: Path
) -> None:
    path = saved(tmp_path, FORMS[form](network), write)
    with pytest.raises(BadRequest) as caught:
        load_model(path)
    said = str(caught.value)
    assert "this pickle of tests.models.test_pickled_networks." in said and "would run as a program" in said
    assert "--trust" in said and "\n" not in said
    model = load_model(path, trusted=True)
    assert type(model.network) is Tiny
    images = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(model.network(images), network(images), rtol=0, atol=0)


def test_a_factory_may_be_pickled_with_its_settings(network: nn.Module, tmp_path: Path) -> None:
    model = load_model(saved(tmp_path, FORMS["with its use"](network)), trusted=True)
    assert model.preprocessing.size == (40, 40) and model.classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("resize", "expected"),
    [
        pytest.param(Resize((48, 48)), (48, (48, 48)), id="a square from the middle"),
        pytest.param(Resize((48, 48), "squish"), ((48, 48), None), id="squished"),
        pytest.param(Resize((64, 48)), ((48, 64), None), id="width before height"),
    ],
)
def test_a_learner_says_classes_and_preprocessing(resize: Resize, expected: Any, tmp_path: Path) -> None:
    model = load_model(saved(tmp_path, Learner(Tiny(), resize)), trusted=True)
    assert model.classes == ("cat", "dog", "owl")
    known = model.preprocessing
    assert (known.resize, known.crop) == expected and known.interpolation == "bicubic"
    assert known.mean == pytest.approx((0.4,) * 3) and known.std == pytest.approx((0.2,) * 3)


def test_a_module_of_training_says_which_is_the_network(tmp_path: Path) -> None:
    model = load_model(saved(tmp_path, Trainer()), trusted=True)
    assert type(model.network) is Tiny
    assert "The network is Trainer's net; Trainer has no forward of its own." in model.notices


class Program:
    """A pickle that makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


class Holding(Tiny):
    """A network with something beside its parts."""

    def __init__(self, extra: object) -> None:
        super().__init__()
        self.extra = extra


PLANTED: dict[str, Callable[[Any], Any]] = {
    "alone": lambda program: program,
    "in a dictionary": lambda program: {"state_dict": {"a": torch.ones(2)}, "config": program},
    "in a checkpoint of Lightning": lambda program: {
        "pytorch-lightning_version": "2.5.0",
        "state_dict": {"a.weight": torch.ones(2, 2)},
        "hyper_parameters": {"classes": 2, "loss": program},
    },
    "in a learner": lambda program: Learner(Tiny(), program),
    "among the parts of a network": lambda program: nn.Sequential(Holding(program)),
}


@pytest.mark.parametrize("where", PLANTED)
@pytest.mark.parametrize("protocol", [0, 2, 4], ids=lambda protocol: f"protocol {protocol}")
@pytest.mark.parametrize("way", ["torch.save", "old torch.save", "pickle.dump"])
def test_nothing_runs_before_the_user_trusts(where: str, protocol: int, way: str, tmp_path: Path) -> None:
    planted = tmp_path / "planted"
    content, path = PLANTED[where](Program(planted)), tmp_path / "model.ckpt"
    if way == "pickle.dump":
        path.write_bytes(pickle.dumps(content, protocol))
    else:
        new = way == "torch.save"
        torch.save(content, path, pickle_protocol=protocol, _use_new_zipfile_serialization=new)
    for architecture in ("", "resnet18", "tests.models.test_pickled_networks:Tiny"):
        with pytest.raises(BadRequest) as caught:
            load_model(str(path), architecture=architecture)
        assert "\n" not in str(caught.value) and not planted.exists()
    with pytest.raises(BadRequest):
        load_model("resnet18", path)
    assert not planted.exists()


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A script whose class is pickled as one of `__main__`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "script_of_mine.py"
    path.write_text("from torch import nn\n\n\nclass Mine(nn.Sequential):\n    size = 24\n")
    module = ModuleType("__main__")
    exec(path.read_text(), vars(module))
    vars(module)["Mine"].__module__ = "__main__"
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "__main__", module)
        torch.save(vars(module)["Mine"](nn.Conv2d(3, 2, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), "mine.pt")
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # the program that opens it is another
    yield path
    sys.modules.pop("script_of_mine", None)


def test_a_class_of_a_script_is_looked_for_where_arch_says(script: Path) -> None:
    with pytest.raises(BadRequest, match=r"its class Mine was defined in the script .*--arch path/to/script\.py:Mine"):
        load_model("mine.pt", trusted=True)
    model = load_model("mine.pt", trusted=True, architecture="script_of_mine.py:Mine")
    assert model.name == "Mine" and model.preprocessing.size == (24, 24)


def test_a_library_that_isnt_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "export.pkl").write_bytes(b"\x80\x02cnobody_has_this.learner\nLearner\n)\x81.")
    path = str(tmp_path / "export.pkl")
    with pytest.raises(BadRequest, match=r"this pickle of nobody_has_this\.learner\.Learner would run"):
        load_model(path)
    with pytest.raises(BadRequest, match=r"export\.pkl: imports 'nobody_has_this', which isn't installed here"):
        load_model(path, trusted=True)


def test_a_pickle_without_a_network_says_what_it_holds(tmp_path: Path) -> None:
    path = saved(tmp_path, {"a": Resize((1, 1))})
    with pytest.raises(BadRequest, match=r"holds a dict and no network \(its keys: a\)"):
        load_model(path, trusted=True)


def test_the_command_line_says_it_in_one_line(network: nn.Module, tmp_path: Path) -> None:
    path = saved(tmp_path, network)
    result = command("layers", path, code=2)
    assert re.fullmatch(r"Error: .*model\.pt: this pickle of .*\n", result.stderr)
    assert "features.0" in command("layers", path, "--trust").stdout


def test_the_help_says_why() -> None:
    assert "is a program that runs with your rights" in " ".join(command("run", "--help").stdout.split())


def test_damaged_pickles_are_refused_in_a_line(network: nn.Module, tmp_path: Path) -> None:
    assert not failures(Path(saved(tmp_path, network)), count=14)
