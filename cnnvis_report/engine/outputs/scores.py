"""What the scores of a network mean: classes, labels, one answer or a value; and how they become probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.context import class_names
from cnnvis_report.records.scores import TASKS, Quantity, ScoreKind, kind_named

PROBLEM_TYPES = {  # of the configuration of a Hugging Face network
    "single_label_classification": ScoreKind.SOFTMAX,
    "multi_label_classification": ScoreKind.SIGMOID,
    "regression": ScoreKind.VALUE,
}
FIT = {1: "binary, multilabel or regression", 2: "classification, multilabel or regression"}


@dataclass(frozen=True)
class Scores:
    """How the output of a network, [N, columns], is read.

    A binary network has one column z and two classes, negative and positive; their scores are −z and z, so that the
    map of the positive class is that of the logit and the map of the negative one that of its negation, and the
    sigmoid of either score is the probability of its class. Nothing is halved: the positive map sums to the logit.

    reason: why it is read so, in words.
    """

    kind: ScoreKind
    quantity: Quantity
    reason: str

    def of(self, output: Tensor) -> Tensor:
        """[N, classes]: the score of each class."""
        if self.kind is not ScoreKind.BINARY:
            return output
        if self.quantity is Quantity.PROBABILITY:
            return torch.cat([1 - output, output], dim=1)
        if self.quantity is Quantity.LOG_PROBABILITY:
            return torch.cat([(-output.exp()).log1p(), output], dim=1)
        return torch.cat([-output, output], dim=1)

    def start(self, targets: Tensor, scores: Tensor) -> Tensor:
        """[N, columns]: the gradient of each image's target score [N, classes] with respect to the output."""
        targets = targets.to(scores.device).unsqueeze(1)
        if self.kind is not ScoreKind.BINARY:
            return torch.zeros_like(scores).scatter_(1, targets, 1.0)
        slopes = torch.tensor([[-1.0, 1.0]]).to(scores).repeat(len(scores), 1)
        if self.quantity is Quantity.LOG_PROBABILITY:
            slopes[:, 0] = -(scores[:, 1] - scores[:, 0]).exp()  # of log(1 − p) by log p
        return slopes.gather(1, targets)

    def weights(self, weight: Tensor) -> Tensor:
        """[classes, K]: the weights of the last layer, [columns, K], class by class."""
        return torch.cat([-weight, weight]) if self.kind is ScoreKind.BINARY else weight

    def probabilities(self, scores: Tensor) -> Tensor:
        """[N, classes] in 0…1; values and means over regions stay as they are."""
        if not self.kind.judged or self.quantity is Quantity.PROBABILITY:
            return scores
        if self.quantity is Quantity.LOG_PROBABILITY:
            return scores.exp()
        return scores.softmax(dim=1) if self.kind is ScoreKind.SOFTMAX else scores.sigmoid()

    @property
    def has_probabilities(self) -> bool:
        """Whether scores stand for probabilities; values and means over regions don't."""
        return self.kind.judged

    def log_odds(self, scores: Tensor, target: int) -> Tensor:
        """[N]: log(p / (1 - p)) of one class, p its probability, from scores [N, classes]; values stay as they are.

        Logits tell it where p rounds to 1. Where there are probabilities alone, those that round to 0 or 1 count as
        the nearest number that doesn't, so that it is always finite.
        """
        target_score = scores[:, target]
        if not self.kind.judged or (self.quantity is Quantity.LOGIT and self.kind is not ScoreKind.SOFTMAX):
            return target_score
        if self.kind is ScoreKind.SOFTMAX and self.quantity is not Quantity.PROBABILITY:
            others = scores.clone()
            others[:, target] = -torch.inf
            return target_score - others.logsumexp(dim=1)
        probability = target_score.exp() if self.quantity is Quantity.LOG_PROBABILITY else target_score
        return torch.logit(probability, eps=torch.finfo(probability.dtype).eps)

    def first(self, scores: Tensor, most: int) -> list[int]:
        """The classes of the highest scores [classes], the first of equals first; values have an order of their own.

        Of a segmentation they are the shares of the picture, of a detection the scores of the best boxes, and classes
        without a region or a box are none.
        """
        if self.kind is ScoreKind.VALUE:
            return list(range(min(most, len(scores))))
        order: list[int] = scores.argsort(descending=True, stable=True)[:most].tolist()
        return [index for index in order if scores[index] > 0] if self.kind.may_be_absent else order

    def between(self, names: Sequence[str]) -> "Scores":
        """The same, its reason with the class that a single score stands for: names may be in the other order."""
        if self.kind is not ScoreKind.BINARY:
            return self
        return replace(self, reason=f"{self.reason}; above a half means {names[1]!r}")

    def names(self, names: Sequence[str] | None, columns: int, name: str) -> tuple[str, ...]:
        """The names of the classes; plain ones where none are given.

        Raises:
            BadRequest: there are more or fewer names than classes.
        """
        if self.kind is ScoreKind.BINARY:
            return _two_names(names, name)
        if self.kind is ScoreKind.VALUE and names is None:
            return ("output",) if columns == 1 else tuple(f"output {index}" for index in range(columns))
        return class_names(names, columns, name)


