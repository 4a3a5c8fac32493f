"""The blocks of a network are the steps that one would draw."""

from collections.abc import Sequence

import pytest

from cnnvis_report.records.network import LayerRecord, blocks

Row = tuple[str, str, int, str]  # name, type, positions a side, kind


def layers(rows: Sequence[Row]) -> list[LayerRecord]:
    shapes = {1: (8,)}
    return [
        LayerRecord(name, type, shapes.get(side, (8, side, side)), 10, kind, readable=side > 1)
        for name, type, side, kind in rows
    ]


CONVOLUTION, ACTIVATION, POOLING = "convolution", "activation", "pooling"
STEM: list[Row] = [
    ("conv1", "Conv2d", 32, CONVOLUTION),
    ("bn1", "BatchNorm2d", 32, ""),
    ("relu", "ReLU", 32, ACTIVATION),
    ("maxpool", "MaxPool2d", 16, POOLING),
]
RESIDUAL: list[Row] = [
    ("layer1.0.conv1", "Conv2d", 16, CONVOLUTION),
    ("layer1.0.relu", "ReLU", 16, ACTIVATION),
    ("layer1.0.downsample.0", "Conv2d", 8, CONVOLUTION),
    ("layer1.0.downsample", "Sequential", 8, ""),
    ("layer1.0", "BasicBlock", 8, "block"),
    ("layer1", "Sequential", 8, ""),
]
HEAD: list[Row] = [("fc", "Linear", 1, "")]
UNITS: list[Row] = [
    ("features.0.0", "Conv2d", 32, CONVOLUTION),
    ("features.0.1", "ReLU", 32, ACTIVATION),
    ("features.0", "Sequential", 32, ""),
    ("features.1", "MaxPool2d", 16, POOLING),
    ("features", "Sequential", 16, ""),
]
PLAIN: list[Row] = [
    ("features.0", "Conv2d", 32, CONVOLUTION),
    ("features.1", "ReLU", 32, ACTIVATION),
    ("features.2", "Conv2d", 32, CONVOLUTION),
    ("features.3", "MaxPool2d", 16, POOLING),
    ("features", "Sequential", 16, ""),
]


def below(module: str, rows: Sequence[Row]) -> list[Row]:
    return [(f"{module}.{name}", type, side, kind) for name, type, side, kind in rows]


WRAPPED: list[Row] = [*below("body", STEM), ("body", "Backbone", 16, "")]
WHOLE: list[Row] = [*below("net", PLAIN[:3]), ("net", "Net", 32, "")]
AGAIN: list[Row] = [*STEM, ("relu#2", "ReLU", 16, ACTIVATION)]
UNEVEN: list[Row] = [
    ("block.conv1", "Conv2d", 32, CONVOLUTION),
    ("block.pool1", "MaxPool2d", 16, POOLING),
    ("block.pool2", "MaxPool2d", 8, POOLING),
    ("block", "Stage", 8, "block"),
]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([*STEM, *RESIDUAL, *HEAD], ["relu", "maxpool", "layer1.0", "fc"], id="residual"),
        pytest.param(UNITS, ["features.0", "features.1"], id="units of one convolution"),
        pytest.param(PLAIN, ["features.1", "features.2", "features.3"], id="plain"),
        pytest.param(WRAPPED, ["body.relu", "body.maxpool"], id="what holds all of it is no block"),
        pytest.param(WHOLE, ["net.features.1", "net.features.2"], id="nor at one size"),
        pytest.param(AGAIN, ["relu", "maxpool", "relu#2"], id="later calls"),
        pytest.param([*UNEVEN, *HEAD], ["block.conv1", "block.pool1", "block.pool2", "fc"], id="three sizes"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_blocks_are_outermost_modules_and_the_steps_beside_them(rows: list[Row], expected: list[str]) -> None:
    assert blocks(layers(rows)) == tuple(expected)
