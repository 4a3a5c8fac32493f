"""Ways back through single operations for several signals at once, as the gradient's own, and faster."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.nodes import GEOMETRY, operation, result_shape, saved, signed


@dataclass
class Signals:
    """Signals [R, …] at one result. owned: nobody else reads the tensor, so that it may be worked on in place."""

    values: Tensor
    owned: bool

    def plus(self, other: "Signals") -> "Signals":
        """Their sum."""
        if other.owned:
            return Signals(other.values.add_(self.values), owned=True)
        if self.owned:
            return Signals(self.values.add_(other.values), owned=True)
        return Signals(self.values + other.values, owned=True)


def through_convolution(node: Node, signals: Tensor, weight: Tensor) -> Tensor:
    """Signals [B, …] at a convolution's result, to signals at its input."""
    stride, padding, dilation, transposed, output_padding, groups = (saved(node, name) for name in GEOMETRY)
    x = saved(node, "input")
    shape = (len(signals), *x.shape[1:])
    last = x.ndim == 4 and x.is_contiguous(memory_format=torch.channels_last)
    plain = not transposed and groups == 1 and set(stride) == {1} and set(padding) == {0}
    if last and plain and signals.device.type == "cpu" and tuple(weight.shape[2:]) == (1, 1):
        product = signals.permute(0, 2, 3, 1).reshape(-1, weight.shape[0]) @ weight.flatten(1)
        return product.view(shape[0], *shape[2:], shape[1]).permute(0, 3, 1, 2)
    layout = torch.channels_last if last else torch.contiguous_format
    like = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=layout)  # its shape alone matters
    mask = [True, False, False]
    back: Tensor = torch.ops.aten.convolution_backward(
        signals.contiguous(memory_format=layout),
        like,
        weight,
        None,
        stride,
        padding,
        dilation,
        transposed,
        output_padding,
        groups,
        mask,
    )[0]
    return back


def has_statistics(node: Node) -> bool:
    """Whether the operation is a batch norm with running statistics."""
    return operation(node) == "NativeBatchNorm" and not saved(node, "training")


def through_sum(node: Node, signals: Signals) -> list[Signals | None] | None:
    """A sum of things of one shape; None elsewhere."""
    shape = tuple(signals.values.shape[1:])
    shapes = {result_shape(before, number) for before, number in node.next_functions if before is not None}
    if saved(node, "alpha") != 1 or shapes != {shape}:
        return None
    return [Signals(signals.values, owned=False) for _ in node.next_functions]


def through_concatenation(node: Node, signals: Signals) -> list[Signals | None] | None:
    """A concatenation; None where a part of it doesn't depend on the image."""
    dim = signed(saved(node, "dim")) % (signals.values.ndim - 1)
    sizes = [result_shape(before, number)[dim] for before, number in node.next_functions if before is not None]
    if len(sizes) < len(node.next_functions):
        return None
    return [Signals(part, signals.owned) for part in torch.split(signals.values, sizes, dim + 1)]


def through_linear(node: Node, signals: Signals) -> list[Signals | None] | None:
    """A product with a matrix that doesn't depend on the image; None elsewhere."""
    sources = [before is not None for before, _ in node.next_functions]
    at = 1 if operation(node) == "Addmm" else 0
    if sources.count(True) != 1 or not sources[at] or (at and saved(node, "alpha") != 1):
        return None
    back = (signals.values.flatten(0, 1) @ saved(node, "mat2").t()).unflatten(0, signals.values.shape[:2])
    return [Signals(back, owned=True) if number == at else None for number in range(len(sources))]
