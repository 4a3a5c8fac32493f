"""Models as Keras 2 saved them, written by hand, compute what their weights say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests.extras.needs import needs

needs("keras", "h5py")

import h5py  # noqa: E402

from cnnvis_report.models.load import load_model  # noqa: E402
from tests.extras.keras.keras2 import (  # noqa: E402
    convolution,
    functional,
    images,
    layer,
    write_keras2,
    write_weights,
)
from tests.extras.keras.models import loaded_difference  # noqa: E402

NORM: dict[str, Any] = {  # what Keras 2 wrote, and Keras 3 doesn't know
    "axis": [3],
    "momentum": 0.99,
    "epsilon": 0.001,
    "center": True,
    "scale": True,
    "renorm": False,
    "fused": True,
    "moving_mean_initializer": {"class_name": "Zeros", "config": {}},
}
DENSE: dict[str, Any] = {"units": 3, "activation": "softmax", "use_bias": True}


def numbers(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(0, 0.4, shape).astype("float32")


def norm(channels: int) -> dict[str, Any]:
    return {
        "gamma": numbers(channels),
        "beta": numbers(channels),
        "moving_mean": numbers(channels),
        "moving_variance": np.abs(numbers(channels)) + 0.5,
    }


WEIGHTS = {
    "conv": {"kernel": numbers(3, 3, 3, 4), "bias": numbers(4)},
    "norm": norm(4),
    "pool": {},
    "dense": {"kernel": numbers(4 * 4 * 4, 3), "bias": numbers(3)},
}


def sequential(**first: Any) -> dict[str, Any]:
    parts = [
        convolution("conv", **first),
        layer("norm", "BatchNormalization", **NORM),
        layer("pool", "MaxPooling2D", pool_size=[2, 2], strides=[2, 2], padding="valid", data_format="channels_last"),
        layer("flatten", "Flatten", data_format="channels_last"),
        layer("dense", "Dense", **DENSE),
    ]
    return {"class_name": "Sequential", "config": {"name": "old", "layers": parts}}


def by_hand(pixels: torch.Tensor) -> torch.Tensor:
    """The logits of `sequential`, from the weights as Keras has them."""
    tensors = {name: {key: torch.tensor(value) for key, value in part.items()} for name, part in WEIGHTS.items()}
    conv, stats, dense = tensors["conv"], tensors["norm"], tensors["dense"]
    x = F.conv2d(pixels, conv["kernel"].permute(3, 2, 0, 1), conv["bias"], padding=1).relu()
    x = F.batch_norm(x, stats["moving_mean"], stats["moving_variance"], stats["gamma"], stats["beta"], eps=1e-3)
    return F.max_pool2d(x, 2).permute(0, 2, 3, 1).flatten(1) @ dense["kernel"] + dense["bias"]


@pytest.mark.parametrize("shape", [[None, 8, 8, 3]], ids=["in the first layer"])
def test_a_sequential_model_computes_what_its_weights_say(shape: list[int | None], tmp_path: Path) -> None:
    write_keras2(tmp_path / "old.h5", sequential(batch_input_shape=shape), WEIGHTS)
    model, difference = loaded_difference(tmp_path / "old.h5")
    pixels = torch.rand(2, 3, 8, 8)
    torch.testing.assert_close(model.network.eval()(pixels), by_hand(pixels), rtol=1e-5, atol=1e-6)
    assert difference <= 1e-5
    assert [name for name, _ in model.network.named_children()] == ["conv", "norm", "pool", "flatten", "dense"]
    assert model.preprocessing.size == (8, 8)


def test_weights_alone_go_with_the_description_beside_them(tmp_path: Path) -> None:
    import json

    with h5py.File(tmp_path / "net.h5", "w") as file:
        write_weights(file, WEIGHTS)
    (tmp_path / "net.json").write_text(json.dumps(sequential(batch_input_shape=[None, 8, 8, 3])))
    pixels = torch.rand(2, 3, 8, 8)
    for name in ("net.h5", "net.json"):
        network = load_model(str(tmp_path / name)).network
        torch.testing.assert_close(network(pixels), by_hand(pixels), rtol=1e-5, atol=1e-6)


def test_a_model_within_a_model_with_depthwise_convolutions_is_read(tmp_path: Path) -> None:
    """As programs that teach on a page of the web write it: Keras 3 itself stumbles over `groups`."""
    depthwise: dict[str, Any] = {
        "kernel_size": [3, 3],
        "strides": [2, 2],
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "groups": 1,
        "depth_multiplier": 1,
        "activation": "linear",
        "use_bias": False,
        "depthwise_initializer": {"class_name": "VarianceScaling", "config": {"scale": 1, "mode": "fan_avg"}},
    }
    base = functional(
        "base",
        [
            images("input_1", (9, 9, 3)),
            convolution("Conv1", ["input_1"], activation="linear", use_bias=False),
            layer("bn.Conv1", "BatchNormalization", ["Conv1"], **NORM),
            layer("Conv1_relu", "ReLU", ["bn.Conv1"], max_value=6.0, negative_slope=0.0, threshold=0.0),
            layer("pad", "ZeroPadding2D", ["Conv1_relu"], padding=[[0, 1], [0, 1]], data_format="channels_last"),
            layer("depthwise", "DepthwiseConv2D", ["pad"], **depthwise),
            layer("add", "Add", ["depthwise", "depthwise"]),
        ],
        "input_1",
        "add",
    )
    features = {
        "class_name": "Sequential",
        "config": {
            "name": "sequential_1",
            "layers": [
                base,
                layer("pooled", "GlobalAveragePooling2D", data_format="channels_last"),
            ],
        },
    }
    head = {
        "class_name": "Sequential",
        "config": {"name": "sequential_3", "layers": [layer("dense", "Dense", batch_input_shape=[None, 4], **DENSE)]},
    }
    model = {"class_name": "Sequential", "config": {"name": "whole", "layers": [features, head]}}
    own = {"Conv1": {"kernel": numbers(3, 3, 3, 4)}, "depthwise": {"depthwise_kernel": numbers(3, 3, 4, 1)}}
    stats = norm(4)
    trained = {**own["Conv1"], "gamma": stats["gamma"], "beta": stats["beta"], **own["depthwise"]}
    nested = {**trained, "moving_mean": stats["moving_mean"], "moving_variance": stats["moving_variance"]}
    write_keras2(tmp_path / "old.h5", model, {"sequential_1": nested, "sequential_3": WEIGHTS["dense"] | HEAD})
    loaded, difference = loaded_difference(tmp_path / "old.h5")
    assert difference <= 1e-5
    pixels = torch.rand(2, 3, 9, 9)
    x = F.conv2d(pixels, torch.tensor(own["Conv1"]["kernel"]).permute(3, 2, 0, 1), padding=1)
    mean, variance, gamma, beta = (
        torch.tensor(stats[key]) for key in ("moving_mean", "moving_variance", "gamma", "beta")
    )
    x = F.batch_norm(x, mean, variance, gamma, beta, eps=1e-3)
    kernel = torch.tensor(own["depthwise"]["depthwise_kernel"]).permute(2, 3, 0, 1)
    x = 2 * F.conv2d(F.pad(x.clamp(0, 6), (0, 1, 0, 1)), kernel, stride=2, groups=4)
    expected = x.mean((2, 3)) @ torch.tensor(HEAD["kernel"]) + torch.tensor(HEAD["bias"])
    torch.testing.assert_close(loaded.network(pixels), expected, rtol=1e-5, atol=1e-6)


HEAD = {"kernel": numbers(4, 3), "bias": numbers(3)}


def test_that_hard_sigmoid_was_another_is_said(tmp_path: Path) -> None:
    model = sequential(batch_input_shape=[None, 8, 8, 3], activation="hard_sigmoid")
    write_keras2(tmp_path / "old.h5", model, WEIGHTS)
    assert any("hard_sigmoid" in notice for notice in load_model(str(tmp_path / "old.h5")).notices)
