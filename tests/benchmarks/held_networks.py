"""One network in each of the forms in which people hold one, small and with random weights, for `ways`."""

import argparse
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn

Words = list[str]
CLASSES = 4
FORMS: dict[str, Callable[[Path], Words]] = {}
OWN = '''
from collections import namedtuple
import torch
from torch import nn
from torchvision.transforms import v2

Output = namedtuple("Output", "logits features")


class Net(nn.Module):
    """Small; its size is 64."""

    size = 64

    def __init__(self, classes=4, channels=3):
        super().__init__()
        torch.manual_seed(0)
        self.features = nn.Sequential(nn.Conv2d(channels, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU())
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        return self.fc(self.features(x).mean((2, 3)))


class Dictionary(Net):
    def forward(self, x):
        return {"logits": super().forward(x), "features": x}


class Pair(Net):
    def forward(self, x):
        return super().forward(x), x


class Named(Net):
    def forward(self, x):
        return Output(super().forward(x), x)


class Holder(nn.Module):
    """Trains a network, as a LightningModule does, and has no forward."""

    def __init__(self, classes):
        super().__init__()
        self.model = Net(classes)


network = Net()
compiled = torch.compile(Net(), backend="eager")
parallel = nn.DataParallel(Net())
TRANSFORM = v2.Compose([v2.ToImage(), v2.Resize(72), v2.CenterCrop(64), v2.ToDtype(torch.float32, scale=True),
                        v2.Normalize([0.5] * 3, [0.5] * 3)])


def build():
    return Net()


def settings():
    return Net(), {"resize": 72, "crop": 64, "interpolation": "bicubic", "classes": list("abcd"), "layer": "features"}


def transform():
    return Net(), {"transform": TRANSFORM}


def gray():
    return Net(channels=1)
'''


def form(name: str) -> Callable[[Callable[[Path], Words]], Callable[[Path], Words]]:
    """Name a form; the function makes it in a folder and gives MODEL with its options."""

    def announce(make: Callable[[Path], Words]) -> Callable[[Path], Words]:
        FORMS[name] = make
        return make

    return announce


def squeezenet() -> nn.Module:
    """A network of torchvision, with few classes."""
    torch.manual_seed(0)
    network: nn.Module = torchvision.models.squeezenet1_1(num_classes=CLASSES).eval()
    return network


def own(name: str) -> Any:
    """Something of the user's own module, which lies in the working folder."""
    from importlib import import_module

    return getattr(import_module("own_networks"), name)


def _checkpoint(name: str, file: str, content: Callable[[dict[str, Any]], object], *, legacy: bool = False) -> None:
    @form(name)
    def make(folder: Path) -> Words:
        torch.save(content(squeezenet().state_dict()), folder / file, _use_new_zipfile_serialization=not legacy)
        key = "#model_ema" if "ema" in file else ""
        return ["squeezenet1_1", "--weights", f"{folder / file}{key}"]


