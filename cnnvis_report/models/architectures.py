"""Networks that can be trained here, and built again from a few words when their weights come from a file."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor

from cnnvis_report.errors import BadRequest

MOST_CLASSES = 100_000
SMALL = "small"
MOST_BLOCKS = 7
LAST_SIDE = 7  # positions along a side that the last maps of a small network keep at least
HEADS = ("linear", "cam")
GAP_CHANNELS = 256
BUILDER_OPTIONS = {"aux_logits", "transform_input"}


@dataclass(frozen=True)
class Architecture:
    """What a network is built from.

    name: "small", or a classifier of torchvision. channels: of the pictures. blocks: of a small network. head:
    "linear" is the architecture's own; "cam" a convolution, global average pooling and a linear layer without bias,
    on what `layer` gives. options: what torchvision's builder is told, besides the number of classes.
    """

    name: str
    classes: int
    channels: int = 3
    blocks: int = 4
    head: str = "linear"
    layer: str = ""
    options: dict[str, bool] = field(default_factory=dict)


class SmallNetwork(nn.Module):
    """A small relative of VGG: blocks of convolution, batch norm and ReLU with pooling between; average; linear.

    Args:
        classes: how many scores it gives.
        channels: of the pictures, 1 to 3.
        blocks: 2 to 7; each but the last halves the picture.
    """

    WIDTHS = (16, 32, 64, 64, 96, 128, 128)

    def __init__(self, classes: int, channels: int = 3, blocks: int = 4) -> None:
        super().__init__()
        sizes = [channels, *self.WIDTHS[:blocks]]
        stack = [_block(before, after) for before, after in pairwise(sizes)]
        pooled = [layer for block in stack[:-1] for layer in (block, nn.MaxPool2d(2))]
        self.features = nn.Sequential(*pooled, stack[-1])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(sizes[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """[N, classes] scores of [N, channels, H, W] images."""
        scores: Tensor = self.classifier(self.pool(self.features(images)).flatten(1))
        return scores


class GapNetwork(nn.Module):
    """A backbone, one convolution, global average pooling and a linear layer without bias: `cam` is defined for it.

    Args:
        backbone: [N, C, H, W] images to {"maps": [N, K, h, w]}.
        width: K.
        classes: how many scores it gives.
    """

    def __init__(self, backbone: nn.Module, width: int, classes: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.convolution = nn.Sequential(nn.Conv2d(width, GAP_CHANNELS, 3, padding=1), nn.ReLU(inplace=True))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(GAP_CHANNELS, classes, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """[N, classes] scores of [N, C, H, W] images."""
        maps = self.convolution(self.backbone(images)["maps"])
        scores: Tensor = self.classifier(self.pool(maps).flatten(1))
        return scores


def blocks_for(size: tuple[int, int]) -> int:
    """How many blocks a small network has for pictures of (height, width).

    The shorter side of the last maps is 7 to 13, for pictures of 28 to 895 pixels.

    Raises:
        BadRequest: the pictures are too small for any.
    """
    side = min(size)
    if side < 8:
        raise BadRequest(f"--size {size[0]}x{size[1]}: the small network needs at least 8 pixels a side.")
    pools = 1
    while side >> (pools + 1) >= LAST_SIDE and pools + 1 < MOST_BLOCKS:
        pools += 1
    return pools + 1


def build(architecture: Architecture) -> nn.Module:
    """The network, with weights drawn from PyTorch's own random numbers.

    Raises:
        BadRequest: nothing can be built from such words, which a damaged file may hold.
    """
    check(architecture)
    if architecture.head == "cam":
        return _with_gap(architecture)
    if architecture.name == SMALL:
        return SmallNetwork(architecture.classes, architecture.channels, architecture.blocks)
    network: nn.Module = torchvision.models.get_model(
        architecture.name, weights=None, num_classes=architecture.classes, **_builder(architecture)
    )
    return network


def check(architecture: Architecture) -> None:
    """Refuse what nothing can be built from."""
    known = [SMALL, *torchvision.models.list_models(module=torchvision.models)]
    problems = [
        (architecture.name not in known, f"an architecture called {architecture.name!r}"),
        (not 1 <= architecture.classes <= MOST_CLASSES, f"{architecture.classes} classes"),
        (architecture.channels not in (1, 2, 3), f"{architecture.channels} channels"),
        (not 2 <= architecture.blocks <= MOST_BLOCKS, f"{architecture.blocks} blocks"),
        (architecture.head not in HEADS, f"a head called {architecture.head!r}"),
        (not set(architecture.options) <= BUILDER_OPTIONS, f"options {', '.join(architecture.options)}"),
    ]
    problem = next((words for wrong, words in problems if wrong), None)
    if problem:
        raise BadRequest(f"No network can be built with {problem}.")


def torchvision_kwargs(name: str) -> dict[str, bool]:
    """What the builders of two old architectures have to be told for training without their auxiliary heads."""
    return {"aux_logits": False, "transform_input": False} if name in ("googlenet", "inception_v3") else {}


def _with_gap(architecture: Architecture) -> GapNetwork:
    plain = Architecture(architecture.name, 2, architecture.channels, architecture.blocks, options=architecture.options)
    try:
        backbone = create_feature_extractor(build(plain), {architecture.layer: "maps"})
    except ValueError as error:
        raise BadRequest(f"{architecture.name} has no layer {architecture.layer!r} to put a head on.") from error
    return GapNetwork(backbone, _width(backbone, architecture), architecture.classes)


def _width(backbone: nn.Module, architecture: Architecture) -> int:
    """The channels of the backbone's maps, which no picture's size changes."""
    training = backbone.training
    with torch.no_grad():
        maps: dict[str, Any] = backbone.eval()(torch.zeros(1, architecture.channels, 96, 96))
    backbone.train(training)
    shape = maps["maps"].shape
    if len(shape) != 4:
        raise BadRequest(f"--head cam needs maps, and {architecture.layer!r} of {architecture.name} gives none.")
    return int(shape[1])


def _builder(architecture: Architecture) -> dict[str, bool]:
    old = architecture.name in ("googlenet", "inception_v3")
    return {**architecture.options, **({"init_weights": True} if old else {})}


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )
