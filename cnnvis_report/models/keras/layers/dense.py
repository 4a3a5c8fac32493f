"""Fully connected layers, whose weights follow the order in which the features lie."""

import torch
from torch import Tensor, nn

from cnnvis_report.models.keras.axes import Axes
from cnnvis_report.models.keras.layers.activations import with_activation
from cnnvis_report.models.keras.layers.convolutions import pointwise_convolution
from cnnvis_report.models.keras.parameters import parameter, values
from cnnvis_report.models.keras.registry import Call, Converted, builds


def linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    """A fully connected layer.

    Args:
        weight: [out, in].
    """
    with torch.device("meta"):  # its own weights are never needed
        module = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    module.weight = parameter(weight)
    if bias is not None:
        module.bias = parameter(bias)
    return module


def _input_order(kernel: Tensor, axes: Axes) -> Tensor:
    """[in, out] with its inputs in the order in which the features lie here."""
    if axes.grid is None:
        return kernel
    height, width, channels = axes.grid
    return kernel.reshape(height, width, channels, -1).permute(2, 0, 1, 3).flatten(0, 2)


@builds("Dense")
def dense(call: Call) -> Converted:
    """A fully connected layer over the last axis of Keras; over channels it is a 1×1 convolution."""
    layer, axes = call.layer, call.input
    kernel = values(layer.kernel)
    bias = values(layer.bias) if layer.use_bias else None
    module: nn.Module
    if axes.rank == 4 and axes.dimension(-1) == 1:
        module = pointwise_convolution(kernel.t()[:, :, None, None], bias)
        output = axes.shaped(call.output)
    else:
        axes = axes if axes.grid is not None else axes.plain()
        module = linear(_input_order(kernel, axes).t(), bias)
        output = Axes.as_in_keras(call.output)
    return Converted(with_activation({"linear": module}, layer.activation, output), (axes,), output)
