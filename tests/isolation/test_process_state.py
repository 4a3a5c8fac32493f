"""Nobody's network is harmed: weights that drift, dice, late changes, flags and gates, whatever ends a call."""

import random
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.isolation.process_state import running_user_code
from tests.networks import seeded
from tests.robustness.interrupted import Sensitive, differences, state_of

IMAGES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Drifting(nn.Module):
    """Each pass changes a weight in a way of its own."""

    def __init__(self, drift: Callable[[nn.Linear], object]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.classifier = nn.Linear(4, 3)
        self.drift = drift

    def forward(self, x: Any) -> Any:
        with torch.no_grad():
            self.drift(self.classifier)
        return self.classifier(self.conv(x).relu().mean((2, 3)))


def stepped(layer: nn.Linear) -> None:
    layer.weight.grad = torch.ones_like(layer.weight)
    torch.optim.SGD([layer.weight], 0.1).step()
    layer.weight.grad = None


def replaced(layer: nn.Linear) -> None:
    layer.weight.data = torch.renorm(layer.weight.data, 2, 0, 0.1)


DRIFTS: dict[str, Callable[[nn.Linear], object]] = {
    "in place": lambda layer: layer.bias.add_(0.5),
    "operator": lambda layer: layer.bias.__iadd__(0.5),
    "item": lambda layer: layer.weight.__setitem__(0, 1.0),
    "data": lambda layer: layer.weight.data.mul_(0.5),
    "view": lambda layer: layer.weight[1:].zero_(),
    "out": lambda layer: torch.add(layer.bias, 0.5, out=layer.bias.data),
    "optimizer": stepped,
    "another tensor": replaced,
    "init": lambda layer: nn.init.constant_(layer.bias, 0.3),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_weights_that_passes_change_are_as_before_and_each_pass_begins_with_them(drift: Any) -> None:
    network = seeded(Drifting(DRIFTS[drift]), 1)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    addresses = [parameter.data_ptr() for parameter in network.parameters()]
    maps = explain(network, IMAGES, [0, 1], methods=["gradient", "occlusion"])
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert [parameter.data_ptr() for parameter in network.parameters()] == addresses
    # the map of the network as it is after the change of a single pass
    once = seeded(Drifting(lambda layer: None), 1)
    with torch.no_grad():
        DRIFTS[drift](once.classifier)
    wanted = explain(once, IMAGES, [0, 1], methods=["gradient", "occlusion"])
    for name, values in maps.items():
        torch.testing.assert_close(values, wanted[name], rtol=1e-4, atol=1e-6)


def test_a_weight_that_is_only_read_by_an_operation_in_place_is_not_looked_after() -> None:
    class Scaled(Drifting):
        def forward(self, x: Any) -> Any:
            x = self.conv(x).mean((2, 3))
            return self.classifier(x.mul_(self.classifier.bias.sum()))

    assert Subject(seeded(Scaled(lambda layer: None), 1), IMAGES[:1]).state.drifting == []


def test_everything_is_as_before_and_so_is_the_state_after_an_error() -> None:
    network = Sensitive()
    before = state_of(network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explain(network, IMAGES, [0, 1], methods=["gradient"])
        assert not differences(before, state_of(network), "")
        with pytest.raises(BadRequest):
            explain(network, IMAGES[..., :2], [0, 1], methods=["gradient"])
    assert not differences(before, state_of(network), "")


def numpy_state() -> np.ndarray:
    _, words, *_ = np.random.get_state(legacy=True)
    return np.array(words)


def test_all_dice_are_left_alone() -> None:
    class Draws(Drifting):
        def forward(self, x: Any) -> Any:
            torch.rand(3), np.random.rand(), random.random()
            return super().forward(x)

    network = seeded(Draws(lambda layer: None), 1)
    states = torch.get_rng_state(), numpy_state(), random.getstate()
    explain(network, IMAGES, [0, 1], methods=["gradient"])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(numpy_state(), states[1])
    assert random.getstate() == states[2]


def test_weights_that_somebody_else_changes_meanwhile_are_an_error() -> None:
    network = seeded(Drifting(lambda layer: None), 1)
    passes = []

    def meddle(module: Any, given: Any) -> None:
        passes.append(1)
        if len(passes) == 3:  # after the passes that are looked at
            with torch.no_grad():
                network.conv.weight.add_(1)

    network.classifier.register_forward_pre_hook(meddle)
    with pytest.raises(RunFailed, match="have changed while it was explained"):
        explain(network, IMAGES, [0, 1], methods=["gradient", "smoothgrad"])


def test_a_network_that_ends_the_program_is_an_error_of_its_own() -> None:
    for end in (SystemExit(0), GeneratorExit()):

        def ends(layer: Any, end: Any = end) -> None:
            raise end

        with pytest.raises(BadRequest, match="ends the program"):
            explain(seeded(Drifting(ends), 1), IMAGES, [0, 1], methods=["gradient"])


def test_a_block_that_nobody_goes_on_with_is_no_end_of_the_program() -> None:
    """As where Ctrl-C comes between its beginning and what is in it: what was set is put back, without a word."""
    before = torch.get_default_dtype()
    block: Any = running_user_code()
    block.__enter__()
    torch.set_default_dtype(torch.float16)
    block.gen.close()
    assert torch.get_default_dtype() is before
