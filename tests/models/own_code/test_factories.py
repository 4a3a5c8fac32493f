"""Networks of a user's own: found by module or path, and what goes wrong in them is one line with its place."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from tests.conftest import command
from tests.narrow import layer

NET = """
import torch
from torch import nn


class Tiny(nn.Module):
    size = 32

    def __init__(self, classes=5):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        return self.fc(self.features(x).mean((2, 3)))


class Wide(Tiny):
    def __init__(self, width, *, depth):
        super().__init__()


class Zoo:
    @staticmethod
    def small():
        return Tiny(3)


model = Tiny(4)
compiled = torch.compile(Tiny(6), backend="eager")
parallel = nn.DataParallel(Tiny(7))
parallel.class_names = list("abcdefg")
number = 3


def inner():
    return nn.Conv2d("3", 4, 1)


def lost():
    raise FileNotFoundError(2, "No such file or directory", "weights/best.pth")


def needs():
    import package_of_nobody


def ends():
    raise SystemExit(3)


def pair():
    return model, number


def scripted():
    return torch.jit.script(Tiny())


def odd_size():
    network = Tiny()
    network.size = "large"
    return network


def odd_mean():
    network = Tiny()
    network.mean = ["a"]
    return network


def normalizing():
    network = Tiny()
    network.register_buffer("mean", torch.zeros(1, 3, 1, 1))
    return network
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    known = set(sys.modules)
    (tmp_path / "own_net.py").write_text(NET)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.split(".")[0] in ("own_net", "nets", "slip", "loads", "parses") or "@" in name:
            del sys.modules[name]


def head(spec: str) -> nn.Linear:
    return layer(load_model(spec).network, "fc", nn.Linear)


WAYS = {
    "own_net:Tiny": 5,
    "./own_net.py:Tiny": 5,
    "own_net.py:Tiny": 5,
    "own_net:model": 4,
    "own_net:compiled": 6,
    "own_net:parallel": 7,
    "own_net:Zoo.small": 3,
}


@pytest.mark.parametrize("spec", WAYS)
def test_a_function_a_class_or_a_network_by_module_or_path(spec: str, folder: Path) -> None:
    model = load_model(spec)
    assert layer(model.network, "fc", nn.Linear).out_features == WAYS[spec] and type(model.network).__name__ == "Tiny"
    assert model.preprocessing.size == (32, 32) and model.name == spec.rpartition(":")[2]
    assert model.classes == (tuple("abcdefg") if "parallel" in spec else None)


def test_a_file_elsewhere_and_one_of_a_package(folder: Path) -> None:
    (folder / "nets" / "deep").mkdir(parents=True)
    (folder / "nets" / "deep" / "__init__.py").write_text("")
    (folder / "nets" / "deep" / "own_net.py").write_text("from .parts import classes\nfrom own_net import Tiny\n"
                                                         "def build():\n    return Tiny(classes)\n")  # fmt: skip
    (folder / "nets" / "deep" / "parts.py").write_text("classes = 9\n")
    assert head("nets/deep/own_net.py:build").out_features == 9
    assert head(f"{folder}/nets/deep/own_net.py:build").out_features == 9
    (folder / "nets" / "own_net.py").write_text(NET.replace("Tiny(4)", "Tiny(8)"))
    assert head("own_net.py:model").out_features == 4
    assert head("nets/own_net.py:model").out_features == 8  # another file of the same name


def test_a_folder_without_an_init_file_is_a_package_too(folder: Path) -> None:
    (folder / "loose").mkdir()
    (folder / "loose" / "net_of_it.py").write_text("from .sizes import classes\nfrom own_net import Tiny\n"
                                                   "def build():\n    return Tiny(classes)\n")  # fmt: skip
    (folder / "loose" / "sizes.py").write_text("classes = 6\n")
    assert head("loose/net_of_it.py:build").out_features == 6


def test_a_network_that_casts_its_images_keeps_its_type(folder: Path) -> None:
    (folder / "halves.py").write_text("from own_net import Tiny\nclass Half(Tiny):\n    def forward(self, x):\n"
                                      "        return super().forward(x.bfloat16()).float()\n"
                                      "def build():\n    return Half().bfloat16()\n"
                                      "def plain():\n    return Tiny().bfloat16()\n")  # fmt: skip
    assert head("halves.py:build").weight.dtype == torch.bfloat16
    assert head("halves.py:plain").weight.dtype == torch.float32


REFUSED = {
    "own_net:inner": "own_net.py:37 (inner): TypeError: ",
    "own_net:lost": "own_net.py:41 (lost): FileNotFoundError: [Errno 2] No such file or directory: 'weights/best.pth'",
    "own_net:needs": "own_net.py:45 (needs) imports 'package_of_nobody', which isn't installed here",
    "own_net:ends": "own_net.py:49 (ends) ends the program (SystemExit: 3)",
    "own_net:pair": "returns a tuple; a torch.nn.Module is needed",
    "own_net:scripted": "is TorchScript",
    "own_net:Wide": "can't be called without width, depth: give --arg width=VALUE --arg depth=VALUE",
    "own_net:number": "number is of type int; a function or a torch.nn.Module is needed",
    "own_net:Tinny": "own_net has no function 'Tinny'. Did you mean 'Tiny'?",
    "own_net:odd_size": "its size is 'large'",
    "own_net:odd_mean": "its mean is list",
    "own_nett:Tiny": "can't import 'own_nett' (No module named 'own_nett'). Did you mean own_net.py?",
    "./own_nett.py:Tiny": "there is no file ./own_nett.py. Did you mean own_net.py?",
    "own net:Tiny": "'own net' is neither a module's name nor a file",
    "slip.py:build": "slip.py:1: invalid syntax (SyntaxError)",
    "loads:build": "loads.py:1 imports 'package_of_nobody', which isn't installed here",
    "parses:build": "parses.py:2 ends the program (SystemExit: 2)",
    "waits.py:build": "build is an async function; give a plain one",
    "divides.py:build": "divides.py:2: ZeroDivisionError: division by zero",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("spec", REFUSED)
def test_what_goes_wrong_is_one_line_with_its_place(spec: str, folder: Path) -> None:
    (folder / "slip.py").write_text("def build(:\n")
    (folder / "loads.py").write_text("import package_of_nobody\n")
    (folder / "parses.py").write_text("import argparse, sys\nsys.exit(2)\n")
    (folder / "waits.py").write_text("async def build(): ...\n")
    (folder / "divides.py").write_text("\n1 / 0\n")
    with pytest.raises(BadRequest) as caught:
        load_model(spec)
    said = str(caught.value)
    assert said.startswith(spec) and REFUSED[spec] in said and "\n" not in said and str(folder) not in said


def test_constants_that_a_network_works_with_are_not_taken_for_a_wish(folder: Path) -> None:
    model = load_model("own_net:normalizing")
    assert model.preprocessing.mean == pytest.approx((0.485, 0.456, 0.406))
    assert "tensors mean are taken for its own arithmetic" in model.notices[0]


def test_the_whole_traceback_is_there_for_the_asking(folder: Path) -> None:
    plain = command("run", "own_net:lost", "pictures", "-o", "out", code=2)
    assert plain.stderr.count("\n") == 1 and "Traceback" not in plain.stderr
    full = command("run", "own_net:lost", "pictures", "-o", "out", "--verbose", code=2)
    assert full.stderr.startswith(plain.stderr) and 'own_net.py", line 41, in lost' in full.stderr
