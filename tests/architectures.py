"""Networks of torchvision with random weights, as users have them; the largest with fewer channels or blocks."""

from itertools import pairwise
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models import DenseNet, ResNet, vgg
from torchvision.models.resnet import Bottleneck

from tests.narrow import present
from tests.networks import seeded

FAMILIES = [
    "alexnet", "vgg16", "vgg11_bn", "resnet18", "resnext50_32x4d", "densenet121", "googlenet", "inception_v3",
    "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5", "mnasnet0_5",
    "regnet_y_400mf", "convnext_tiny",
]  # fmt: skip


VGGS = {"vgg16": "D", "vgg11_bn": "A"}  # by the letter of their layers
WIDE = ("alexnet", *VGGS)  # with linear layers of 4096 units
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
    """The network; of those that repeat a block up to 24 times, fewer of each kind."""
    if name in VGGS:
        channels = [size if isinstance(size, str) else size // 2 for size in vgg.cfgs[VGGS[name]]]
        return vgg.VGG(vgg.make_layers(channels, batch_norm=name.endswith("bn")), num_classes=10, init_weights=False)
    if name == "resnext50_32x4d":
        return ResNet(Bottleneck, [2, 2, 2, 2], num_classes=10, groups=32, width_per_group=4)
    if name == "densenet121":
        return DenseNet(block_config=(4, 6, 8, 6), num_classes=10)
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(name, weights=None, num_classes=10, **extra)


def _narrow(name: str) -> Any:
    """The same layers, the linear ones narrow: 100 million weights would take most of the time of these tests."""
    with torch.device("meta"):
        network = _plain(name)
        linears = [module for module in network.classifier if isinstance(module, nn.Linear)]
        incoming = linears[0].in_features // (2 if name in VGGS else 1)
        widths = pairwise([incoming, *[WIDTH] * (len(linears) - 1), 10])
        network.classifier = nn.Sequential(
            *(nn.Linear(*next(widths)) if isinstance(module, nn.Linear) else module for module in network.classifier)
        )
    network.to_empty(device="cpu")
    for buffer in network.buffers():
        buffer.zero_()
    return network
