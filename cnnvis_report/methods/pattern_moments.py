"""How a layer's inputs and its results vary together, worked out so that rounding and the size of batches don't matter.

Sums of squares less squares of sums lose what varies little beside its mean. Here means come off before anything is
multiplied, sums are kept in double precision, and batches are joined by the formula of Chan, Golub & LeVeque 1979.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from cnnvis_report.engine.rounding import STEPS
from cnnvis_report.engine.rules.affine import Affine
from cnnvis_report.engine.rules.lrp_rules import safe_divide

POSITIONS = 2**14  # that are added up in single precision, at most


@dataclass(frozen=True)
class Moments:
    """Of the places where y counts: how many [out], means of x [the weight's shape] and of y [out], co-moment of both.

    co_moment: sums of (x - mean x) (y - mean y), in the weight's shape. All in double precision.
    """

    count: Tensor
    x: Tensor
    y: Tensor
    co_moment: Tensor

    def __add__(self, other: "Moments") -> "Moments":
        """The moments of both samples as one."""
        count = self.count + other.count
        share = other.count / count.clamp(min=1)
        x, y = other.x - self.x, other.y - self.y
        return Moments(
            count=count,
            x=self.x + x * _along(share, x),
            y=self.y + y * share,
            co_moment=self.co_moment + other.co_moment + x * _along(y * share * self.count, x),
        )

    def pattern(self, weight: Tensor) -> Tensor:
        """cov(x, y) / (w . cov(x, y)) for each output by itself; 0 for one that doesn't vary."""
        w = weight.double()
        covariance = self.co_moment / _along(self.count.clamp(min=1), w)
        variance = (w * covariance).flatten(1).sum(1)
        least = STEPS * torch.finfo(weight.dtype).eps * (w * self.x).abs().flatten(1).sum(1)
        varies = _along(variance > least.square(), w)
        return torch.where(varies, safe_divide(covariance, _along(variance, w)), 0).to(weight.dtype)


def moments(layer: Affine, *, positive: bool) -> Moments:
    """Of a layer's input x and pre-activation y, where y > 0 or everywhere."""
    y = layer.z()
    channel = y.ndim - 1 if layer.dense else 1
    others = [dim for dim in range(y.ndim) if dim != channel]
    counted = (y > 0).to(y.dtype) if positive else torch.ones_like(y)
    count = counted.sum(others, dtype=torch.float64)
    mean = (counted * y).sum(others, dtype=torch.float64) / count.clamp(min=1)
    deviation = counted * (y - mean.to(y.dtype).view(layer.bias.shape))
    centered = CenteredInput(layer)
    x = centered.mean + centered.weights_back(counted) / _along(count.clamp(min=1), layer.weight)
    return Moments(count, x, mean, centered.weights_back(deviation))


class CenteredInput:
    """A layer's input less its mean over everything but channels, the margin of zeros included.

    mean: what was taken off, in the weight's shape or one that is broadcast to it.
    """

    def __init__(self, layer: Affine) -> None:
        self._layer = layer
        channel = layer.x.ndim - 1 if layer.dense else 1
        others = [dim for dim in range(layer.x.ndim) if dim != channel]
        mean = layer.x.mean(others, dtype=torch.float64).to(layer.x.dtype)
        if layer.dense:
            self._x, self.mean = layer.x - mean, mean.double()[None]
            return
        _, padding, _, _, _, groups = layer.geometry
        margin = [pixels for side in reversed(padding) for pixels in (side, side)]
        self._x = functional.pad(layer.x, margin) - mean.view(1, -1, *[1] * len(padding))
        outputs, inputs = layer.weight.shape[:2]
        means = mean.double().view(groups, inputs).repeat_interleave(outputs // groups, dim=0)
        self.mean = means.view(outputs, inputs, *[1] * len(padding))

    def weights_back(self, signal: Tensor) -> Tensor:
        """The sum over all positions of signal × x at the place of each weight, in double precision."""
        layer, total = self._layer, torch.zeros_like(self._layer.weight, dtype=torch.float64)
        chunk = max(1, POSITIONS * len(signal) * signal.shape[-1 if layer.dense else 1] // signal.numel())
        for one, x in zip(torch.split(signal, chunk), torch.split(self._x, chunk), strict=True):
            total += layer.weights_back(one, x, padded=True)
        return total


def _along(numbers: Tensor, like: Tensor) -> Tensor:
    """[out] numbers as they are broadcast to a weight."""
    return numbers.view(-1, *[1] * (like.ndim - 1))
