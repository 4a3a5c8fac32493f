"""An image that a network fails on is named, and the epochs before it are kept."""

import math
from typing import Any

import pytest
from torch import nn

from cnnvis_report.errors import RunFailed
from cnnvis_report.training.epochs import EpochProgress
from cnnvis_report.training.loop import fit
from cnnvis_report.training.tensors import Pictures
from tests.narrow import present
from tests.training.trainings import CPU, TARGETS, Watching, hyperparameters, linear, pictures, same


class Picky(nn.Module):
    """Fails on black images, from a number of passes on."""

    def __init__(self, how: Any, after: Any) -> None:
        super().__init__()
        self.network, self.norm, self.how, self.left = linear(), nn.BatchNorm1d(3), how, after

    def forward(self, x: Any) -> Any:
        self.left -= 1
        black = (x.flatten(1).amax(1) < -1).view(-1, 1)
        if self.left < 0 and bool(black.any()):
            if self.how == "raises":
                raise ValueError("too dark")
            return self.norm(self.network(x).masked_fill(black, math.nan))
        return self.norm(self.network(x))


def with_a_black_one(index: int) -> Pictures:
    several = pictures(TARGETS)
    present(several.stored)[index] = 0
    return several


@pytest.mark.parametrize("part", ["training", "validation"])
def test_an_image_that_a_network_fails_on_is_named(part: str) -> None:
    training, validation = with_a_black_one(4), pictures(TARGETS[:9])
    if part == "validation":
        training, validation = validation, training
    with pytest.raises(RunFailed, match=r"^4\.png: the network fails on it \(ValueError: too dark\)\.") as raised:
        fit(Picky("raises", 0), training, validation, hyperparameters(), CPU, EpochProgress())
    assert "\n" not in str(raised.value)
    with pytest.raises(RunFailed, match=r"isn't finite in the first epoch, with 4\.png: leave it out"):
        fit(Picky("nan", 0), training, validation, hyperparameters(), CPU, EpochProgress())


def test_the_epochs_before_an_image_fails_are_kept() -> None:
    watching = Watching(network := Picky("nan", 20))
    state = fit(network, with_a_black_one(4), pictures(TARGETS[:9]), hyperparameters(epochs=30), CPU, watching)
    assert state.history and state.stopped.endswith(", with 4.png") and len(state.history) == len(watching.states)
    assert same(network.state_dict(), watching.states[state.best - 1])
    watching = Watching(network := Picky("raises", 20))
    with pytest.raises(RunFailed, match=r"^4\.png: .* The epochs before are kept"):
        fit(network, with_a_black_one(4), pictures(TARGETS[:9]), hyperparameters(epochs=30), CPU, watching)
    assert watching.states, "what a file keeps was written after each of them"


def test_a_network_that_fails_on_every_image_blames_none() -> None:
    def refuse(*_: Any) -> None:
        raise ValueError("no images, please")

    network = linear()
    network.register_forward_pre_hook(refuse)
    with pytest.raises(ValueError, match="no images, please"):
        fit(network, pictures(TARGETS), pictures(TARGETS[:9]), hyperparameters(), CPU, EpochProgress())
