"""Checkpoints as training scripts leave them: what is inert is let in, the rest named, the right weights found."""

import pathlib
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.read_checkpoint import read_state
from cnnvis_report.models.load import load_model
from tests.models.conftest import State


def under(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


def loaded(tmp_path: Path, content: Any, key: Any = "", name: Any = "squeezenet1_1") -> Any:
    path = tmp_path / "last.pth"
    torch.save(content, path)
    return load_model(name, pathlib.Path(f"{path}{key}"))


def refused(tmp_path: Path, content: Any, key: Any = "", name: Any = "squeezenet1_1") -> Any:
    with pytest.raises(BadRequest) as caught:
        loaded(tmp_path, content, key, name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(model: Any, state: State) -> Any:
    return all(torch.equal(value, state[key]) for key, value in model.network.state_dict().items())


def test_a_pickled_network_is_said_to_be_one(network: nn.Module, tmp_path: Path) -> None:
    said = refused(tmp_path, {"model": network})
    assert "a pickled network or a part of one (torchvision.models.squeezenet.SqueezeNet)" in said


def refused_path(path: Path, name: Any = "squeezenet1_1") -> Any:
    with pytest.raises(BadRequest) as caught:
        load_model(name, path)
    return str(caught.value)


PREFIXES = ["model.", "backbone.", "network.", "encoder.", "module._orig_mod.", "net.module.", "a.b.c.", "student."]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_prefix_comes_off_and_what_is_beside_is_said(prefix: Any, state: State, tmp_path: Path) -> None:
    content = {**under(prefix, state), "criterion.weight": torch.ones(4), "train_acc.tp": torch.ones(1)}
    model = loaded(tmp_path, {"state_dict": content})
    assert same(model, state)
    assert model.notices == ("last.pth holds 2 tensors beside: criterion.weight, train_acc.tp.",)


def test_what_compiling_leaves_in_the_middle_of_names_is_taken_out(state: State, tmp_path: Path) -> None:
    content = {f"backbone._orig_mod.{key}".replace("features.3.", "features.3._orig_mod."): state[key] for key in state}
    assert same(loaded(tmp_path, content), state)


def test_of_two_networks_that_fit_alike_it_is_said_which_was_taken(state: State, zeros: State, tmp_path: Path) -> None:
    content = {**under("student.", state), **under("teacher.", zeros)}
    model = loaded(tmp_path, content)
    assert same(model, state)
    assert model.notices == ("The weights of student are used; last.pth#teacher would fit as well.",)
    assert same(loaded(tmp_path, content, "#teacher"), zeros)
    separate = {"student": under("module.backbone.", state), "teacher": under("backbone.", zeros)}
    assert same(loaded(tmp_path, separate), state) and same(loaded(tmp_path, separate, "#teacher"), zeros)


def test_parts_of_another_network_are_not_left_over_in_silence(state: State, tmp_path: Path) -> None:
    assert "1 unexpected (neck.weight)" in refused(tmp_path, {**state, "neck.weight": torch.ones(4)})
    deeper = torchvision.models.resnet34(num_classes=3).state_dict()
    said = refused(tmp_path, deeper, name="resnet18")
    assert "unexpected (layer1.2.conv1.weight" in said and "They fit resnet34 best: 99% of its tensors" in said


def test_where_no_network_is_known_the_likeliest_tensors_are_read(state: State, zeros: State, tmp_path: Path) -> None:
    for content in (
        {"model": zeros, "model_ema": {**under("module.", state), "n_averaged": torch.tensor(9)}},
        {"state_dict": {**under("model.", state), "criterion.weight": torch.ones(4)}},
        {"network_state_dict": state, "optimizer_state_dict": {}},
    ):
        torch.save(content, tmp_path / "w.pth")
        found = read_state(tmp_path / "w.pth")
        assert all(torch.equal(found[key], value) for key, value in state.items())


def test_infinity_in_a_mask_is_no_diverged_training(state: State, tmp_path: Path) -> None:
    assert "bn1.running_var has 64" in refused_factory_state(tmp_path)
    model = load_model("tests.factories:masked")
    assert float(model.network.get_buffer("mask").min()) == -float("inf")


def refused_factory_state(tmp_path: Path) -> Any:
    state = torchvision.models.resnet18(num_classes=3).state_dict()
    state["bn1.running_var"] = state["bn1.running_var"] * float("nan")
    return refused(tmp_path, state, name="resnet18")


@pytest.mark.filterwarnings("ignore")
def test_tensors_that_are_no_weights_are_named(state: State, tmp_path: Path) -> None:
    whole = {key: (10 * value).to(torch.int8) for key, value in state.items()}
    assert "features.0.weight holds torch.int8" in refused(tmp_path, whole)
    odd = {**state, "classifier.1.bias": torch.quantize_per_tensor(torch.rand(4), 0.1, 0, torch.qint8)}
    assert "classifier.1.bias is quantized" in refused(tmp_path, odd)
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(1))], 0.1)
    assert "the state of an optimizer and no weights" in refused(tmp_path, optimizer.state_dict())
