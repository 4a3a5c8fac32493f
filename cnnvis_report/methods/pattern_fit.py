"""What is fitted to a network over other images before a method can be used."""

import torch
from torch import Tensor

from cnnvis_report.engine.rules.patterns import PatternRule, in_order, pattern_layers, rectified
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.pattern_moments import Moments, moments


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
        layers = pattern_layers(Tape(subject, part, layer_inputs=True).record())
        nodes = in_order(layers)
        with torch.no_grad():
            part_moments = [moments(layers.layers[node], positive=rectified(layers, node)) for node in nodes]
        total = [sums + more for sums, more in zip(total, part_moments, strict=True)] if total else part_moments
        weights = [layers.layers[node].weight for node in nodes]
    return tuple(
        layer_moments.pattern(weight).contiguous() for layer_moments, weight in zip(total, weights, strict=True)
    )


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