def _under(prefix: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda state: {f"{prefix}{key}": value for key, value in state.items()}


ARGUMENTS = argparse.Namespace(lr=0.1, arch="squeezenet1_1")
_checkpoint("a state dict, .pth", "bare.pth", lambda state: state)
_checkpoint("a state dict of before PyTorch 1.6", "old.pth", lambda state: state, legacy=True)
_checkpoint(
    "a training script's checkpoint", "script.pt", lambda state: {"model": state, "args": ARGUMENTS, "epoch": 3}
)
_checkpoint("DataParallel's weights", "parallel.pth", _under("module."))
_checkpoint(
    "averaged weights, FILE#KEY", "ema.pth", lambda state: {"model": state, "model_ema": _under("module.")(state)}
)
_checkpoint(
    "Lightning, as --weights",
    "l.ckpt",
    lambda state: {"pytorch-lightning_version": "2.5", "state_dict": _under("net.")(state)},
)


@form("safetensors")
def _safetensors(folder: Path) -> Words:
    from safetensors.torch import save_file

    save_file(squeezenet().state_dict(), folder / "weights.safetensors")
    return ["squeezenet1_1", "--weights", str(folder / "weights.safetensors")]


@form("weights and --arch")
def _weights(folder: Path) -> Words:
    torch.save(squeezenet().state_dict(), folder / "weights.pth")
    return [str(folder / "weights.pth"), "--arch", "squeezenet1_1"]


@form("a fastai learner's weights, learn.save()")
def _learner_weights(folder: Path) -> Words:
    body = nn.Sequential(*list(torchvision.models.resnet18().children())[:-2])
    head = [
        nn.Identity(),
        nn.Flatten(),
        nn.BatchNorm1d(1024),
        nn.Dropout(),
        nn.Linear(1024, 512, bias=False),
        nn.ReLU(),
    ]
    head += [nn.BatchNorm1d(512), nn.Dropout(), nn.Linear(512, CLASSES, bias=False)]
    torch.save({"model": nn.Sequential(body, nn.Sequential(*head)).state_dict(), "opt": {}}, folder / "learner.pth")
    return ["resnet18", "--weights", str(folder / "learner.pth")]


def _lightning(folder: Path, state: dict[str, Any]) -> str:
    content = {"pytorch-lightning_version": "2.5", "state_dict": state, "hyper_parameters": {"classes": CLASSES}}
    torch.save(content, folder / "last.ckpt")
    return str(folder / "last.ckpt")


@form("Lightning, --arch NAME")
def _lightning_name(folder: Path) -> Words:
    return [_lightning(folder, _under("model.")(squeezenet().state_dict())), "--arch", "squeezenet1_1"]


@form("Lightning, --arch CLASS")
def _lightning_class(folder: Path) -> Words:
    return [_lightning(folder, own("Holder")(CLASSES).state_dict()), "--arch", "own_networks:Holder"]


def _pickled(name: str, content: Callable[[], object], write: Callable[[object, Path], object]) -> None:
    @form(name)
    def make(folder: Path) -> Words:
        write(content(), folder / "whole.pt")
        return [str(folder / "whole.pt"), "--trust"]


class Learner:
    """As fastai's, by what it holds."""

    def __init__(self) -> None:
        self.model = own("Net")()
        self.dls = argparse.Namespace(vocab=list("abcd"))


_pickled("torch.save(network)", lambda: own("Net")(), torch.save)
_pickled("pickle.dump(network)", lambda: own("Net")(), lambda content, path: path.write_bytes(pickle.dumps(content)))
_pickled("torch.save(DataParallel(network))", lambda: nn.DataParallel(own("Net")()), torch.save)
_pickled("a checkpoint with the whole network", lambda: {"epoch": 3, "model": own("Net")()}, torch.save)
_pickled("a fastai learner, learn.export()", Learner, torch.save)


def _factory(name: str, spec: str, *options: str) -> None:
    @form(name)
    def make(_: Path) -> Words:
        return [spec, *options]


_factory("a function", "own_networks:build")
_factory("a function by its file", "own_networks.py:build")
_factory("a class", "own_networks:Net")
_factory("a class with arguments", "own_networks:Net", "--arg", "classes=6")
_factory("a network that a module holds", "own_networks:network")
_factory("a compiled network", "own_networks:compiled")
_factory("a parallel network", "own_networks:parallel")
_factory("a function and a dictionary", "own_networks:settings")
_factory("a function and a transform", "own_networks:transform")
_factory("a module that trains a network", "own_networks:Holder", "--arg", "classes=4")
_factory("a network of gray pictures", "own_networks:gray")
_factory("a dictionary with logits", "own_networks:Dictionary")
_factory("a tuple as the output", "own_networks:Pair")
_factory("a named tuple as the output", "own_networks:Named")


@form("a class and its weights")
def _class_and_weights(folder: Path) -> Words:
    torch.save(own("Net")().state_dict(), folder / "own.pth")
    return ["own_networks:Net", "--weights", str(folder / "own.pth")]


@form("a model that was trained here")
def _trained(folder: Path) -> Words:
    from tests.conftest import command

    command("make-dataset", "shapes", "-n", 12, "-o", folder / "set", "--size", 32, "-q")
    command("train", folder / "set", "-o", folder / "trained.pt", "--epochs", 1, "--device", "cpu", "-q")
    return [str(folder / "trained.pt")]
