"""Logits behind any ending, and what has none."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import _get_current_function_mode_stack

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.records.scores import Quantity, ScoreKind
from tests.engine.outputs.ended import Ended


def exp_over_sum(y: Any) -> Any:
    return y.exp() / y.exp().sum(1, keepdim=True)


def shifted_first(y: Any) -> Any:
    z = (y - y.amax(1, keepdim=True)).exp()
    return z / z.sum(1, keepdim=True)


ENDINGS = {
    "function": (lambda y: F.log_softmax(y, 1), "log-softmax"),
    "module": (nn.LogSoftmax(1), "log-softmax"),
    "method": (lambda y: y.log_softmax(-1), "log-softmax"),
    "special": (lambda y: torch.special.log_softmax(y, 1), "log-softmax"),
    "views": (lambda y: F.log_softmax(y.view(len(y), -1, 1, 1), 1).squeeze(3).flatten(1), "log-softmax"),
    "logarithm": (lambda y: torch.log(y.softmax(1)), "log-softmax"),
    "logarithm of more": (lambda y: torch.log(F.softmax(y, 1).clamp(min=1e-9) + 1e-9), "log-softmax"),
    "logsumexp": (lambda y: y - torch.logsumexp(y, 1, keepdim=True), "log-softmax"),
    "exponential": (lambda y: F.log_softmax(y, 1).exp(), "softmax"),
    "written out": (exp_over_sum, "softmax"),
    "shifted": (shifted_first, "softmax"),
    "another precision": (lambda y: y.double().softmax(1).to(y.dtype), "softmax"),
    "sigmoid": (torch.sigmoid, "sigmoid"),
    "in place": (lambda y: y.sigmoid_(), "sigmoid"),
    "in place of a view": (lambda y: y.flatten(1).view(len(y), -1).sigmoid_(), "sigmoid"),
    "clamped": (lambda y: y.sigmoid().clamp(1e-7, 1 - 1e-7), "sigmoid"),
    "logistic": (lambda y: 1 / (1 + (-y).exp()), "sigmoid"),
    "log of sigmoid": (F.logsigmoid, "log-sigmoid"),
    "in a dict": (lambda y: {"features": y.detach(), "output": F.log_softmax(y, 1)}, "log-softmax"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_logits_are_found_behind_any_ending(name: str, images: Tensor, targets: Tensor) -> None:
    end, called = ENDINGS[name]
    network = Ended(end).double().eval()
    subject = Subject(network, images[:1])
    assert (subject.meaning.quantity, subject.scores) == (Quantity.LOGIT, f"logits, before the final {called}")
    assert subject.meaning.kind is (ScoreKind.SIGMOID if "sigmoid" in called else ScoreKind.SOFTMAX)
    expected = network.logits(images).detach()
    with torch.no_grad():
        torch.testing.assert_close(subject.forward(images), expected, rtol=1e-12, atol=1e-12)
    plain = expected.sigmoid() if "sigmoid" in called else expected.softmax(1)
    torch.testing.assert_close(subject.probabilities(expected), plain)
    leaf = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network.logits(leaf).gather(1, targets[:, None]).sum(), leaf)
    torch.testing.assert_close(explain(network, images, targets, ["gradient"])["gradient"], slope)


MIXED = {
    "average": (lambda y: (y.softmax(1) + (2 * y).softmax(1)) / 2, ScoreKind.SOFTMAX, Quantity.PROBABILITY),
    "stacked": (lambda y: torch.stack([y.sigmoid(), (y / 2).sigmoid()]).mean(0), ScoreKind.SIGMOID, "probability"),
    "joined": (lambda y: torch.cat([y[:, :2].sigmoid(), y[:, 2:].sigmoid()], 1), ScoreKind.SIGMOID, "probability"),
    "log of average": (lambda y: ((y.softmax(1) + 0.2) / 2).log(), ScoreKind.SOFTMAX, Quantity.LOG_PROBABILITY),
    "turned": (lambda y: F.log_softmax(y.t(), 0).t(), ScoreKind.SOFTMAX, Quantity.LOG_PROBABILITY),
}


@pytest.mark.parametrize("name", MIXED)
def test_what_has_no_logits_is_called_by_its_name(name: str, images: Tensor) -> None:
    end, kind, quantity = MIXED[name]
    network = Ended(end).double().eval()
    subject = Subject(network, images[:1])
    assert (subject.meaning.kind, subject.meaning.quantity) == (kind, quantity)
    words = "already probabilities" if quantity == "probability" else "log-probabilities"
    assert subject.scores.startswith(words)
    given = network(images).detach()
    torch.testing.assert_close(subject.forward(images).detach(), given)
    shown = subject.probabilities(given)
    torch.testing.assert_close(shown, given if quantity == "probability" else given.exp())


def test_a_gate_is_no_ending_and_a_network_without_one_pays_nothing(images: Tensor) -> None:
    modes: list[int] = []

    def gated(y: Tensor) -> Tensor:
        modes.append(len(_get_current_function_mode_stack()))
        return y * y.sigmoid()

    subject = Subject(Ended(gated).double().eval(), images[:1])
    assert (subject.scores, subject.meaning.kind) == ("logits", ScoreKind.SOFTMAX)
    modes.clear()
    with torch.no_grad():
        subject.forward(images)
    assert modes == [0], "nothing watches the functions of a network that ends in its logits"