def _two_names(names: Sequence[str] | None, name: str) -> tuple[str, ...]:
    if names is None:
        return ("negative", "positive")
    if len(names) not in (1, 2):
        raise BadRequest(
            f"{len(names)} class names were given, and {name} has a single score: give two, the negative class "
            f"first, or the positive one alone."
        )
    return tuple(names) if len(names) == 2 else (f"not {names[0]}", names[0])


def choose_kind(
    requested: str, network: nn.Module, columns: int, ending: str, *, several: bool, name: str, bounded: str = ""
) -> tuple[ScoreKind, str]:
    """What the scores mean, and why.

    Args:
        requested: "auto", a task, or a kind by its name. columns: scores an image. ending: the name of a final softmax,
            sigmoid or the logarithm of one; empty where there is none. several: whether an image has several labels.
        name: of the network. bounded: in words, which numbers alone the output can be, where these are no logits.

    Raises:
        BadRequest: it can't be what was asked for, or what the network says of itself.
    """
    wanted = kind_named(requested)
    if wanted is None and requested != "auto":
        raise BadRequest(f"--task {requested!r}: it can be auto, {', '.join([*TASKS][:-1])} or {[*TASKS][-1]}.")
    if wanted is not None:
        return _checked(wanted, columns, ending, f"--task {wanted.task}", name), "as was asked for"
    declared = _said(network)
    if declared is not None:
        kind, where = declared
        return _checked(kind, columns, ending, f"{name}, {where}", name), f"as the network's {where} says"
    if bounded:
        what = "as there is a single score that is" if columns == 1 else "as the scores are"
        return ScoreKind.VALUE, f"{what} {bounded}"
    if columns == 1:
        return ScoreKind.BINARY, "as there is a single score; give --task regression for a value"
    if ending:
        kind = ScoreKind.SIGMOID if "sigmoid" in ending else ScoreKind.SOFTMAX
        return kind, f"as the network ends in a {ending}"
    if several:
        return ScoreKind.SIGMOID, "as images have several labels"
    return ScoreKind.SOFTMAX, "as nothing says otherwise; give --task multilabel if an image can have several labels"


def attribute(owner: object, name: str) -> Any:
    """An attribute; None where there is none, or where what computes it fails."""
    try:
        return getattr(owner, name, None)
    except Exception:  # somebody's own code
        return None


def _said(network: nn.Module) -> tuple[ScoreKind, str] | None:
    """What a network says of its scores, and in which of its attributes."""
    declared = attribute(network, "task")  # a layer may be called so, too
    kind = kind_named(declared) if isinstance(declared, str) else None
    if kind is not None and not kind.may_be_absent:
        return kind, f"attribute task = {declared!r}"
    if attribute(network, "multi_label") is True:
        return ScoreKind.SIGMOID, "attribute multi_label = True"
    problem = attribute(attribute(network, "config"), "problem_type")
    if isinstance(problem, str) and problem in PROBLEM_TYPES:
        return PROBLEM_TYPES[problem], f"configuration, problem_type = {problem!r},"
    return None


def _checked(kind: ScoreKind, columns: int, ending: str, source: str, name: str) -> ScoreKind:
    """The kind, where the output can be that."""
    if kind is ScoreKind.BINARY and columns != 1:
        raise BadRequest(
            f"{source}: {name} gives {columns} scores per image; a binary answer has one. {FIT[2].capitalize()} fit."
        )
    if kind is ScoreKind.SOFTMAX and columns == 1:
        raise BadRequest(
            f"{source}: {name} gives a single score per image, whose softmax is always 1. {FIT[1].capitalize()} fit."
        )
    if kind is ScoreKind.SIGMOID and "softmax" in ending:
        raise BadRequest(
            f"{source}: {name} ends in a {ending}, whose classes exclude each other. Classification or regression fit."
        )
    return kind
