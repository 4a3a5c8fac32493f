"""Layers that move numbers: flattening, reshaping, padding, cropping, resizing."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cnnvis_report.models.keras.axes import CHANNELS_FIRST, CHANNELS_LAST, Axes
from cnnvis_report.models.keras.layers.convolutions import Crop2d, order_of, pair
from cnnvis_report.models.keras.registry import Call, Converted, NotConverted, builds


class Reshape(nn.Module):
    """Another shape for the same numbers; the images stay apart."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def forward(self, x: Tensor) -> Tensor:
        """Of [N, …]."""
        return x.reshape(len(x), *self.shape)

    def extra_repr(self) -> str:
        """What a printed network says of it."""
        return str(self.shape)


class Upsample2d(nn.Module):
    """A grid that is larger by a factor, or of another size."""

    def __init__(
        self, mode: str, *, factor: tuple[int, int] | None = None, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__()
        self.mode, self.factor, self.size = mode, factor, size

    def forward(self, x: Tensor) -> Tensor:
        """Of images [N, C, H, W]."""
        size = self.size
        if self.factor is not None:
            size = (x.shape[2] * self.factor[0], x.shape[3] * self.factor[1])
        corners = None if self.mode.startswith("nearest") else False
        return functional.interpolate(x, size, mode=self.mode, align_corners=corners)

    def extra_repr(self) -> str:
        """What a printed network says of it."""
        return f"{self.mode}, {self.factor or self.size}"


class CenterCrop(nn.Module):
    """The middle of a grid."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """Of images [N, C, H, W], which are at least that large."""
        top, left = ((side - size) // 2 for side, size in zip(x.shape[2:], self.size, strict=True))
        return x[:, :, top : top + self.size[0], left : left + self.size[1]]


def edges(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """What a layer adds to, or cuts from, the edges: ((top, bottom), (left, right))."""
    if isinstance(value, int):
        return (value, value), (value, value)
    return pair(value[0]), pair(value[1])


@builds("Flatten")
def flatten(call: Call) -> Converted:
    """All features in one row; a grid stays in its order, and what reads it has its weights turned."""
    axes = call.input
    output = Axes.as_in_keras(call.output)
    if axes.rank == 2:
        return Converted(nn.Identity(), (axes,), axes)
    if axes.order != CHANNELS_LAST:
        return Converted(nn.Flatten(), (axes.plain(),), output)
    height, width, channels = axes.shape[1:]
    if height is None or width is None or channels is None:
        return Converted(nn.Flatten(), (axes.plain(),), output)
    if height * width == 1 or channels == 1:  # both orders are the same
        return Converted(nn.Flatten(), (axes,), output)
    return Converted(nn.Flatten(), (axes,), Axes(output.shape, output.order, (height, width, channels)))


@builds("Reshape", "ops.Reshape")
def reshape(call: Call) -> Converted:
    """Another shape, in the order in which Keras counts."""
    axes, shape = call.input, call.output
    unknown = [size is None for size in shape[1:]]
    if sum(unknown) > 1:
        raise NotConverted("reshapes to an unknown size")
    target = [-1 if size is None else size for size in shape[1:]]
    # a vector becomes the channels of one position, or stops being it: no number moves
    if len(shape) == 4 and target[:2] == [1, 1] and axes.rank == 2:
        return Converted(Reshape([target[2], 1, 1]), (axes.plain(),), Axes(shape, CHANNELS_LAST))
    single = axes.order == CHANNELS_LAST and axes.shape[1:3] == (1, 1)
    if single and len(shape) == 2:
        return Converted(Reshape(target), (axes,), Axes.as_in_keras(shape))
    if axes.order == CHANNELS_LAST and len(shape) == 3 and shape[2] is not None and shape[2] == axes.shape[3]:
        flat = nn.Flatten(2)  # tokens: positions in a row, of the same channels
        return Converted(flat, (axes,), Axes(shape, (0, 2, 1)))
    return Converted(Reshape(target), (axes.plain(),), Axes.as_in_keras(shape))


@builds("Permute", "ops.Transpose")
def permute(call: Call) -> Converted:
    """Another order of Keras's axes, which moves nothing here."""
    axes = call.input if call.input.grid is None else call.input.plain()
    dims = getattr(call.layer, "dims", None)
    order = (0, *dims) if dims is not None else tuple(call.layer.axes or reversed(range(axes.rank)))
    if order[0] != 0:
        raise NotConverted("moves the axis of the images")
    return Converted(nn.Identity(), (axes,), Axes(call.output, tuple(order.index(axis) for axis in axes.order)))


@builds("ZeroPadding2D")
def zero_padding(call: Call) -> Converted:
    """Zeros around a grid."""
    (top, bottom), (left, right) = edges(call.layer.padding)
    axes = call.input.ordered(order_of(call.layer))
    return Converted(nn.ZeroPad2d((left, right, top, bottom)), (axes,), axes.shaped(call.output))


@builds("Cropping2D")
def cropping(call: Call) -> Converted:
    """Rows and columns that are cut off the edges."""
    axes = call.input.ordered(order_of(call.layer))
    return Converted(Crop2d(*edges(call.layer.cropping)), (axes,), axes.shaped(call.output))


@builds("UpSampling2D")
def upsampling(call: Call) -> Converted:
    """A grid that is larger by a factor."""
    layer, axes = call.layer, call.input.ordered(order_of(call.layer))
    if layer.interpolation not in ("nearest", "bilinear"):
        raise NotConverted(f"is an UpSampling2D with the interpolation {layer.interpolation!r}")
    module = Upsample2d(layer.interpolation, factor=pair(layer.size))
    return Converted(module, (axes,), axes.shaped(call.output))


@builds("Resizing")
def resizing(call: Call) -> Converted:
    """A grid of another size."""
    layer = call.layer
    keeps = layer.crop_to_aspect_ratio or getattr(layer, "pad_to_aspect_ratio", False)
    if keeps or getattr(layer, "antialias", False) or layer.interpolation not in ("nearest", "bilinear"):
        raise NotConverted("is a Resizing that keeps the aspect, smooths, or isn't bilinear")
    axes = call.input.ordered(_image_order(layer, call.input))
    module = Upsample2d(layer.interpolation, size=(layer.height, layer.width))
    return Converted(module, (axes,), axes.shaped(call.output))


@builds("CenterCrop")
def center_crop(call: Call) -> Converted:
    """The middle of a grid."""
    layer = call.layer
    axes = call.input.ordered(_image_order(layer, call.input))
    height, width = (axes.size(axis) for axis in ((2, 3) if axes.order == CHANNELS_FIRST else (1, 2)))
    if height is None or width is None or height < layer.height or width < layer.width:
        raise NotConverted("is a CenterCrop of images that may be smaller than it")
    return Converted(CenterCrop((layer.height, layer.width)), (axes,), axes.shaped(call.output))


def _image_order(layer: Any, axes: Axes) -> tuple[int, ...]:
    return order_of(layer) if getattr(layer, "data_format", None) else axes.order


@builds("RepeatVector")
def repeat_vector(call: Call) -> Converted:
    """A vector several times."""
    axes = call.input.plain()
    return Converted(_Repeat(call.layer.n), (axes,), Axes.as_in_keras(call.output))


class _Repeat(nn.Module):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x] * self.count, dim=1)
