"""Heads and first layers that differ from the network's own."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from tests.models.checkpoints.test_checkpoints import loaded, refused, same, under

HEADS = {
    "a Sequential for a linear layer": ("resnet18", "fc", nn.Sequential(nn.Dropout(), nn.Linear(512, 3)), "fc.1"),
    "with a batch norm": (
        "resnet18",
        "fc",
        nn.Sequential(nn.BatchNorm1d(512), nn.Dropout(), nn.Linear(512, 3)),
        "fc.2",
    ),
    "a linear layer for a Sequential": ("mobilenet_v3_small", "classifier", nn.Linear(576, 3), ""),
    "within a Sequential": (
        "mobilenet_v3_small",
        "classifier.3",
        nn.Sequential(nn.Dropout(), nn.Linear(1024, 3)),
        "classifier.3.1",
    ),
}


@pytest.mark.parametrize("which", HEADS)
def test_heads_of_ones_own_are_built_from_the_names(which: str, tmp_path: Path) -> None:
    name, path, head, said = HEADS[which]
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, num_classes=10)
    parent, _, own = path.rpartition(".")
    setattr(network.get_submodule(parent), own, head)
    model = loaded(tmp_path, network.state_dict(), name=name)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.network(images), network.eval()(images))
    assert not said if not model.notices else f"one linear layer, {said}" in model.notices[0]


def test_a_head_that_its_names_do_not_tell_is_refused_for_that(tmp_path: Path) -> None:
    network = torchvision.models.resnet18(num_classes=10)
    network.fc = nn.Sequential(nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, 3))
    assert "2 linear layers (fc.0.weight, fc.2.weight)" in refused(tmp_path, network.state_dict(), name="resnet18")


@pytest.mark.parametrize("channels", [1, 4])
def test_stems_of_other_channels(channels: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=3)
    network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3)
    model = loaded(tmp_path, network.state_dict(), name="resnet18")
    images = torch.rand(2, channels, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.network(images), network.eval()(images))
    assert model.preprocessing.channels == channels
    network.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    said = refused(tmp_path, network.state_dict(), name="resnet18")
    assert "conv1.weight 64×3×3×3 for 64×3×7×7" in said and "give it from a factory" in said


def test_auxiliary_heads_play_no_part(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = torchvision.models.googlenet(num_classes=1000, aux_logits=True, init_weights=False).eval()
    state = network.state_dict()
    state |= {key: value[:5] for key, value in state.items() if key.startswith("fc.")}
    model = loaded(tmp_path, state, name="googlenet")
    assert model.network.fc.out_features == 5 and model.network.aux1 is None and not model.notices
    from cnnvis_report.models.checkpoints.read_checkpoint import load_into, read_for

    other = torchvision.models.googlenet(num_classes=5, aux_logits=True, init_weights=False).eval()
    load_into(other, read_for(other, tmp_path / "last.pth"), tmp_path / "last.pth")
    assert torch.equal(other.fc.weight, state["fc.weight"]) and other.aux1 is None and other.aux_logits is False


def resnet(classes: Any = 4) -> Any:
    torch.manual_seed(1)
    return dict(torchvision.models.resnet18(num_classes=classes).state_dict())


def apart(called: Any, head: Any) -> Any:
    """A backbone, and beside it what is called so."""
    state = {f"backbone.{key}": value for key, value in resnet().items() if not key.startswith("fc.")}
    return {"state_dict": {**state, **{f"{called}.{end}": value for end, value in head.items()}}}


@pytest.mark.parametrize("called", ["head.fc", "classifier", "classifier.1", "my_head"])
def test_a_head_beside_the_features_is_found_and_said(called: Any, tmp_path: Path) -> None:
    head = {"weight": torch.rand(7, 512), "bias": torch.rand(7)}
    model = loaded(tmp_path, apart(called, head), name="resnet18")
    assert same(model, {**resnet(), "fc.weight": head["weight"], "fc.bias": head["bias"]})
    assert model.notices == (
        f"last.pth keeps its last layer, {called}, apart from the features; it was taken for the head 'fc', with "
        f"nothing between that does something in eval mode.",
    )


NO_HEADS = {
    "none": ("", {}),
    "prototypes": ("head", {"weight": torch.rand(7, 512)}),
    "projector": ("projector", {"weight": torch.rand(128, 512), "bias": torch.rand(128)}),
    "two": ("head", {"0.weight": torch.rand(64, 512), "0.bias": torch.rand(64), "2.weight": torch.rand(7, 64)}),
    "norm": ("head", {"0.weight": torch.rand(512), "1.weight": torch.rand(7, 512), "1.bias": torch.rand(7)}),
    "wider": ("head", {"weight": torch.rand(7, 1024), "bias": torch.rand(7)}),
}


@pytest.mark.parametrize("which", NO_HEADS)
def test_features_without_a_head_are_called_that(which: str, tmp_path: Path) -> None:
    said = refused(tmp_path, apart(*NO_HEADS[which]), name="resnet18")
    assert "holds the features of resnet18 without a head (fc.weight, fc.bias are missing)" in said


def test_contrastive_training_has_no_classes(tmp_path: Path) -> None:
    pairs = {"module.queue": torch.rand(8, 4), "module.queue_ptr": torch.zeros(1)}
    content = under("module.encoder_q.", resnet()) | under("module.encoder_k.", resnet()) | pairs
    assert any(
        "its last layer gives are no classes" in said for said in loaded(tmp_path, content, name="resnet18").notices
    )


def test_a_variance_without_bound_is_no_diverged_training_and_said(tmp_path: Path) -> None:
    state = resnet()
    state["bn1.running_var"][3] = float("inf")
    assert loaded(tmp_path, state, name="resnet18").notices == (
        "bn1.running_var is infinite for 1 channels: whatever they see, they give their bias alone.",
    )
