"""Pooling, over windows and over whole grids."""

from torch import Tensor, nn
from torch.nn import functional

from cnnvis_report.models.keras.axes import Axes
from cnnvis_report.models.keras.layers.convolutions import Pair, order_of, pair, same_padding
from cnnvis_report.models.keras.registry import Call, Converted, builds


class SamePool2d(nn.Module):
    """A pooling whose padding depends on the size of what it reads, as Keras's "same" does.

    Where both sides can't get equally much, the edge is repeated: a maximum stays what it is, and an average is the one
    that Keras computes with PyTorch.
    """

    def __init__(self, kind: str, size: Pair, strides: Pair) -> None:
        super().__init__()
        self.kind, self.size, self.strides = kind, size, strides

    def forward(self, x: Tensor) -> Tensor:
        """Of images [N, C, H, W]."""
        (top, bottom), (left, right) = [
            same_padding(*side) for side in zip(x.shape[2:], self.size, self.strides, strict=True)
        ]
        if (top, left) != (bottom, right):
            x = functional.pad(x, (left, right, top, bottom), mode="replicate")
            top = left = 0
        if self.kind == "max":
            return functional.max_pool2d(x, self.size, self.strides, (top, left))
        return functional.avg_pool2d(x, self.size, self.strides, (top, left), count_include_pad=False)

    def extra_repr(self) -> str:
        """What a printed network says of it."""
        return f"{self.kind}, {self.size}, {self.strides}"


class GlobalPool2d(nn.Module):
    """The mean or the maximum of each channel."""

    def __init__(self, kind: str, *, keep: bool) -> None:
        super().__init__()
        self.kind, self.keep = kind, keep

    def forward(self, x: Tensor) -> Tensor:
        """[N, C] of images [N, C, H, W], or [N, C, 1, 1]."""
        return x.mean((2, 3), self.keep) if self.kind == "mean" else x.amax((2, 3), self.keep)

    def extra_repr(self) -> str:
        """What a printed network says of it."""
        return self.kind


class TokenPool(nn.Module):
    """The mean or the maximum over tokens."""

    def __init__(self, kind: str, dimension: int, *, keep: bool) -> None:
        super().__init__()
        self.kind, self.dimension, self.keep = kind, dimension, keep

    def forward(self, x: Tensor) -> Tensor:
        """Of [N, tokens, features] or [N, features, tokens]."""
        return x.mean(self.dimension, self.keep) if self.kind == "mean" else x.amax(self.dimension, self.keep)


@builds("MaxPooling2D", "AveragePooling2D")
def pooling(call: Call) -> Converted:
    """Pooling over windows."""
    layer, axes = call.layer, call.input.ordered(order_of(call.layer))
    size, strides = pair(layer.pool_size), pair(layer.strides)
    kind = "max" if "Max" in type(layer).__name__ else "mean"
    module: nn.Module
    if layer.padding == "same":
        module = SamePool2d(kind, size, strides)
    else:
        module = nn.MaxPool2d(size, strides) if kind == "max" else nn.AvgPool2d(size, strides)
    return Converted(module, (axes,), axes.shaped(call.output))


@builds("GlobalAveragePooling2D", "GlobalMaxPooling2D")
def global_pooling(call: Call) -> Converted:
    """Pooling over a whole grid."""
    layer, axes = call.layer, call.input.ordered(order_of(call.layer))
    module = GlobalPool2d("max" if "Max" in type(layer).__name__ else "mean", keep=bool(layer.keepdims))
    output = axes.shaped(call.output) if layer.keepdims else Axes.as_in_keras(call.output)
    return Converted(module, (axes,), output)


@builds("AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D")
def adaptive_pooling(call: Call) -> Converted:
    """Pooling to a size."""
    layer, axes = call.layer, call.input.ordered(order_of(call.layer))
    kind = nn.AdaptiveMaxPool2d if "Max" in type(layer).__name__ else nn.AdaptiveAvgPool2d
    return Converted(kind(pair(layer.output_size)), (axes,), axes.shaped(call.output))


@builds("GlobalAveragePooling1D", "GlobalMaxPooling1D")
def token_pooling(call: Call) -> Converted:
    """Pooling over tokens."""
    layer, axes = call.layer, call.input
    tokens = axes.dimension(2 if layer.data_format == "channels_first" else 1)
    kind = "max" if "Max" in type(layer).__name__ else "mean"
    module = TokenPool(kind, tokens, keep=bool(layer.keepdims))
    output = axes.shaped(call.output) if layer.keepdims else Axes.as_in_keras(call.output)
    return Converted(module, (axes,), output)
