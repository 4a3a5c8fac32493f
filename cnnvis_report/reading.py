"""How the output of a network is read: what its scores mean, where its logits are, and what the report calls them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from cnnvis_report.errors import BadRequest
from cnnvis_report.ranges import is_hard_sigmoid, never_negative, scaled_ending
from cnnvis_report.records_scores import Quantity, ScoreKind
from cnnvis_report.running import recording
from cnnvis_report.scores import Scores, choose_kind
from cnnvis_report.tails import NotedCalls, Place, agree, looks_like, mixed_ending, places

HARD = "hard sigmoid"
LogitsAt = Callable[[Place, Tensor], Tensor]
QUANTITIES = {
    "": Quantity.LOGIT,
    "softmax": Quantity.PROBABILITY,
    "sigmoid": Quantity.PROBABILITY,
    HARD: Quantity.PROBABILITY,
    "log-softmax": Quantity.LOG_PROBABILITY,
    "log-sigmoid": Quantity.LOG_PROBABILITY,
}


@dataclass(frozen=True)
class FirstOutput:
    """What a network gave for the example [1, C, H, W]: [1, columns] with its graph, and what made each result.

    layer_at: the layer that ends at an operation; noted: the calls of functions.
    logits_at: [1, columns] of a place in another pass over an image.
    """

    example: Tensor
    output: Tensor
    layer_at: Callable[[Node], str]
    noted: NotedCalls
    logits_at: LogitsAt


@dataclass(frozen=True)
class Reading:
    """What the scores mean, where the logits are if the network doesn't give them itself, and all that in words."""

    meaning: Scores
    place: Place | None
    words: str


def read_output(first: FirstOutput, network: nn.Module, asked: str, *, several: bool, name: str) -> Reading:
    """The reading of a first output.

    Raises:
        BadRequest: the scores can't be what was asked for.
    """
    final, place = _logits_place(first)
    if place is None:
        final = _final_by_values(first)
    end = first.output.grad_fn
    positive = "" if final else never_negative(end) or scaled_ending(end, first.output.detach())
    columns = first.output.shape[1]
    kind, reason = choose_kind(asked, network, columns, final, several=several, name=name, positive=positive)
    if kind is ScoreKind.VALUE:
        return Reading(Scores(kind, Quantity.VALUE, reason), None, "values, as the network gives them")
    if place is not None and columns == 1 and "softmax" in final:
        reason += f". The {final} of a single score never changes: the sigmoid of what stands before it is taken"
    if place is not None:
        where = f" of {place.layer!r}" if place.layer else ""
        words = f"logits{where}, before the final {final}"
        return Reading(Scores(kind, Quantity.LOGIT, reason), place, words)
    quantity = QUANTITIES[final]
    if quantity is Quantity.LOGIT:
        return Reading(Scores(kind, quantity, reason), None, "logits")
    already = "already probabilities" if quantity is Quantity.PROBABILITY else "log-probabilities"
    words = f"{already}: what stands before the final {final} can't be reached"
    return Reading(Scores(kind, quantity, reason), None, words)


def _logits_place(first: FirstOutput) -> tuple[str, Place | None]:
    """The place that gives, with gradients and without, what the network makes its output of, and how it does."""
    for name, place in places(first.output.grad_fn, first.layer_at, first.noted):
        if all(_gives(place, name, first, grad) for grad in (True, False)):
            return name, place
    return "", None


def _gives(place: Place, name: str, first: FirstOutput, grad: bool) -> bool:
    try:
        with recording(), torch.set_grad_enabled(grad):
            logits = first.logits_at(place, first.example.detach().clone().requires_grad_(grad))
    except (RuntimeError, BadRequest):  # the call isn't made there, or makes something else
        return False
    return agree(name, logits, first.output) and (not grad or logits.grad_fn is not None)


def _final_by_values(first: FirstOutput) -> str:
    """The ending of an output whose logits can't be reached; empty where the output may be logits."""
    if is_hard_sigmoid(first.output.grad_fn):
        return HARD
    name = looks_like(first.output) or mixed_ending(first.output.grad_fn)
    values = first.output.detach().exp() if name.startswith("log") else first.output.detach()
    within = bool((values >= 0).all()) and bool((values <= 1.001).all())
    return name if within else ""
