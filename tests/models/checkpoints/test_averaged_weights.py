"""Of several sets of weights in one file the averaged ones come first, and any can be chosen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from cnnvis_report.models.load import load_model
from tests.models.checkpoints.test_checkpoints import loaded, refused, refused_path, same, under
from tests.models.conftest import State

AVERAGES: dict[str, tuple[Callable[[State, State], dict[str, Any]], str, str]] = {
    "timm": (lambda s, z: {"state_dict": z, "state_dict_ema": s}, "state_dict_ema", "state_dict"),
    "torchvision": (
        lambda s, z: {"model": z, "model_ema": {**under("module.", s), "n_averaged": torch.tensor(9)}},
        "model_ema",
        "model",
    ),
    "shadow": (lambda s, z: {"model": z, "ema": {"decay": 0.9, "shadow": s}}, "ema.shadow", "model"),
    "inside": (
        lambda s, z: {"state_dict": {**under("model.", z), **under("ema.module.", s)}},
        "state_dict.ema",
        "state_dict.model",
    ),
    "camel": (lambda s, z: {"model": z, "modelEMA": s}, "modelEMA", "model"),
    "swa": (
        lambda s, z: {"state_dict": z, "callbacks": {"S": {"n_averaged": 2, "average_model_state": s}}},
        "callbacks.S.average_model_state",
        "state_dict",
    ),
}


@pytest.mark.parametrize("which", AVERAGES)
def test_averaged_weights_come_first_and_it_is_said(which: str, state: State, zeros: State, tmp_path: Path) -> None:
    make, key, other = AVERAGES[which]
    model = loaded(tmp_path, make(state, zeros))
    assert same(model, state)
    assert model.notices == (f"Averaged weights ({key}) are used; last.pth#{other} chooses the others.",)
    chosen = loaded(tmp_path, make(state, zeros), f"#{other}")
    assert same(chosen, zeros) and chosen.weights == f"last.pth#{other}"
    assert same(loaded(tmp_path, make(state, zeros), f"#{key}"), state)


def test_an_average_of_nothing_yet_is_not_preferred(state: State, zeros: State, tmp_path: Path) -> None:
    content = {"model": state, "model_ema": {**under("module.", zeros), "n_averaged": torch.tensor(0)}}
    assert same(loaded(tmp_path, content), state)


def test_statistics_that_are_not_averaged_are_the_last_ones(tmp_path: Path) -> None:
    torch.manual_seed(0)
    own = torchvision.models.resnet18(num_classes=3).state_dict()
    moved = {
        key: torch.full_like(value, 0.5) if "running" in key else torch.zeros_like(value) for key, value in own.items()
    }
    average = {key: value for key, value in own.items() if "running" not in key and "batches" not in key}
    model = loaded(tmp_path, {"model": moved, "ema": average}, name="resnet18")
    found = model.network.state_dict()
    assert all(torch.equal(found[key], value) for key, value in average.items())
    assert float(found["bn1.running_mean"][0]) == 0.5 and "40 tensors without an average" in model.notices[0]


def test_a_key_is_found_at_any_depth_and_a_wrong_one_lists_what_is_there(
    state: State, zeros: State, tmp_path: Path
) -> None:
    assert same(loaded(tmp_path, {"a": {"b": state}, "state_dict": zeros}, "#a.b"), state)
    assert same(loaded(tmp_path, {"runs": [zeros, state]}, "#runs.1"), state)
    said = refused(tmp_path, {"state_dict": state, "state_dict_ema": zeros}, "#sate_dict")
    assert "No key in last.pth is called 'sate_dict'. Did you mean 'state_dict'?" in said and "state_dict_ema" in said
    torch.save({"x": state}, tmp_path / "run#2.pth")
    assert same(load_model("squeezenet1_1", tmp_path / "run#2.pth"), state)
    assert same(load_model("squeezenet1_1", tmp_path / "run#2.pth#x"), state)
    assert "there is no such file" in refused_path(tmp_path / "none.pth#x")
