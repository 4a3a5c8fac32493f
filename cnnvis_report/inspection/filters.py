"""Kernels of convolutions, as pictures can be made of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cnnvis_report.engine.subject import Subject

MOST = 64  # kernels of a layer
SLICES = 16  # of a kernel in a deeper layer


@dataclass(frozen=True)
class Kernels:
    """Kernels of one convolution.

    values: [M, S, kh, kw], of M kernels the weights for S input channels. channels: [M], which kernels of the layer.
    inputs: [M, S], which input channels, counted within the kernel's group.
    first: whether the input channels are those of the picture. shape: of all the weights. stride: (rows, columns).
    """

    layer: str
    values: Tensor
    channels: Tensor
    inputs: Tensor
    first: bool
    shape: tuple[int, ...]
    stride: tuple[int, int]


def kernels(subject: Subject) -> Iterator[Kernels]:
    """The kernels of every two-dimensional convolution, in the order in which the layers run; each layer once.

    Of the first all kernels with all their input channels; of a deeper one the 64 of the largest norm in the order of
    their channels, and of each of these the 16 slices of the largest norm in the order of the input channels.
    """
    seen: set[object] = set()
    for name, module in subject.convolutions():
        weight = module.weight.detach().float().cpu()
        if weight.ndim != 4 or module in seen:
            continue
        if module.transposed:
            weight = weight.transpose(0, 1)
        first = not seen and weight.shape[1] == subject.preprocessing.channels
        seen.add(module)
        channels = torch.arange(len(weight)) if first else _largest(weight.flatten(1).norm(dim=1), MOST)
        chosen = weight[channels]
        inputs = _largest(chosen.flatten(2).norm(dim=2), chosen.shape[1] if first else SLICES)
        values = chosen.gather(1, inputs[..., None, None].expand(-1, -1, *chosen.shape[2:]))
        stride = (int(module.stride[0]), int(module.stride[1]))
        yield Kernels(name, values, channels, inputs, first, tuple(weight.shape), stride)


def _largest(sizes: Tensor, most: int) -> Tensor:
    """Indices of the largest along the last dimension, in ascending order."""
    return sizes.topk(min(most, sizes.shape[-1]), dim=-1).indices.sort(dim=-1).values
