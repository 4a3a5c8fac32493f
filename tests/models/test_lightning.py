"""Checkpoints in Lightning's form: by an architecture's name, or by a class and the hyper-parameters in the file."""

import argparse
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.lightning.checkpoint import HyperParameters, is_lightning
from cnnvis_report.models.load import load_model
from tests.conftest import command
from tests.narrow import layer
from tests.robustness.mutated_models import failures

HERE = "tests.models.test_lightning"
CLASSES = 4


class Whole(nn.Module):
    """Has a forward, and a loss beside the network."""

    size = 32

    def __init__(self, classes: int, width: int = 8, path: Path | None = None, loss: object = None) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(width, classes)
        self.criterion = nn.CrossEntropyLoss(weight=torch.ones(classes))
        self.told = classes, width, path, loss

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(self.net(images))
        return scores


class Holder(nn.Module):
    """Has no forward of its own."""

    def __init__(self, classes: int, **_: object) -> None:
        super().__init__()
        self.backbone, self.metric = Whole(classes), nn.Module()


class OfArguments(Whole):
    """Gets all of its hyper-parameters as one."""

    def __init__(self, args: Any) -> None:
        super().__init__(args.classes, args["width"])


def plain(width: int) -> nn.Module:
    """A function in place of a class."""
    return nn.Sequential(nn.Conv2d(3, width, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def checkpoint(folder: Path, network: nn.Module, told: Mapping[str, object], prefix: str = "", **more: object) -> str:
    path = folder / "last.ckpt"
    state = {f"{prefix}{key}": value for key, value in network.state_dict().items()}
    content = {"epoch": 3, "pytorch-lightning_version": "2.5.1", "state_dict": state, "hyper_parameters": dict(told)}
    torch.save({**content, "callbacks": {}, "optimizer_states": [{"state": {}, "param_groups": []}], **more}, path)
    return str(path)


@pytest.fixture
def network() -> Whole:
    torch.manual_seed(0)
    return Whole(CLASSES, 6).eval()


TOLD = {"classes": CLASSES, "width": 6, "lr": 0.1, "data": "photos"}
IMAGES = torch.rand(2, 3, 32, 32)


def test_a_class_gets_the_hyper_parameters_that_it_has_parameters_for(network: Whole, tmp_path: Path) -> None:
    path = checkpoint(tmp_path, network, TOLD | {"path": Path("a") / "b"})
    model = load_model(path, architecture=f"{HERE}:Whole")
    assert isinstance(model.network, Whole) and model.network.told == (CLASSES, 6, Path("a/b"), None)
    torch.testing.assert_close(model.network(IMAGES), network(IMAGES), rtol=0, atol=0)
    assert (model.name, model.weights, model.loader) == ("Whole", "last.ckpt", "a checkpoint of Lightning")


def test_the_network_within_is_taken_where_there_is_no_forward(network: Whole, tmp_path: Path) -> None:
    path = checkpoint(tmp_path, Holder(CLASSES), {"classes": CLASSES})
    model = load_model(path, architecture=f"{HERE}:Holder")
    assert isinstance(model.network, Whole)
    assert "The network is Holder's backbone; Holder has no forward of its own." in model.notices


def test_arguments_go_over_the_hyper_parameters(network: Whole, tmp_path: Path) -> None:
    path = checkpoint(tmp_path, network, TOLD | {"width": 99})
    with pytest.raises(BadRequest, match=r"the weights are of another network: .*net\.0\.weight 6×3×3×3 for 99×3×3×3"):
        load_model(path, architecture=f"{HERE}:Whole")
    model = load_model(path, architecture=f"{HERE}:Whole", arguments={"width": "6"})
    assert layer(model.network, "head", nn.Linear).in_features == 6


def test_all_of_them_may_be_one_argument(network: Whole, tmp_path: Path) -> None:
    path = checkpoint(tmp_path, network, TOLD, hparams_name="args", hparams_type=argparse.Namespace)
    assert layer(load_model(path, architecture=f"{HERE}:OfArguments").network, "head", nn.Linear).out_features == 4


def test_a_function_may_stand_for_the_class(tmp_path: Path) -> None:
    path = checkpoint(tmp_path, plain(5), {"width": 5}, prefix="model.")
    assert layer(load_model(path, architecture=f"{HERE}:plain").network, "0", nn.Conv2d).out_channels == 5


class Loss:
    """Somebody's object among the hyper-parameters."""

    weight = 2


def test_a_value_that_is_no_plain_data_needs_trust_where_it_is_used(network: Whole, tmp_path: Path) -> None:
    path = checkpoint(tmp_path, network, TOLD | {"loss": Loss(), "other": Loss()}, extra=Loss())
    with pytest.raises(BadRequest, match=r"its hyper-parameter loss, a tests\.models\.test_lightning\.Loss, would run"):
        load_model(path, architecture=f"{HERE}:Whole")
    trusted = load_model(path, architecture=f"{HERE}:Whole", trusted=True)
    assert isinstance(trusted.network, Whole) and isinstance(trusted.network.told[3], Loss)
    without = load_model(path, architecture=f"{HERE}:Whole", arguments={"loss": "none"})
    assert isinstance(without.network, Whole) and without.network.told[3] is None


def test_a_value_within_a_list_is_looked_at_too() -> None:
    told = HyperParameters(
        {"hyper_parameters": {"losses": [1, {"a": Loss()}]}}, lambda what: {"hyper_parameters": {"losses": what}}
    )
    assert told["losses"] == "its hyper-parameter losses, a tests.models.test_lightning.Loss,"


@pytest.mark.parametrize("prefix", ["model.", "net.", "backbone._orig_mod."])
def test_another_loader_opens_the_architecture_that_is_named(prefix: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = torchvision.models.squeezenet1_1(num_classes=CLASSES).eval()
    path = checkpoint(tmp_path, network, {"loss": Loss()}, prefix=prefix)
    model = load_model(path, architecture="squeezenet1_1")
    torch.testing.assert_close(model.network(IMAGES), network(IMAGES), rtol=0, atol=0)
    assert model.loader == "a checkpoint of Lightning, of a classifier of torchvision"
    assert load_model("squeezenet1_1", Path(path)).weights == "last.ckpt"
    with pytest.raises(BadRequest, match="They fit squeezenet1_1 best"):
        load_model(path, architecture="resnet18")


def test_without_an_architecture_one_line_says_what_the_file_says(tmp_path: Path) -> None:
    network = torchvision.models.squeezenet1_1(num_classes=CLASSES)
    path = checkpoint(tmp_path, network, {"num_classes": CLASSES, "name": "birds", "loss": Loss()}, prefix="net.")
    with pytest.raises(BadRequest) as caught:
        load_model(path)
    assert str(caught.value) == (
        "last.ckpt is a checkpoint of Lightning 2.5.1, which doesn't hold its network: give --arch NAME or --arch "
        "package.module:Class. Its hyper_parameters: num_classes=4, name=birds, loss. It has 52 tensors, the last "
        "weight classifier.1.weight, 4×512×1×1. They fit squeezenet1_1 best: 96% of its tensors are there."
    )


REFUSED = {
    "of no parameter": (f"{HERE}:Whole", {"widht": "3"}, "'widht'. Did you mean 'width'?"),
    "of another type": (f"{HERE}:Whole", {"width": "wide"}, "--arg width=wide: width of .*:Whole is a whole number"),
    "an unknown name": ("resnet19", {}, "No model is called 'resnet19'. Did you mean 'resnet18'?"),
    "an argument of a name": ("squeezenet1_1", {"classes": "4"}, "which has no use for --arg"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cant_be_meant_is_one_line(what: str, network: Whole, tmp_path: Path) -> None:
    architecture, arguments, says = REFUSED[what]
    with pytest.raises(BadRequest, match=says) as caught:
        load_model(checkpoint(tmp_path, network, TOLD), architecture=architecture, arguments=arguments)
    assert "\n" not in str(caught.value)


def test_other_checkpoints_are_no_checkpoints_of_lightning(tmp_path: Path) -> None:
    torch.save({"state_dict": {"a": torch.ones(1)}}, tmp_path / "a.ckpt")
    (tmp_path / "text.ckpt").write_text("pytorch-lightning_version")
    assert not any(is_lightning(tmp_path / name) for name in ("a.ckpt", "text.ckpt", "none.ckpt", "."))


def test_weights_and_an_architecture_by_option_are_a_network_too(tmp_path: Path) -> None:
    torch.save(torchvision.models.squeezenet1_1(num_classes=CLASSES).state_dict(), tmp_path / "weights.pth")
    result = command("layers", tmp_path / "weights.pth", "--arch", "squeezenet1_1")
    assert "features" in result.stdout
    alone = command("layers", tmp_path / "weights.pth", code=2)
    assert "give the architecture as MODEL" in alone.stderr and "--arch" in alone.stderr


def test_damaged_checkpoints_are_refused_in_a_line(network: Whole, tmp_path: Path) -> None:
    checkpoint(tmp_path, network, TOLD | {"loss": Loss()})
    assert not failures(tmp_path / "last.ckpt", count=14)


def test_an_archive_that_unfolds_to_much_more_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.ckpt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"pytorch-lightning_version" + bytes(1 << 27))
    with pytest.raises(BadRequest, match=r"bomb\.ckpt: .* bytes that unfold to"):
        load_model(str(tmp_path / "bomb.ckpt"), architecture="resnet18")
