"""What a score can be by the operations that end it, tanhs, roundings, squares, clamps, mixtures: by its name."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnvis_report import explain
from cnnvis_report.engine.outputs.logits import NotedCalls
from cnnvis_report.engine.outputs.ranges import bounds_of
from cnnvis_report.engine.subject import Subject
from tests.engine.outputs.ended import Ended
from tests.networks import Tiny, seeded

Function = Callable[[Tensor], Tensor]


def half_tanh(z: Tensor) -> Tensor:
    return (torch.tanh(z / 2) + 1) / 2


# a single score z: what it is, and the probability of the positive class where it has one
ONE: dict[str, tuple[Function, str, Function, str]] = {
    "tanh": (torch.tanh, "logit", lambda z: (1 + z.tanh()) / 2, "logits, before the final tanh"),
    "sigmoid by tanh": (half_tanh, "logit", torch.sigmoid, "logits, before the final sigmoid"),
    "sigmoid by tanh, otherwise": (lambda z: 0.5 * (z / 2).tanh() + 0.5, "logit", torch.sigmoid, "the final sigmoid"),
    "rounded": (lambda z: z.sigmoid().round(), "logit", torch.sigmoid, "before the final rounded sigmoid"),
    "to two places": (lambda z: z.sigmoid().round(decimals=2), "logit", torch.sigmoid, "before the final rounded sig"),
    "log-sigmoid by softplus": (lambda z: -F.softplus(-z), "logit", torch.sigmoid, "before the final log-sigmoid"),
    "in percent": (
        lambda z: (z.sigmoid() * 100).round() / 100,
        "probability",
        lambda z: (z.sigmoid() * 100).round() / 100,
        "rounding lets no gradient through",
    ),
    "1 − p": (lambda z: 1 - z.sigmoid(), "probability", lambda z: 1 - z.sigmoid(), "already probabilities"),
    "hard sigmoid": (lambda z: F.relu6(z + 3) / 6, "probability", F.hardsigmoid, "before the final hard sigmoid"),
    "probit": (
        lambda z: (1 + torch.erf(z)) / 2,
        "probability",
        lambda z: (1 + torch.erf(z)) / 2,
        "the final sigmoid-like scaled error function",
    ),
    "largest of several": (
        lambda z: torch.stack([z, z * 2], 2).sigmoid().amax(2),
        "probability",
        lambda z: torch.maximum(z.sigmoid(), (2 * z).sigmoid()),
        "already probabilities",
    ),
    "noisy or": (
        lambda z: 1 - (1 - torch.cat([z, -z], 1).sigmoid()).prod(1, keepdim=True),
        "probability",
        lambda z: 1 - (1 - z.sigmoid()) * (1 - (-z).sigmoid()),
        "already probabilities",
    ),
    "soft cap": (lambda z: 30 * (z / 30).tanh(), "logit", lambda z: (30 * (z / 30).tanh()).sigmoid(), "from −30 to 30"),
    "straight through": (
        lambda z: z.sigmoid() + (z.sigmoid().round() - z.sigmoid()).detach(),
        "probability",
        lambda z: z.sigmoid().round(),
        "already probabilities",
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_one_score_is_what_its_ending_says(name: str, images: Tensor) -> None:
    end, quantity, probability, words = ONE[name]
    network = Ended(end, 1).double().eval()
    subject = Subject(network, images[:1])
    assert (subject.meaning.kind, subject.meaning.quantity) == ("binary", quantity) and words in subject.scores
    with torch.no_grad():
        actual = subject.probabilities(subject.forward(images))[:, 1:]
    torch.testing.assert_close(actual, probability(network.logits(images)).detach())


VALUES: dict[str, tuple[Function, str]] = {
    "square": (lambda z: z * z, "never negative (it comes out of a square)"),
    "mean of squares": (
        lambda z: (z * z).mean(1, keepdim=True) * 2 + 1,
        "never below 1 (it comes out of a scaled square)",
    ),
    "negative": (lambda z: -F.relu(z), "never positive (it comes out of a scaled ReLU)"),
    "scaled": (lambda z: 50 * (z - 9).sigmoid(), "never negative (it comes out of a scaled sigmoid)"),
    "one to five": (lambda z: 1 + 4 * z.sigmoid(), "from 1 to 5 (it comes out of a scaled sigmoid)"),
    "half": (lambda z: z.sigmoid() / 2, "a scaled sigmoid); give --task binary if it is a probability"),
    "angle": (lambda z: torch.tanh(z) * math.pi / 2, "from −1.571 to 1.571 (it comes out of a scaled tanh)"),
    "hard tanh": (F.hardtanh, "from −1 to 1 (it comes out of a clamp at −1)"),
    "softsign": (F.softsign, "from −1 to 1 (it comes out of a softsign)"),
    "margin": (
        lambda z: torch.cat([z, -z], 1).softmax(1)[:, :1] - torch.cat([z, -z], 1).softmax(1)[:, 1:],
        "from −1 to 1 (it comes out of a scaled softmax)",
    ),
    "count": (lambda z: (3 * z.sigmoid()).floor(), "from 0 to 3 (it comes out of a floor of a scaled sigmoid)"),
    "inverse": (lambda z: 1 / (1 + z * z), "a reciprocal); give --task binary if it is a probability"),
    "logarithm of a count": (lambda z: torch.log1p(F.relu(z)), "never negative (it comes out of a logarithm)"),
    "shifted ELU": (lambda z: F.elu(z) + 1, "never negative (it comes out of a shifted ELU)"),
}


@pytest.mark.parametrize("name", VALUES)
def test_one_score_that_is_no_logit_is_a_value_and_why_is_said(name: str, images: Tensor) -> None:
    end, why = VALUES[name]
    network = Ended(end, 1).double().eval()
    subject = Subject(network, images[:1])
    assert subject.meaning.kind == "value" and why in subject.meaning.reason
    torch.testing.assert_close(subject.forward(images).detach(), network(images).detach())


SEVERAL: dict[str, tuple[Function, str, str, str]] = {
    "tanh": (torch.tanh, "softmax", "logit", "logits, from −1 to 1 (they come out of a tanh)"),
    "ReLU": (F.relu, "softmax", "logit", "logits, never negative (they come out of a ReLU)"),
    "sigmoid by tanh": (half_tanh, "sigmoid", "logit", "logits, before the final sigmoid"),
    "rounded": (lambda z: z.sigmoid().round(), "sigmoid", "logit", "logits, before the final rounded sigmoid"),
    "hard sigmoid": (lambda z: F.relu6(z + 3) / 6, "sigmoid", "probability", "already probabilities"),
    "largest": (lambda z: torch.stack([z, 2 * z]).sigmoid().amax(0), "sigmoid", "probability", "already probabilities"),
    "pooled maps": (
        lambda z: F.adaptive_avg_pool2d(z[:, :, None, None].expand(-1, -1, 4, 4).sigmoid(), 1).flatten(1),
        "sigmoid",
        "probability",
        "already probabilities",
    ),
    "sides of a box": (lambda z: 224 * (z - 9).sigmoid(), "value", "value", "values, as the network gives them"),
    "halves": (lambda z: z.sigmoid() / 2, "value", "value", "values, as the network gives them"),
    "none": (lambda z: z, "softmax", "logit", "logits"),
    "leaky": (F.leaky_relu, "softmax", "logit", "logits"),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_scores_are_what_their_ending_says(name: str, images: Tensor) -> None:
    end, kind, quantity, words = SEVERAL[name]
    subject = Subject(Ended(end, 5).double().eval(), images[:1])
    assert (subject.meaning.kind, subject.meaning.quantity) == (kind, quantity)
    assert subject.scores.startswith(words)
    assert (words == "logits") == (subject.scores == "logits")


def test_a_clamped_score_that_is_asked_to_be_a_probability_is_one(images: Tensor) -> None:
    network = Ended(lambda z: (0.2 * z + 0.5).clamp(0, 1), 1).double().eval()
    subject = Subject(network, images[:1], task="binary")
    torch.testing.assert_close(subject.probabilities(subject.forward(images))[:, 1:], network(images))


BOUNDS: dict[str, tuple[Function, float, float]] = {
    "weights of a mean": (lambda x: 0.3 * x.sigmoid() + 0.7 * (2 * x).sigmoid(), 0, 1),
    "a difference": (lambda x: x.sigmoid() - 2 * x.tanh(), -2, 3),
    "turned round": (lambda x: 4 - 3 * x.sigmoid(), 1, 4),
    "a product": (lambda x: x.tanh() * (3 * x.sigmoid()), -3, 3),
    "a clamp within": (lambda x: 2 * x.tanh().clamp(min=0), 0, 2),
    "a clamp without": (lambda x: x.sigmoid().clamp(-5, 5) + 1, 1, 2),
    "a part of a part": (lambda x: (a := x.sigmoid()) + (-4 * a).sigmoid(), 0, 2),
    "a ceiling": (lambda x: (2.5 * x.sigmoid()).ceil(), 0, 3),
    "in place": (lambda x: (x * 1).tanh_().mul_(2).add_(1), -1, 3),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_are_those_of_the_formula(name: str) -> None:
    formula, low, high = BOUNDS[name]
    x = torch.tensor([[0.3]], dtype=torch.float64, requires_grad=True)
    with NotedCalls() as noted:
        output = formula(x * 1)
    actual = bounds_of(output, noted.values)
    assert actual is not None and (actual.low, actual.high) == pytest.approx((low, high), abs=1e-9)


NONE = [lambda x: x * x.sigmoid(), lambda x: x + x.tanh(), nn.GELU(), lambda x: x**3, lambda x: x.relu() - (-x).relu()]


@pytest.mark.parametrize("formula", NONE)
def test_what_the_graph_does_not_bound_has_no_bounds(formula: Any) -> None:
    x = torch.tensor([[0.3]], dtype=torch.float64, requires_grad=True)
    with NotedCalls() as noted:
        output = formula(x * 1)
    assert bounds_of(output, noted.values) is None


class Reused(nn.Module):
    """A convolution behind a ReLU, called again on what it gave; both are summed, or stand side by side."""

    def __init__(self, together: Any, features: int) -> None:
        super().__init__()
        self.first, self.again = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.together, self.head = together, nn.Linear(features, 3)

    def forward(self, x: Any) -> Any:
        once = self.again(self.first(x).relu()).relu()
        return self.head(self.together([once, self.again(once).relu()]).mean((2, 3)))


@pytest.mark.parametrize(("together", "features"), [(sum, 4), (lambda both: torch.cat(both, 1), 8)])
def test_a_network_that_calls_a_layer_on_its_own_result_is_explained(together: Any, features: int) -> None:
    network = seeded(Reused(together, features))
    images = torch.randn(2, 3, 8, 9, generator=torch.Generator().manual_seed(0))
    leaf = images.clone().requires_grad_()
    (slopes,) = torch.autograd.grad(network.eval()(leaf)[:, 1].sum(), leaf)
    maps = explain(network, images, 1, methods=["gradient"])["gradient"]
    torch.testing.assert_close(maps, slopes, rtol=1e-5, atol=1e-7)


class Behind(nn.Module):
    def __init__(self, inner: Any, end: Any) -> None:
        super().__init__()
        self.inner, self.end = inner, end

    def forward(self, x: Any) -> Any:
        return self.end(self.inner(x))


@pytest.mark.parametrize("end", [half_tanh, lambda z: -F.softplus(-z), lambda z: z.sigmoid().round()])
def test_maps_are_those_of_the_logit_behind(end: Any, images: Tensor) -> None:
    """Class activation maps too, which want the last layer's weights."""
    methods = ["gradient", "cam", "grad_cam", "lrp_epsilon"]
    plain = seeded(Tiny(1)).double().eval()
    network = Behind(plain, end).eval()
    actual, expected = (explain(either, images, [0] * 3, methods) for either in (network, plain))
    for method in methods:
        torch.testing.assert_close(actual[method], expected[method], rtol=1e-9, atol=1e-12)


def test_maps_of_a_tanh_are_those_of_twice_what_it_reads(images: Tensor) -> None:
    network, plain = (Ended(end, 1).double().eval() for end in (torch.tanh, lambda z: 2 * z))
    methods = ["gradient", "grad_cam", "lrp_epsilon"]
    actual, expected = (explain(either, images, [0] * 3, methods) for either in (network, plain))
    for method in methods:
        torch.testing.assert_close(actual[method], expected[method], rtol=1e-9, atol=1e-12)
