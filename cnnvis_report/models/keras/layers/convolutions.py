"""Convolutions: plain, depthwise, separable and transposed."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnvis_report.models.keras.axes import CHANNELS_FIRST, CHANNELS_LAST, Order
from cnnvis_report.models.keras.layers.activations import with_activation
from cnnvis_report.models.keras.parameters import parameter, values
from cnnvis_report.models.keras.registry import Call, Converted, builds

Pair = tuple[int, int]


def order_of(layer: Any) -> Order:
    """The order in which a layer reads grids."""
    return CHANNELS_FIRST if layer.data_format == "channels_first" else CHANNELS_LAST


def pair(value: Any) -> Pair:
    """One number or two, as two."""
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def same_padding(length: int, kernel: int, stride: int) -> Pair:
    """The zeros before and after a side of this length that Keras's "same" stands for."""
    total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """A convolution whose padding depends on the size of what it reads, as "same" with a stride is meant by Keras."""

    def forward(self, input: Tensor) -> Tensor:
        """Pad images [N, C, H, W] and run the convolution on them."""
        reach = [rate * (side - 1) + 1 for rate, side in zip(self.dilation, self.kernel_size, strict=True)]
        sides = zip(input.shape[2:], reach, self.stride, strict=True)
        (top, bottom), (left, right) = [same_padding(*side) for side in sides]
        if (top, left) != (bottom, right):
            input = functional.pad(input, (left, right, top, bottom))
            top = left = 0
        return functional.conv2d(input, self.weight, self.bias, self.stride, (top, left), self.dilation, self.groups)


class Crop2d(nn.Module):
    """Cuts rows and columns off the edges."""

    def __init__(self, rows: Pair, columns: Pair) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, x: Tensor) -> Tensor:
        """Of images [N, C, H, W]."""
        (top, bottom), (left, right) = self.rows, self.columns
        return x[:, :, top : x.shape[2] - bottom, left : x.shape[3] - right]


def convolution(layer: Any, weight: Tensor, bias: Tensor | None, groups: int) -> nn.Conv2d:
    """A convolution with the strides, padding and dilation of a layer of Keras.

    Args:
        weight: [out, in / groups, rows, columns].
    """
    strides, dilation = pair(layer.strides), pair(layer.dilation_rate)
    reach = [rate * (side - 1) for rate, side in zip(dilation, weight.shape[2:], strict=True)]
    kind, padding = nn.Conv2d, (0, 0)
    if layer.padding == "same":
        if strides == (1, 1) and not any(total % 2 for total in reach):
            padding = (reach[0] // 2, reach[1] // 2)
        else:
            kind = SameConv2d
    with torch.device("meta"):  # its own weights are never needed
        module = kind(
            weight.shape[1] * groups,
            weight.shape[0],
            (weight.shape[2], weight.shape[3]),
            strides,
            padding,
            dilation,
            groups,
            bias=bias is not None,
        )
    module.weight = parameter(weight)
    if bias is not None:
        module.bias = parameter(bias)
    return module


def _bias(layer: Any) -> Tensor | None:
    return values(layer.bias) if layer.use_bias else None


def _depthwise(kernel: Tensor) -> Tensor:
    """[rows, columns, in, multiplier] of Keras as [in × multiplier, 1, rows, columns]."""
    rows, columns, channels, multiplier = kernel.shape
    return kernel.permute(2, 3, 0, 1).reshape(channels * multiplier, 1, rows, columns)


@builds("Conv2D")
def conv2d(call: Call) -> Converted:
    """A convolution; its kernel is [rows, columns, in, out] in Keras."""
    layer, order = call.layer, order_of(call.layer)
    module = convolution(layer, values(layer.kernel).permute(3, 2, 0, 1), _bias(layer), layer.groups)
    output = call.input.ordered(order).shaped(call.output)
    return Converted(
        with_activation({"convolution": module}, layer.activation, output), (call.input.ordered(order),), output
    )


@builds("DepthwiseConv2D")
def depthwise_conv2d(call: Call) -> Converted:
    """One convolution a channel."""
    layer, order = call.layer, order_of(call.layer)
    kernel = values(layer.kernel)
    module = convolution(layer, _depthwise(kernel), _bias(layer), kernel.shape[2])
    output = call.input.ordered(order).shaped(call.output)
    return Converted(
        with_activation({"convolution": module}, layer.activation, output), (call.input.ordered(order),), output
    )


@builds("SeparableConv2D")
def separable_conv2d(call: Call) -> Converted:
    """One convolution a channel, then a 1×1 convolution over the channels."""
    layer, order = call.layer, order_of(call.layer)
    kernel = values(layer.depthwise_kernel)
    depthwise = convolution(layer, _depthwise(kernel), None, kernel.shape[2])
    pointwise = values(layer.pointwise_kernel).permute(3, 2, 0, 1)
    parts = {"depthwise": depthwise, "pointwise": pointwise_convolution(pointwise, _bias(layer))}
    output = call.input.ordered(order).shaped(call.output)
    return Converted(with_activation(parts, layer.activation, output), (call.input.ordered(order),), output)


def pointwise_convolution(weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """A 1×1 convolution.

    Args:
        weight: [out, in, 1, 1].
    """
    with torch.device("meta"):
        module = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias is not None)
    module.weight = parameter(weight)
    if bias is not None:
        module.bias = parameter(bias)
    return module


def _transposed_crop(layer: Any, side: int) -> Pair:
    """What is cut off before and after a side; less than 0 where the result goes on beyond the kernel's reach."""
    kernel = (pair(layer.kernel_size)[side] - 1) * pair(layer.dilation_rate)[side] + 1
    stride = pair(layer.strides)[side]
    extra = None if layer.output_padding is None else pair(layer.output_padding)[side]
    if layer.padding != "same":
        return 0, -(max(kernel, stride) - kernel if extra is None else extra)
    total = stride + kernel - 2 if extra is None else kernel + kernel % 2 - 2 + extra
    before = min(total - total // 2, kernel - 1)
    return kernel - 1 - before, kernel - 1 - (total - before)


@builds("Conv2DTranspose")
def conv2d_transpose(call: Call) -> Converted:
    """A transposed convolution; its kernel is [rows, columns, out, in] in Keras."""
    layer, order = call.layer, order_of(call.layer)
    weight, bias = values(layer.kernel).permute(3, 2, 0, 1), _bias(layer)
    (top, bottom), (left, right) = _transposed_crop(layer, 0), _transposed_crop(layer, 1)
    beyond = (max(-bottom, 0), max(-right, 0))
    with torch.device("meta"):
        module = nn.ConvTranspose2d(
            weight.shape[0],
            weight.shape[1],
            (weight.shape[2], weight.shape[3]),
            pair(layer.strides),
            output_padding=beyond,
            dilation=pair(layer.dilation_rate),
            bias=bias is not None,
        )
    module.weight = parameter(weight)
    if bias is not None:
        module.bias = parameter(bias)
    parts: dict[str, nn.Module] = {"convolution": module}
    if any(side > 0 for side in (top, bottom, left, right)):
        parts["crop"] = Crop2d((top, max(bottom, 0)), (left, max(right, 0)))
    output = call.input.ordered(order).shaped(call.output)
    return Converted(with_activation(parts, layer.activation, output), (call.input.ordered(order),), output)
