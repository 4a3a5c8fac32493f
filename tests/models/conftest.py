"""Models and weights that several files of tests read."""

from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from tests.conftest import command

CLASSES = 4
State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    network: nn.Module = torchvision.models.squeezenet1_1(num_classes=CLASSES).eval()
    return network


@pytest.fixture(scope="module")
def state(network: nn.Module) -> State:
    return dict(network.state_dict())


@pytest.fixture(scope="module")
def zeros(state: State) -> State:
    return {key: torch.zeros_like(value) for key, value in state.items()}


TRAIN = ("--epochs", 2, "--batch-size", 8, "--seed", 3, "--checkpoint-epochs", 1, "--device", "cpu", "-q")


@pytest.fixture(scope="session")
def layers_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty drawn pictures with masks."""
    folder = tmp_path_factory.mktemp("sets") / "layers"
    command("make-dataset", "layers", "-n", 30, "-o", folder, "--size", 32, "-q")
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, layers_set: Path) -> Path:
    """A model that has hardly learned anything, so that there are errors to explain."""
    path = tmp_path_factory.mktemp("models") / "model.pt"
    result = command("train", layers_set, "-o", path, *TRAIN)
    assert result.stdout == f"Wrote {path}\n" and not result.stderr
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.epoch-1.pt", "model.pt"]
    return path
