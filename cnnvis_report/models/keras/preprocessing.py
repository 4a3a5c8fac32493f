"""How a Keras model wants its pictures, as far as its layers and its name say it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from cnnvis_report.data.preprocessing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cnnvis_report.models.keras.axes import Axes
from cnnvis_report.models.keras.graph import KerasGraph
from cnnvis_report.models.keras.layers.convolutions import Crop2d
from cnnvis_report.models.keras.layers.normalizations import ScaleShift, Standardize
from cnnvis_report.models.keras.layers.operations import Arithmetic, Part, Stack
from cnnvis_report.models.keras.layers.reshaping import CenterCrop, Upsample2d

SIDE = 224
RAW, UNIT = "0…255", "0…1"
TRANSPARENT = (nn.Identity, nn.Dropout, nn.ZeroPad2d, Crop2d, CenterCrop, Upsample2d, Part, Stack)
CAFFE_MEAN = (103.939, 116.779, 123.68)  # blue, green, red
LARGE = 50.0  # what pictures of 0…255 are divided by is larger, and no constant for those of 0…1 is


@dataclass(frozen=True)
class Application:
    """An architecture of keras.applications: its name in a model, what its preprocess_input does, its usual side."""

    pattern: str
    mode: str
    side: int = SIDE


APPLICATIONS = (
    Application(r"vgg(16|19)", "caffe"),
    Application(r"resnet(50|101|152)", "caffe"),
    Application(r"resnet(50|101|152)v2", "tf"),
    Application(r"mobilenet(v2)?_[0-9._]+", "tf"),
    Application(r"densenet(121|169|201)", "torch"),
    Application(r"inception_v3|inception_resnet_v2|xception", "tf", 299),
    Application(r"nasnet(_mobile)?", "tf"),
    Application(r"nasnet_large", "tf", 331),
    Application(
        r"efficientnet(b[0-7]|v2-(b[0-3]|s|m|l))|mobilenetv3(small|large)|convnext_(tiny|small|base|x?large)", ""
    ),
)
MODES = {
    "caffe": "the mean subtracted, channels in the order blue, green, red",
    "tf": "scaled to −1…1",
    "torch": "normalized by ImageNet's constants",
}


def application(name: str) -> Application | None:
    """The architecture of keras.applications that a model is called like."""
    plain = name.lower()
    return next((entry for entry in APPLICATIONS if re.fullmatch(rf"({entry.pattern})(_\d+)?", plain)), None)


@dataclass(frozen=True)
class Pictures:
    """How pictures go into a network.

    reverse: whether the original reads channels in the order blue, green, red, which the network was turned from.
    """

    preprocessing: Preprocessing
    notices: tuple[str, ...]
    reverse: bool = False


def pictures_of(network: KerasGraph, images: Axes) -> Pictures:
    """How a network wants its pictures; where it is an application that reads blue first, it is turned to read red.

    Args:
        images: that Keras has, with the sizes that it says.
    """
    channels = images.size(images.order[1]) or 3
    title, known = next(((title, entry) for title in _titles(network) if (entry := application(title))), ("", None))
    size, notices = _size(images, known)
    base = Preprocessing((0.0,) * channels, (1.0,) * channels, resize=size)
    scale = _scale(network)
    if scale == RAW:
        notices = (*notices, "Its first layers scale pictures themselves: they get values of 0…255.")
        return Pictures(replace(base, std=(1 / 255,) * channels), notices)
    if scale == UNIT:
        return Pictures(base, (*notices, "Its first layers scale pictures themselves: they get values of 0…1."))
    if known is not None and known.mode and channels == 3 and (known.mode != "caffe" or _reverse_input(network)):
        notice = (
            f"Its {title!r} is called like a network of keras.applications: pictures are prepared as that one's "
            f"preprocess_input does, {MODES[known.mode]}. Where it was trained otherwise, give --mean and --std."
        )
        return Pictures(_by_mode(base, known.mode), (*notices, notice), reverse=known.mode == "caffe")
    notice = "A Keras file doesn't say how pictures are scaled: they are to 0…1. --mean and --std change it."
    return Pictures(base, (*notices, notice))


def _size(images: Axes, known: Application | None) -> tuple[tuple[int, int], tuple[str, ...]]:
    """(height, width), and a notice where the model doesn't say it."""
    height, width = images.size(images.order[2]), images.size(images.order[3])
    if height is not None and width is not None:
        return (height, width), ()
    side = known.side if known else SIDE
    return (height or side, width or side), (
        f"It reads pictures of any size: {side} pixels a side; --size changes it.",
    )


def _by_mode(base: Preprocessing, mode: str) -> Preprocessing:
    """As preprocess_input does it to pictures of 0…255."""
    if mode == "tf":
        return replace(base, mean=(0.5,) * 3, std=(0.5,) * 3)
    if mode == "torch":
        return replace(base, mean=IMAGENET_MEAN, std=IMAGENET_STD)
    return replace(base, mean=tuple(value / 255 for value in reversed(CAFFE_MEAN)), std=(1 / 255,) * 3)


def _leading(graph: KerasGraph) -> Iterator[nn.Module | str]:
    """The layers that pictures go through one after the other, and the titles of the models that they are in."""
    yield graph.title
    numbers = {0}
    while True:
        steps = [step for step in graph.steps if any(read.number in numbers for read in step.inputs)]
        layers = [graph.get_submodule(step.child) for step in steps]
        if not steps or (len(steps) > 1 and not all(isinstance(layer, Part) for layer in layers)):
            return
        if isinstance(layers[0], KerasGraph):
            yield from _leading(layers[0])
            if not _is_transparent(layers[0]):
                return
        else:
            yield layers[0]
        numbers = {step.output for step in steps}


def _is_transparent(graph: KerasGraph) -> bool:
    return all(isinstance(module, (*TRANSPARENT, KerasGraph)) for module in graph.modules())


def _titles(network: KerasGraph) -> Iterator[str]:
    """The names of the models that pictures reach before any layer that computes with them."""
    for part in _leading(network):
        if isinstance(part, str):
            yield part
        elif not isinstance(part, TRANSPARENT):
            return


def _scale(network: KerasGraph) -> str:
    """The values that the first arithmetic with pictures is made for; empty where there is none before a layer."""
    for part in _leading(network):
        if isinstance(part, ScaleShift):
            return RAW if float(part.scale.abs().max()) <= 1 / LARGE else UNIT
        if isinstance(part, Standardize):
            return RAW if float(part.mean.abs().max()) > 2 or float(part.deviation.max()) > 5 else UNIT
        if isinstance(part, Arithmetic):
            return _scale_of(part)
        if not isinstance(part, (str, *TRANSPARENT)):
            return ""
    return ""


def _scale_of(part: Arithmetic) -> str:
    if part.right is None:
        return ""
    value = float(torch.as_tensor(part.right).abs().max())
    if part.kind in ("Divide", "TrueDivide"):
        return RAW if value >= LARGE else UNIT
    if part.kind == "Multiply":
        return RAW if value <= 1 / LARGE else UNIT
    return RAW if value > 2 else UNIT


def _reverse_input(network: KerasGraph) -> bool:
    """Turn the first convolution so that it reads red, green, blue; False where there is none at the beginning."""
    for part in _leading(network):
        layer: nn.Module | str = part[0] if isinstance(part, nn.Sequential) else part
        if isinstance(layer, nn.Conv2d) and layer.groups == 1:
            layer.weight = nn.Parameter(layer.weight.detach().flip(1))
            return True
        if not isinstance(part, (str, *TRANSPARENT)):
            return False
    return False
