"""Score-CAM and Ablation-CAM, which score one channel after the other."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from cnnvis_report.errors import BadRequest
from tests import oracles
from tests.methods.maps import noted, only, scores
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric


def score_cam_slowly(network: Any, image: Any, values: Any, target: Any, channels: Any) -> Any:
    height, width = image.shape[1:]
    rises = []
    for k in channels:
        up = interpolate(values[None, None, k], size=(height, width), mode="bilinear", align_corners=False)[0, 0]
        constant = values[k].max() == values[k].min()
        mask = torch.zeros_like(up) if constant else (up - up.min()) / (up.max() - up.min())
        baseline = scores(network, torch.zeros_like(image)[None])[0, target]
        rises.append(float(scores(network, (image * mask)[None])[0, target] - baseline))
    odds = np.exp(rises) / np.exp(rises).sum()
    return np.maximum(sum(w * values[k].numpy() for w, k in zip(odds, channels, strict=True)), 0)


def strongest_slowly(values: Any, most: Any) -> Any:
    return sorted(range(len(values)), key=lambda k: -float(values[k].abs().mean()))[:most]


@pytest.mark.parametrize("most", [0, 3])
def test_score_cam_equals_its_definition(network: Any, layer: Any, wide: Any, targets: Any, most: Any) -> None:
    a = torch.from_numpy(oracles.layer_values(network, wide, targets, layer)[0])
    assert any(float(channel.amax()) == float(channel.amin()) for channel in a.flatten(0, 1)) or layer == "last"
    maps = only(network, wide, targets, "score_cam", layer=layer, max_channels=most)
    for i, target in enumerate(targets):
        channels = strongest_slowly(a[i], most or None)
        expected = score_cam_slowly(network, wide[i], a[i], target, channels)
        np.testing.assert_allclose(maps[i].numpy(), expected, rtol=1e-9, atol=1e-12)


def test_a_constant_channel_hides_the_image_however_its_value_is_rounded() -> None:
    # upsampled from 13 to 224 it differs from its value by rounding here and there: scaled to 0..1 a mask of dust
    conv = nn.Conv2d(1, 8, 16, stride=17)
    network = seeded(nn.Sequential(conv, nn.Flatten(), nn.Linear(8 * 13 * 13, 3)))
    assert conv.bias is not None
    conv.weight.data[:7], conv.bias.data[:7] = 0, torch.arange(1, 8) / 10
    image = torch.randn(1, 1, 224, 224, generator=torch.Generator().manual_seed(2))
    values = conv(image)[0].detach()
    expected = score_cam_slowly(network.double(), image[0].double(), values.double(), 1, range(8))
    maps = only(network.float(), image, [1], "score_cam", layer="0")
    np.testing.assert_allclose(maps[0].numpy(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("most", [0, 3])
def test_ablation_cam_equals_its_definition(network: Any, layer: Any, wide: Any, targets: Any, most: Any) -> None:
    a = torch.from_numpy(oracles.layer_values(network, wide, targets, layer)[0])
    maps = only(network, wide, targets, "ablation_cam", layer=layer, max_channels=most)
    for i, target in enumerate(targets):
        score = float(scores(network, wide[i : i + 1])[0, target])
        expected = torch.zeros_like(a[i, 0])
        for k in strongest_slowly(a[i], most or None):

            def without(module: Any, inputs: Any, output: Any, k: Any = k) -> Any:
                output = output.clone()
                output[:, k] = 0
                return output

            handle = network.get_submodule(layer).register_forward_hook(without)
            left = float(scores(network, wide[i : i + 1])[0, target])
            handle.remove()
            expected += (score - left) / abs(score) * a[i, k]
        torch.testing.assert_close(maps[i], expected.relu(), rtol=1e-9, atol=1e-12)


def test_behind_average_pooling_ablation_cam_is_cam(images: Any, targets: Any) -> None:
    # the logit is linear in the channels, so S - S_k is the channel's own part of it
    network = seeded(Tiny()).double()
    score = scores(network, images).gather(1, targets[:, None])[:, :, None].abs()
    a = torch.from_numpy(oracles.layer_values(network, images, targets, "features")[0])
    weights = network.fc.weight.detach()[targets] * a.mean((2, 3))
    expected = ((weights[..., None, None] * a).sum(1) / score).relu()
    torch.testing.assert_close(only(network, images, targets, "ablation_cam"), expected)


@pytest.mark.parametrize("name", ["score_cam", "ablation_cam"])
def test_channels_left_out_are_said(name: Any, images: Any) -> None:
    _, notes, account = noted(
        seeded(Tiny()).double(), images, torch.zeros(3, 2, dtype=torch.long), name, max_channels=3
    )
    assert notes["channels"] == "3 of 8"
    assert account.forward <= 3, "one pass a channel, whatever the number of classes"
    with pytest.raises(BadRequest, match=r"'max_channels' of .* is -1; it takes a number from 0"):
        only(seeded(Tiny()).double(), images, [0, 0, 0], name, max_channels=-1)
