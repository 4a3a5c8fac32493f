"""What is fitted to a network over other images before a method can be used."""

from dataclasses import dataclass

import torch
from torch import Tensor

from cnnvis_report.errors import NotApplicable
from cnnvis_report.rules.affine import Affine
from cnnvis_report.rules.multipliers import divide
from cnnvis_report.rules.patterns import PatternRule, in_order, pattern_layers, rectified
from cnnvis_report.subject import Subject
from cnnvis_report.tape import Tape

DUST = 1e-9  # of the sums that a covariance is the difference of: less is rounding


@dataclass(frozen=True)
class Moments:
    """Sums over the places where y counts: how many [out], of x and of x y [the weight's shape], of y [out]."""

    count: Tensor
    x: Tensor
    xy: Tensor
    y: Tensor

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.count + other.count, self.x + other.x, self.xy + other.xy, self.y + other.y)

    def pattern(self, weight: Tensor) -> Tensor:
        """cov(x, y) / (w . cov(x, y)) for each output by itself; 0 for one that doesn't vary."""
        shape = (-1, *[1] * (weight.ndim - 1))
        w = weight.double()
        count = self.count.clamp(min=1).view(shape)
        both = self.xy / count
        covariance = both - self.x / count * (self.y.view(shape) / count)
        explained = (w * covariance).flatten(1).sum(1).view(shape)
        size = (w * both).abs().flatten(1).sum(1).view(shape)
        return torch.where(explained.abs() > DUST * size, divide(covariance, explained), 0).to(weight.dtype)


def moments(layer: Affine, *, positive: bool) -> Moments:
    """Of a layer's input x and pre-activation y, where y > 0 or everywhere."""
    y = layer.z()
    counted = (y > 0).to(y.dtype) if positive else torch.ones_like(y)
    channel = y.ndim - 1 if layer.dense else 1
    others = [dim for dim in range(y.ndim) if dim != channel]
    return Moments(
        count=counted.sum(others).double(),
        x=layer.weights_back(counted, layer.x).double(),
        xy=layer.weights_back(counted * y, layer.x).double(),
        y=(counted * y).sum(others).double(),
    )


def fit_patterns(subject: Subject, images: Tensor, capacity: int) -> tuple[Tensor, ...]:
    """The pattern that each convolution and linear layer answers to, shaped like its weight, in order of running.

    a = cov(x, y | y > 0) / (w . cov) for layers that a ReLU follows, without the condition for the others; y is the
    pre-activation, a batch norm folded in. Source: Kindermans et al. 2017, arXiv:1705.05598, eq. 9 and 11.

    Args:
        images: [M, C, H, W]. capacity: at most so many at a time.

    Raises:
        NotApplicable: fewer than two images, or patterns aren't defined for the network.
    """
    if len(images) < 2:
        raise NotApplicable("patterns are fitted to other images, at least 2; the set has 1")
    total: list[Moments] = []
    weights: list[Tensor] = []
    for part in torch.split(images, capacity):
        layers = pattern_layers(Tape(subject, part, operands=True).record())
        nodes = in_order(layers)
        with torch.no_grad():
            found = [moments(layers.layers[node], positive=rectified(layers, node)) for node in nodes]
        total = [one + other for one, other in zip(total, found, strict=True)] if total else found
        weights = [layers.layers[node].weight for node in nodes]
    return tuple(each.pattern(weight).contiguous() for each, weight in zip(total, weights, strict=True))


def pattern_maps(tape: Tape, targets: Tensor, *, attribution: bool) -> Tensor:
    """[N, C, H, W]: the score sent back through the patterns that are fitted to the tape's reference images.

    Raises:
        NotApplicable: as `fit_patterns`, or the signals grow beyond what single precision can hold, layer by layer, as
            they do in deep networks where the images were too few.
    """
    maps = tape.gradients(targets, PatternRule(attribution, tape.fitted("patterns", fit_patterns))).pixels
    if not bool(maps.isfinite().all()):
        count = len(tape.reference.images)
        raise NotApplicable(f"signals overflow: patterns fitted to {count} images aren't enough for so many layers")
    return maps
