"""Weights of convolutions as their way back reads them: the scale of a batch norm behind them is folded in."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.nodes import saved


def norm_scale(norm: Node) -> Tensor:
    """[C]: what a batch norm with running statistics multiplies each channel by."""
    scale: Tensor = (saved(norm, "running_var") + saved(norm, "eps")).rsqrt()
    weight = saved(norm, "weight")
    return scale if weight is None else scale * weight


@dataclass
class FoldedWeights:
    """The weights of one network, folded when they are first asked for.

    Parameters alone are remembered, with what they were folded from: a weight that the network works out in each pass
    is another tensor each time.
    """

    _folded: dict[int, tuple[tuple[Tensor | None, ...], list[int], Tensor]] = field(default_factory=dict)

    def of(self, convolution: Node, norm: Node | None) -> Tensor:
        """The weight of a convolution, times the scale of the batch norm that reads its result."""
        weight: Tensor = saved(convolution, "weight")
        parts = (weight, *(() if norm is None else (saved(norm, "running_var"), saved(norm, "weight"))))
        versions = [part._version for part in parts if part is not None]
        known = self._folded.get(id(weight))
        if known and known[1] == versions and [*map(id, known[0])] == [*map(id, parts)]:
            return known[2]
        folded = weight.detach()
        if norm is not None:
            folded = folded * norm_scale(norm).view(-1, *[1] * (weight.ndim - 1))
        if weight.ndim == 4:
            folded = folded.contiguous(memory_format=torch.channels_last)
        if isinstance(weight, nn.Parameter):
            self._folded[id(weight)] = (parts, versions, folded)
        return folded
