"""CAM, and what other maps become where it is defined."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.errors import NotApplicable
from tests.methods.maps import only
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric


def test_behind_average_pooling_and_a_linear_layer_the_cams_are_one(images: Any, targets: Any) -> None:
    network = seeded(Tiny()).double()
    maps = explain(network, images, targets, ["cam", "grad_cam", "hires_cam", "xgrad_cam"])
    positions = maps["cam"][0].numel()
    logits, bias = network(images).gather(1, targets[:, None])[:, 0], network.fc.bias[targets]
    torch.testing.assert_close(maps["cam"].mean((1, 2)), (logits - bias).detach())
    torch.testing.assert_close(maps["hires_cam"], maps["cam"] / positions)
    torch.testing.assert_close(maps["grad_cam"], (maps["cam"] / positions).relu())
    torch.testing.assert_close(maps["xgrad_cam"], maps["grad_cam"])


def test_cam_of_a_network_that_pools_class_maps(images: Any, targets: Any) -> None:
    # as SqueezeNet ends: 1×1 convolution, ReLU, average; the mean of the rectified map with bias is the logit
    scores = nn.Conv2d(8, 5, 1)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), scores, nn.ReLU(), nn.AvgPool2d(14), nn.Flatten())
    seeded(network).double()
    assert scores.bias is not None
    maps = only(network, images, targets, "cam")
    bias = scores.bias[targets][:, None, None]
    logits = network(images).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close((maps + bias).relu().mean((1, 2)), logits.detach())


@pytest.mark.parametrize("pooling", [nn.AdaptiveAvgPool2d(1), nn.AvgPool2d(14)], ids=["adaptive", "fixed"])
def test_cam_where_a_1x1_convolution_reads_the_averages(pooling: nn.Module, images: Any, targets: Any) -> None:
    # as Keras's MobileNet and timm's BiT end: on one position such a convolution is a linear layer
    scores = nn.Conv2d(8, 5, 1)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), pooling, nn.Dropout(), scores, nn.Flatten()).eval()
    seeded(network).double()
    assert scores.bias is not None
    maps = only(network, images, targets, "cam")
    features = network[:2](images).detach()
    weights = scores.weight[:, :, 0, 0].detach()[targets]
    torch.testing.assert_close(maps, torch.einsum("nk,nkhw->nhw", weights, features))
    logits = network(images).gather(1, targets[:, None])[:, 0] - scores.bias[targets]
    torch.testing.assert_close(maps.mean((1, 2)), logits.detach())


@pytest.mark.parametrize(
    ("pooling", "scores"),
    [
        (nn.AdaptiveMaxPool2d(1), nn.Conv2d(8, 4, 1)),
        (nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1, groups=2)),
        (nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1, padding=1, stride=3)),
        (nn.AdaptiveAvgPool2d(1), nn.Sequential(nn.Conv2d(8, 4, 1), nn.ReLU())),
    ],
    ids=["maximum", "groups", "padding", "activation"],
)
def test_no_cam_where_the_scores_are_no_weighted_average(
    pooling: nn.Module, scores: nn.Module, images: Any, targets: Any
) -> None:
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), pooling, scores, nn.Flatten())
    with pytest.raises(NotApplicable, match="cam isn't applicable"):
        explain(seeded(network).double(), images, targets.clamp(max=3), ["cam"])
