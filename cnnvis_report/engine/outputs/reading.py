"""How the output of a network is read: what its scores mean, where its logits are, and what the report calls them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.nodes import operation
from cnnvis_report.engine.outputs.bounds import Bounds
from cnnvis_report.engine.outputs.boxes import BoxScores
from cnnvis_report.engine.outputs.final_activations import LOGARITHMS, agree, behind_shapes, looks_like, mixed_ending
from cnnvis_report.engine.outputs.functions import FunctionScores
from cnnvis_report.engine.outputs.logits import LogitsSource, NotedCalls, logits_sources
from cnnvis_report.engine.outputs.ranges import bounds_of
from cnnvis_report.engine.outputs.readers import OutputReader
from cnnvis_report.engine.outputs.regions import RegionMeans
from cnnvis_report.engine.outputs.scores import Scores, choose_kind
from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.records.scores import BOXES, Quantity, ScoreKind, kind_named

HARD = "hard sigmoid"
LogitsAt = Callable[[LogitsSource, Tensor], Tensor]
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
    source: LogitsSource | None
    words: str


def read_output(first: FirstOutput, network: nn.Module, requested: str, *, several: bool, name: str) -> Reading:
    """The reading of a first output.

    Raises:
        BadRequest: the scores can't be what was asked for.
    """
    final, source = _logits_source(first)
    bounds = bounds_of(first.output, first.noted.values) if source is None else None
    if source is None:
        final = _final_by_values(first, bounds)
    columns = first.output.shape[1]
    bounded = "" if final or bounds is None else _no_logits(bounds, columns)
    kind, reason = choose_kind(requested, network, columns, final, several=several, name=name, bounded=bounded)
    if kind is ScoreKind.VALUE:
        return Reading(Scores(kind, Quantity.VALUE, reason), None, f"values, as the network gives them{_flat(bounds)}")
    if source is not None:
        reason += _of_single(final) if columns == 1 else ""
        where = f" of {source.layer!r}" if source.layer else ""
        words = f"logits{where}, before the final {final}"
        return Reading(Scores(kind, Quantity.LOGIT, reason), source, words)
    quantity = QUANTITIES.get(final, Quantity.PROBABILITY)
    if quantity is not Quantity.LOGIT:
        already = "already probabilities" if quantity is Quantity.PROBABILITY else "log-probabilities"
        words = f"{already}: what stands before the final {final} can't be reached{_flat(bounds)}"
        return Reading(Scores(kind, quantity, reason), None, words)
    if bounds is not None and bounds.within_one and kind is not ScoreKind.SOFTMAX:
        words = f"taken as probabilities, being {bounds.words(they=True)}{_flat(bounds)}"
        return Reading(Scores(kind, Quantity.PROBABILITY, reason), None, words)
    in_words = f", {bounds.words(they=True)}{_flat(bounds)}" if bounds is not None else ""
    return Reading(Scores(kind, quantity, reason), None, f"logits{in_words}")


def read_by(reader: OutputReader, requested: str) -> Reading | None:
    """The reading of what a reader makes of an output; None for the scores that the network gives itself.

    Args:
        requested: "auto", a task, or a kind by its name.

    Raises:
        BadRequest: a function gives the scores, and a segmentation was asked for.
    """
    if isinstance(reader, RegionMeans):
        reason = "as the output is maps of scores" if requested == "auto" else "as was asked for"
        what = "probability" if reader.quantity is Quantity.PROBABILITY else "logit"
        words = f"the mean {what} of a class over the region that is predicted as it"
        return Reading(Scores(ScoreKind.SEGMENTATION, reader.quantity, reason), None, words)
    if isinstance(reader, BoxScores):
        reason = "as the output is boxes with labels and scores" if requested == "auto" else "as was asked for"
        words = f"the scores of the best boxes, of a class up to {BOXES}"
        return Reading(Scores(ScoreKind.DETECTION, Quantity.PROBABILITY, reason), None, words)
    if not isinstance(reader, FunctionScores):
        return None
    wanted = kind_named(requested)
    if wanted is not None and wanted.may_be_absent:
        raise BadRequest(f"--task {wanted.task}: the target {reader.reads} makes the scores. Leave one of the two out.")
    if wanted in (None, ScoreKind.VALUE):
        reason = "as a target function makes them"
        return Reading(Scores(ScoreKind.VALUE, Quantity.VALUE, reason), None, f"what {reader.reads} gives")
    return None


def _no_logits(bounds: Bounds, columns: int) -> str:
    """In words, that numbers within such bounds are no logits; empty where they may be."""
    if columns == 1:
        perhaps = "; give --task binary if it is a probability" if bounds.within_one else ""
        return f"{bounds.words()}{perhaps}" if bounds.of_no_logit else ""
    scaled = bounds.source.endswith(("sigmoid", "softmax"))  # these go from 0 to something else than 1
    return bounds.words(they=True) if scaled else ""


def _of_single(final: str) -> str:
    """What is to be said of the ending of a single score."""
    if "softmax" in final:
        return f". The {final} of a single score never changes: the sigmoid of what stands before it is taken"
    if final == "tanh":
        return ". It ends in a tanh, from −1 to 1: (1 + tanh)/2 is taken as the probability"
    return ""


def _flat(bounds: Bounds | None) -> str:
    return (
        "; rounding lets no gradient through, and maps that are made of gradients are 0"
        if bounds and bounds.flat
        else ""
    )


def _logits_source(first: FirstOutput) -> tuple[str, LogitsSource | None]:
    """The place that gives, with gradients and without, what the network makes its output of, and how it does."""
    for name, source in logits_sources(first.output.grad_fn, first.layer_at, first.noted):
        if name == "tanh" and first.output.shape[1] > 1:  # several of them are no answers of yes or no
            continue
        if all(_gives(source, name, first, grad) for grad in (True, False)):
            return name, source
    return "", None


def _gives(source: LogitsSource, name: str, first: FirstOutput, grad: bool) -> bool:
    try:
        with grad_mode(), torch.set_grad_enabled(grad):
            logits = first.logits_at(source, first.example.detach().clone().requires_grad_(grad))
    except (RuntimeError, ValueError, BadRequest):  # the call isn't made there, or makes something else
        return False
    return agree(name, logits, first.output) and (not grad or logits.grad_fn is not None)


def _final_by_values(first: FirstOutput, bounds: Bounds | None) -> str:
    """The ending of an output whose logits can't be reached; empty where the output may be logits."""
    end = behind_shapes(first.output.grad_fn)
    if end is not None and operation(end) == "Hardsigmoid":
        return HARD
    name = looks_like(first.output) or mixed_ending(first.output.grad_fn)
    scaled = bounds is not None and not bounds.of_probability and "scaled" in bounds.source
    if name and not (name in LOGARITHMS and scaled):
        values = first.output.detach().exp() if name.startswith("log") else first.output.detach()
        return name if bool((values >= 0).all()) and bool((values <= 1.001).all()) else ""
    if bounds is None or not bounds.of_probability:
        return ""
    noun = bounds.source.partition(" ")[2]
    if noun.startswith("scaled clamp"):
        return HARD
    return noun if "sigmoid" in noun else f"sigmoid-like {noun}"
