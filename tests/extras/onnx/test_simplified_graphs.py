"""What a graph computes of sizes is constants, for any number of images, and scores are those of each image alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.extras.needs import needs

needs("onnx", "onnx2torch", "onnx2pytorch", "onnxruntime")

from onnx import helper  # noqa: E402

from cnnvis_report import explain  # noqa: E402
from cnnvis_report.errors import BadRequest  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from cnnvis_report.models.model import Model  # noqa: E402
from tests.extras.onnx.graphs import export, images, random, written  # noqa: E402
from tests.narrow import present  # noqa: E402
from tests.robustness.mutated_models import failures  # noqa: E402

NODE = helper.make_node
Sides = tuple[int | str, ...]
OF_SIZES = {"OnnxShape", "OnnxGather", "OnnxReshape", "OnnxSlice", "OnnxExpand", "OnnxSplit13", "OnnxCast", "OnnxPad"}


class Shuffle(nn.Module):
    """Halves of channels that are mixed, as ShuffleNet does it."""

    def forward(self, maps: Tensor) -> Tensor:
        """[N, 8, h, w]."""
        left, right = maps.chunk(2, dim=1)
        batch, channels, height, width = maps.shape
        mixed = torch.cat([left, right.relu()], 1).view(batch, 2, channels // 2, height, width).transpose(1, 2)
        return mixed.reshape(batch, channels, height, width)


class Windows(nn.Module):
    """Attention within windows, half of which reach around, as Swin's do."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, 8, 12, 12]."""
        batch, channels, height, width = maps.shape
        rolled = torch.roll(nn.functional.pad(maps, (0, 0, 0, height % 4)), (-2, -2), (2, 3))
        parts = rolled.view(batch, channels, height // 4, 4, width // 4, 4).permute(0, 2, 4, 3, 5, 1)
        tokens = parts.reshape(batch * (height // 4) * (width // 4), 16, channels)
        query, key, value = self.qkv(tokens).reshape(-1, 16, 3, 2, 4).permute(2, 0, 3, 1, 4)
        mask = torch.zeros(16, 16)
        mask[:4, 4:], mask[4:, :4] = -100, -100
        mixed = ((query @ key.transpose(-2, -1)) / 2 + mask).softmax(-1) @ value
        tokens = mixed.transpose(1, 2).reshape(batch, height // 4, width // 4, 4, 4, channels)
        whole: Tensor = tokens.permute(0, 5, 1, 3, 2, 4).reshape(batch, channels, height, width)
        return whole.roll((2, 2), (2, 3))


class Tokens(nn.Module):
    """A token of the class before those of positions, and attention that has images as its second dimension."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, 8, 12, 12]: maps times the token of the class."""
        tokens = torch.cat([self.token.expand(maps.shape[0], -1, -1), maps.flatten(2).transpose(1, 2)], 1)
        rows = self.norm(tokens).transpose(0, 1)
        mixed: Tensor = self.attention(rows, rows, rows, need_weights=False)[0].transpose(0, 1)
        return maps * mixed[:, 0].view(maps.shape[0], 8, 1, 1)


BLOCKS: dict[str, Callable[[], nn.Module]] = {"shuffle": Shuffle, "windows": Windows, "tokens": Tokens}


def network(block: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))
    return nn.Sequential(nn.Conv2d(3, 8, 3, 2, padding=1), nn.ReLU(), block, nn.Conv2d(8, 8, 1), head).eval()


@pytest.mark.parametrize("batch", [1, 4, None], ids=["one", "four", "any"])
@pytest.mark.parametrize("name", BLOCKS)
def test_sizes_are_numbers_and_any_number_of_images_is_taken(name: str, batch: int | None, tmp_path: Path) -> None:
    original = network(BLOCKS[name]())
    model = load_model(str(export(original, tmp_path / "net.onnx", batch=batch)))
    assert model.weights.endswith("by onnx2torch")
    assert not OF_SIZES & {type(module).__name__ for module in model.network.modules()}
    with torch.no_grad():
        for count in (1, 3):
            expected = original(images(count))
            torch.testing.assert_close(model.network(images(count)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", BLOCKS)
def test_maps_are_those_of_the_network(name: str, tmp_path: Path) -> None:
    original = network(BLOCKS[name]())
    model = load_model(str(export(original, tmp_path / "net.onnx")))
    relevance = "lrp_composite" if name == "shuffle" else "attn_lrp"
    methods = ["gradient", "integrated_gradients", relevance, "grad_cam", "hires_cam"]
    expected, actual = (
        explain(subject, images(), [0, 1, 2], methods=methods, layer="0") for subject in (original, model.network)
    )
    for method in methods:
        scale = float(expected[method].abs().max())
        torch.testing.assert_close(actual[method], expected[method], rtol=1e-4, atol=1e-5 * scale)


def opened(
    path: Path, nodes: list[Any], constants: dict[str, Any], sides: Sides = (1, 3, 4, 4), scores: Sides = (1, 5)
) -> Model:
    """The model of a graph from images to scores, after its convolution's `maps`."""
    head = [NODE("GlobalAveragePool", ["end"], ["pooled"]), NODE("Flatten", ["pooled"], ["scores"])]
    first = NODE("Conv", ["images", "kernel"], ["maps"])
    constants = {"kernel": random(5, 3, 1, 1), **{key: np.asarray(value) for key, value in constants.items()}}
    return load_model(str(written(path / "net.onnx", [first, *nodes, *head], constants, sides=sides, scores=scores)))


EQUAL: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "as_strided": (
        [NODE("Reshape", ["maps", "row"], ["flat"]), NODE("Gather", ["flat", "all"], ["end"])],
        {"row": [-1], "all": np.arange(80).reshape(1, 5, 4, 4)},
    ),
    "a sum": (
        [
            NODE("Transpose", ["maps"], ["t"], perm=[1, 0, 2, 3]),
            NODE("Softmax", ["t"], ["s"], axis=3),
            NODE("Transpose", ["s"], ["end"], perm=[1, 0, 2, 3]),
        ],
        {},
    ),
    "axes around twice": (
        [
            NODE("Transpose", ["maps"], ["t"], perm=[0, 2, 3, 1]),
            NODE("Transpose", ["t"], ["u"], perm=[0, 3, 2, 1]),
            NODE("Mul", ["u", "ramp"], ["end"]),
        ],
        {"ramp": random(5, 4, 4)},
    ),
    "part of a dimension": (
        [NODE("Slice", ["maps", "starts", "ends", "axes"], ["end"])],
        {"starts": [-3, 0], "ends": [1 << 40, 3], "axes": [-1, 2]},
    ),
    "every other row": (
        [NODE("Slice", ["maps", "starts", "ends", "axes", "steps"], ["end"])],
        {"starts": [0], "ends": [4], "axes": [2], "steps": [2]},
    ),
    "rows turned around": (
        [
            NODE("Slice", ["maps", "starts", "ends", "axes", "steps"], ["part"]),
            NODE("Relu", ["part"], ["r"]),
            NODE("Mul", ["r", "ramp"], ["end"]),
        ],
        {"starts": [3], "ends": [-10], "axes": [2], "steps": [-1], "ramp": random(4, 1)},
    ),
}
MIXING: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "a mean over images": ([NODE("ReduceMean", ["maps"], ["m"], axes=[0]), NODE("Add", ["m", "maps"], ["end"])], {}),
    "the first image": (
        [NODE("Reshape", ["maps", "row"], ["flat"]), NODE("Gather", ["flat", "some"], ["end"])],
        {"row": [-1], "some": np.arange(80)[::-1].reshape(1, 5, 4, 4).copy()},
    ),
    "an order over images": (
        [
            NODE("Transpose", ["maps"], ["t"], perm=[1, 0, 2, 3]),
            NODE("Reshape", ["t", "sides"], ["u"]),
            NODE("Softmax", ["u"], ["s"], axis=1),
            NODE("Reshape", ["s", "back"], ["end"]),
        ],
        {"sides": [5, 16], "back": [1, 5, 4, 4]},
    ),
}


def alone(model: Model, pixels: Tensor) -> Tensor:
    return present(model.original).outputs(pixels)


@pytest.mark.parametrize("sides", [(1, 3, 4, 4), ("batch", 3, 4, 4)], ids=["one", "any"])
@pytest.mark.parametrize("name", EQUAL)
def test_scores_of_several_images_are_those_of_each(name: str, sides: Sides, tmp_path: Path) -> None:
    model = opened(tmp_path, *EQUAL[name], sides=sides)
    assert model.weights.endswith("by onnx2torch")  # the other library is asked where scores differ
    pixels = torch.randn(3, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model.network(pixels), alone(model, pixels), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MIXING)
def test_graphs_of_one_image_that_cannot_be_freed_refuse_several(name: str, tmp_path: Path) -> None:
    model = opened(tmp_path, *MIXING[name])
    pixels = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(model.network(pixels[:1]), alone(model, pixels[:1]), rtol=1e-5, atol=1e-6)
    try:
        several = model.network(pixels)
    except ValueError as error:
        assert "one image at a time" in str(error)
        with pytest.warns(UserWarning, match="images are explained one by one"):
            explain(model.network, pixels, [0, 1], methods=["gradient"])
    else:
        torch.testing.assert_close(several, alone(model, pixels), rtol=1e-5, atol=1e-6)


def test_constants_of_their_own_for_images_are_not_taken_for_one(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="in place of"):
        opened(tmp_path, [NODE("Add", ["maps", "own"], ["end"])], {"own": random(2, 5, 1, 1)}, (2, 3, 4, 4), (2, 5))


def test_damaged_graphs_with_sizes_are_read_or_refused(tmp_path: Path) -> None:
    assert not failures(export(network(Tokens()), tmp_path / "net.onnx", batch=None), count=100)
