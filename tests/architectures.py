"""Networks of torchvision with random weights, as users have them."""

from itertools import pairwise
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from tests.narrow import present
from tests.networks import seeded

FAMILIES = [
    "alexnet", "vgg16", "vgg11_bn", "resnet18", "resnext50_32x4d", "densenet121", "googlenet", "inception_v3",
    "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5", "mnasnet0_5",
    "regnet_y_400mf", "convnext_tiny",
]  # fmt: skip


WIDE = ("alexnet", "vgg16", "vgg11_bn")  # with linear layers of 4096 units
WIDTH = 64


def architecture(name: str, *, biases: bool) -> tuple[nn.Module, Tensor]:
    """A network of ten classes and images for it, with biases and batch statistics or without."""
    network = seeded(_narrow(name) if name in WIDE else _plain(name))
    if not biases:
        for module in network.modules():
            if isinstance(bias := getattr(module, "bias", None), nn.Parameter):
                bias.detach().zero_()
            if isinstance(module, nn.BatchNorm2d):
                present(module.running_mean).zero_()
    side = 96 if name == "inception_v3" else 64
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(4))
    return network.eval(), images


def _plain(name: str) -> Any:
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, weights=None, num_classes=10, **extra)


def _narrow(name: str) -> Any:
    """The same layers, the linear ones narrow: 100 million weights would take most of the time of these tests."""
    with torch.device("meta"):
        network = _plain(name)
        linears = [module for module in network.classifier if isinstance(module, nn.Linear)]
        sizes = [linears[0].in_features, *[WIDTH] * (len(linears) - 1), 10]
        widths = pairwise(sizes)
        network.classifier = nn.Sequential(
            *(nn.Linear(*next(widths)) if isinstance(module, nn.Linear) else module for module in network.classifier)
        )
    network.to_empty(device="cpu")
    for buffer in network.buffers():
        buffer.zero_()
    return network
