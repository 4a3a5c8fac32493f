"""timm's configurations as preprocessing: the same pixels as timm's own transform for evaluation."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.extras.needs import needs

needs("timm")

from timm.data import create_transform, resolve_data_config  # noqa: E402

from cnnvis_report.data.preprocessing.prepare import prepare  # noqa: E402
from cnnvis_report.errors import BadRequest  # noqa: E402
from cnnvis_report.models.own_code.network_attributes import declared  # noqa: E402
from cnnvis_report.models.timm_models.config import timm_preprocessing  # noqa: E402

CONFIGS: dict[str, dict[str, Any]] = {
    "center": {"input_size": (3, 56, 56), "crop_pct": 0.875, "interpolation": "bicubic"},
    "0.95": {"input_size": (3, 57, 57), "crop_pct": 0.95, "interpolation": "bilinear"},
    "rounded down": {"input_size": (3, 50, 50), "crop_pct": 0.9, "interpolation": "bicubic"},
    "whole": {"input_size": (3, 56, 56), "crop_pct": 1.0},
    "squash": {"input_size": (3, 48, 64), "crop_pct": 1.0, "crop_mode": "squash"},
    "squash and crop": {"input_size": (3, 48, 64), "crop_pct": 0.9, "crop_mode": "squash", "mean": (0.5,) * 3},
    "border": {"input_size": (3, 48, 48), "crop_pct": 0.9, "crop_mode": "border", "std": (0.5,) * 3},
    "whole border": {"input_size": (3, 48, 40), "crop_pct": 1.0, "crop_mode": "border"},
    "no square": {"input_size": (3, 48, 72), "crop_pct": 0.9, "crop_mode": "center"},
    "lanczos": {"input_size": (3, 48, 48), "crop_pct": 0.9, "interpolation": "lanczos"},
    "test size": {"input_size": (3, 40, 40), "test_input_size": (3, 56, 56), "test_crop_pct": 1.0, "crop_pct": 0.9},
    "nothing said": {"num_classes": 3},
}


def noise(size: tuple[int, int]) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3))
    return Image.fromarray(values.astype(np.uint8)).resize((size[0] * 2, size[1] * 2))


@pytest.mark.parametrize("size", [(60, 41), (40, 61), (21, 21), (90, 7)], ids=str)
@pytest.mark.parametrize("name", CONFIGS)
def test_pixels_are_those_of_timm(name: str, size: Any) -> None:
    config = CONFIGS[name]
    transform = create_transform(**resolve_data_config({}, pretrained_cfg=dict(config)), is_training=False)
    found = prepare(noise(size), timm_preprocessing(config, "x"))
    torch.testing.assert_close(found.values, transform(noise(size)), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"input_size": (3, 1_000_000, 224)}, "input_size makes 1000000 by 224 pixels"),
        ({"input_size": (3, "a", 224)}, "input_size makes 'a' by 224"),
        ({"crop_pct": 1e-9}, "crop_pct makes"),
        ({"crop_pct": "x"}, "can't be read"),
        ({"std": (0.0, 1.0, 1.0)}, "std is"),
        ({"mean": (float("nan"),) * 3}, "mean is"),
        ({"interpolation": "random"}, "interpolation is 'random'"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        timm_preprocessing(config, "folder")


def of_a_factory(name: str, channels: int = 3) -> Any:
    network: Any = torch.nn.Sequential(torch.nn.Conv2d(channels, 2, 1))
    network.pretrained_cfg = CONFIGS[name]  # as timm leaves it on the networks that it makes
    return network


@pytest.mark.parametrize("name", [name for name in CONFIGS if name != "nothing said"])
def test_a_network_from_a_factory_brings_its_steps(name: str) -> None:
    use = declared(of_a_factory(name), "nets.py:make", {})
    assert use.preprocessing == timm_preprocessing(CONFIGS[name], "")
    assert use.notices == ()


def test_what_is_said_goes_over_the_steps_of_a_network() -> None:
    assert declared(of_a_factory("center", channels=1), "nets.py:make", {}).preprocessing.channels == 1
    network = of_a_factory("center")
    assert declared(network, "nets.py:make", {"size": 32}).preprocessing.resize == (32, 32)
    assert declared(network, "nets.py:make", {"classes": ["a", "b"]}).preprocessing.crop == (56, 56)
    network.size = 40
    assert declared(network, "nets.py:make", {}).preprocessing.resize == (40, 40)
    network = of_a_factory("center")
    network.pretrained_cfg = {"input_size": (3, "a", 224)}
    with pytest.raises(BadRequest, match=r"nets\.py:make: pretrained_cfg: timm's preprocessing can't be read"):
        declared(network, "nets.py:make", {})
