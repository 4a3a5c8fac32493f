"""Cascading randomization: what is drawn anew, and what stays."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.evaluation.randomization import randomized, stages
from tests.evaluation.replicas import drawn
from tests.networks import Awkward, seeded

pytestmark = pytest.mark.numeric


ORDER = ["first", "left", "norm", "act", "right", "act", "last", "fc"]


def bits(network: Any) -> Any:
    return {name: value.clone() for name, value in network.state_dict().items()}


def changed(before: Any, after: Any) -> Any:
    return {name for name, value in after.items() if not torch.equal(value, before[name])}


def test_stages_go_down_from_the_logits() -> None:
    learned = ("fc", "last", "right", "norm", "left", "first")
    network = seeded(Awkward())
    for count, sizes in ((1, [6]), (2, [3, 6]), (4, [1, 3, 4, 6]), (6, range(1, 7)), (99, range(1, 7))):
        assert stages(network, ORDER, count) == [learned[:size] for size in sizes]
    twice = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    assert stages(twice, ["0", "1", "2", "0"], 9) == [("0",), ("0", "2")], "where it runs last"
    with pytest.raises(BadRequest, match="not 0"):
        stages(network, ORDER, 0)
    with pytest.raises(NotApplicable):
        stages(network, ["act"], 3)


def test_a_stage_changes_its_modules_and_nothing_else() -> None:
    network = seeded(Awkward()).eval()
    before, chance = bits(network), torch.get_rng_state()
    flags = [(p.requires_grad, m.training) for m in network.modules() for p in m.parameters()]
    earlier: dict[str, torch.Tensor] = {}
    for paths in stages(network, ORDER, 6):
        copy = randomized(network, paths, seed=3)
        after = bits(copy)
        assert changed(before, after) == {f"{path}.{kind}" for path in paths for kind in ("weight", "bias")}
        assert not changed({**after, **earlier}, after), "a stage keeps what the one before it drew"
        earlier = {name: after[name] for name in changed(before, after)}
        assert [(p.requires_grad, m.training) for m in copy.modules() for p in m.parameters()] == flags
        assert not {id(p) for p in copy.parameters()} & {id(p) for p in network.parameters()}
    assert not changed(before, bits(network)), "the original is left bit for bit"
    assert torch.equal(torch.get_rng_state(), chance)


class Scaled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([1.0, 2, 3]))
        self.inner = nn.Linear(3, 3)

    def forward(self, x: Any) -> Any:
        return self.scale * self.inner(x)


def test_a_container_counts_for_its_own_parameters_alone() -> None:
    network = nn.Sequential(Scaled())
    assert stages(network, ["0.inner", "0", ""], 9) == [("0",), ("0", "0.inner")]
    assert changed(bits(network), bits(randomized(network, ["0"], seed=1))) == {"0.scale"}


def test_draws_depend_on_the_seed_and_on_the_parameter() -> None:
    network = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    network[1].load_state_dict(network[0].state_dict())
    found = [bits(randomized(network, ["1", "0"], seed)) for seed in (5, 5, 6)]
    assert not changed(found[0], found[1])
    assert changed(found[0], found[2]) == {"0.weight", "0.bias", "1.weight", "1.bias"}
    assert not torch.equal(found[0]["0.weight"], found[0]["1.weight"])


def test_what_was_learned_is_gone_and_its_scale_is_kept() -> None:
    network = nn.Sequential(nn.Linear(100, 200), nn.BatchNorm1d(200)).double()
    network[0].weight.data = 4 + 3 * drawn(200, 100) ** 3
    network[1].running_mean.data, network[1].running_var.data = drawn(200), drawn(200).abs()
    network[1].weight.data = 1 + drawn(200)
    before, after = bits(network), bits(randomized(network, ["0", "1"], seed=0))
    old, new = before["0.weight"].flatten(), after["0.weight"].flatten()
    score = (new - old.mean()) / old.std(correction=0)
    assert float(score.mean()) == pytest.approx(0, abs=4 / math.sqrt(20000))
    assert float(score.std()) == pytest.approx(1, abs=4 / math.sqrt(40000))
    assert float((score**4).mean()) == pytest.approx(3, abs=0.3), "normal, whatever it was"
    assert abs(float(torch.corrcoef(torch.stack([old, new]))[0, 1])) < 4 / math.sqrt(20000)
    assert changed(before, after) == {"0.weight", "0.bias", "1.weight"}, "of one value everywhere, the bias stays"
    assert after["0.weight"].dtype == torch.float64


def test_tied_parameters_stay_tied_and_are_drawn_once() -> None:
    network = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    network[0].weight = network[1].weight
    copy, partly = (randomized(network, paths, seed=2) for paths in (["1", "0"], ["1"]))
    assert copy.get_parameter("0.weight") is copy.get_parameter("1.weight")
    assert torch.equal(copy.get_parameter("1.weight"), partly.get_parameter("1.weight"))
