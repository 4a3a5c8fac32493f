"""Activations and layer norms that a graph has in parts are the layers of the network again, and so are the maps."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tests.extras.needs import needs

needs("onnx", "onnx2torch", "onnx2pytorch", "onnxruntime")

from cnnvis_report import explain  # noqa: E402
from cnnvis_report.errors import NotApplicable  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from cnnvis_report.models.model import Model  # noqa: E402
from tests.extras.onnx.graphs import export, images  # noqa: E402
from tests.narrow import present  # noqa: E402

METHODS = ("full_grad", "guided_backprop", "lrp_composite", "lrp_z", "pattern_net", "eigen_cam", "grad_cam")
EXPORTS = ((11, 1), (17, None))


class NormOfChannels(nn.Module):
    """A layer norm over the channels of each position."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(8)

    def forward(self, maps: Tensor) -> Tensor:
        """[N, 8, h, w]."""
        norms: Tensor = self.norm(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        return norms


class NormInParts(nn.Module):
    """What a layer norm is in parts, with a weight and a bias of the last axis, but of any axes."""

    def __init__(self, *axes: int, center: int | None = None) -> None:
        super().__init__()
        self.axes, self.center = axes, (axes if center is None else (center,))
        self.weight, self.bias = nn.Parameter(torch.rand(12) + 0.5), nn.Parameter(torch.randn(12))

    def forward(self, maps: Tensor) -> Tensor:
        """[N, 12, 12, 12]."""
        centered = maps - maps.mean(self.center, keepdim=True)
        variance = centered.pow(2).mean(self.axes, keepdim=True)
        return centered / (variance + 1e-5).sqrt() * self.weight + self.bias


class Function(nn.Module):
    """A layer that is a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, maps: Tensor) -> Tensor:
        """What the function gives."""
        return self.function(maps)


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "gelu by tanh": lambda: nn.GELU(approximate="tanh"),
    "hardswish": nn.Hardswish,
    "hardsigmoid": nn.Hardsigmoid,
    "mish": nn.Mish,
    "layer norm": NormOfChannels,
}
WRITTEN_OUT: dict[str, tuple[Callable[[Tensor], Tensor], type[nn.Module]]] = {
    "silu, the gate first": (lambda x: x.sigmoid() * x, nn.SiLU),
    "hardswish by a clip": (lambda x: x * (x + 3).clamp(0, 6) / 6, nn.Hardswish),
    "hardswish, the gate over 6": (lambda x: (x + 3).clamp(0, 6) / 6 * x, nn.Hardswish),
    "hardsigmoid by a clip": (lambda x: (x + 3).clamp(0, 6) / 6, nn.Hardsigmoid),
    "gelu, half of the sum": (lambda x: x * (0.5 * (1 + torch.erf(x * 0.5**0.5))), nn.GELU),
    "gelu, half of x": (lambda x: 0.5 * x * (1 + torch.erf(x / 2**0.5)), nn.GELU),
    "gelu by a power": (
        lambda x: 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * torch.pow(x, 3)))),
        nn.GELU,
    ),
}
OTHERS: dict[str, Callable[[Tensor], Tensor]] = {
    "a steeper gate": lambda x: x * (1.702 * x).sigmoid(),
    "the gate of another value": lambda x: x * x.flip(1).sigmoid(),
    "twice a SiLU": lambda x: 2 * x * x.sigmoid(),
    "a square and its gate": lambda x: x * x * x.sigmoid(),
    "a fifth of a clip": lambda x: x * (x + 3).clamp(0, 6) / 5,
    "a clip between other bounds": lambda x: x * (x + 3).clamp(0, 5) / 6,
    "another erf": lambda x: 0.5 * x * (1 + torch.erf(x)),
    "one less": lambda x: 0.5 * x * (torch.erf(x * 0.5**0.5) - 1),
    "a tanh of another cube": lambda x: 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.05 * x * x * x))),
    "a norm over the rows": lambda x: nn.functional.layer_norm(x, x.shape[2:]),
}


def network(layer: nn.Module, channels: int = 8) -> nn.Sequential:
    torch.manual_seed(0)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5))
    convolutions = nn.Conv2d(3, channels, 3, 2, padding=1), nn.Conv2d(channels, channels, 3, padding=1)
    return nn.Sequential(convolutions[0], layer, convolutions[1], layer, *head).eval()


def opened(original: nn.Module, path: Path, opset: int, batch: int | None) -> Model:
    """The model of the network's graph, once its scores are known to be the network's."""
    model = load_model(str(export(original, path / "net.onnx", opset=opset, batch=batch)))
    assert model.weights.endswith("by onnx2torch")  # the other library is asked where scores differ
    with torch.no_grad():
        expected = original(images())
        torch.testing.assert_close(model.network(images()), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(present(model.original).outputs(images()), expected, rtol=1e-5, atol=1e-6)
    return model


def maps_or_reason(subject: nn.Module, method: str) -> Tensor | str:
    try:
        return explain(subject, images(), [0, 1, 2], methods=[method])[method]
    except NotApplicable as error:
        return str(error).partition(": ")[2]


@pytest.mark.parametrize(("opset", "batch"), EXPORTS, ids=["11", "17"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_in_parts_has_the_maps_of_the_layer(name: str, opset: int, batch: int | None, tmp_path: Path) -> None:
    original = network(LAYERS[name]())
    model = opened(original, tmp_path, opset, batch)
    for method in METHODS:
        expected, actual = maps_or_reason(original, method), maps_or_reason(model.network, method)
        if isinstance(expected, str) or isinstance(actual, str):
            assert actual == expected, method
        else:
            torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "layer norm"])
def test_a_layer_in_parts_has_the_name_of_the_layer(name: str, tmp_path: Path) -> None:
    model = opened(network(LAYERS[name]()), tmp_path, 11, 1)
    assert {"0", "1", "2"} <= {path for path, _ in model.network.named_modules()}
    assert type(model.network.get_submodule("1")) is type(LAYERS[name]())


@pytest.mark.parametrize("name", WRITTEN_OUT)
def test_an_activation_that_is_written_out_is_the_activation(name: str, tmp_path: Path) -> None:
    function, kind = WRITTEN_OUT[name]
    model = opened(network(Function(function)), tmp_path, 17, 1)
    assert sum(isinstance(module, kind) for module in model.network.modules()) == 2


@pytest.mark.parametrize("name", OTHERS)
def test_what_only_looks_like_a_layer_stays_as_it_is(name: str, tmp_path: Path) -> None:
    model = opened(network(Function(OTHERS[name])), tmp_path, 13, 1)
    kinds = (nn.SiLU, nn.GELU, nn.Hardswish, nn.Hardsigmoid, nn.Mish)
    assert not any(isinstance(module, kinds) for module in model.network.modules())


def test_a_gate_that_something_else_reads_stays(tmp_path: Path) -> None:
    model = opened(network(Function(lambda x: x * (gate := x.sigmoid()) + gate)), tmp_path, 17, 1)
    assert not any(isinstance(module, nn.SiLU) for module in model.network.modules())


@pytest.mark.parametrize("axis", [3, -1])
def test_a_norm_over_the_last_axis_in_parts_is_a_layer_norm(axis: int, tmp_path: Path) -> None:
    model = opened(network(NormInParts(axis), 12), tmp_path, 13, 1)
    assert sum(isinstance(module, nn.LayerNorm) for module in model.network.modules()) == 2


# All sides are 12, so that a weight of the last axis fits any of them: only the axes tell these from a layer norm.
@pytest.mark.parametrize("axes", [(1,), (2,), (-2,), (-3,), (1, 2), (2, 3), (1, 2, 3)])
def test_a_norm_over_other_axes_than_the_last_is_no_layer_norm(axes: tuple[int, ...], tmp_path: Path) -> None:
    model = opened(network(NormInParts(*axes), 12), tmp_path, 13, 1)
    assert not any(isinstance(module, nn.LayerNorm) for module in model.network.modules())


@pytest.mark.parametrize(("axis", "center"), [(-1, 1), (1, -1), (-1, 2)])
def test_a_mean_and_a_deviation_of_different_axes_are_no_layer_norm(axis: int, center: int, tmp_path: Path) -> None:
    model = opened(network(NormInParts(axis, center=center), 12), tmp_path, 13, 1)
    assert not any(isinstance(module, nn.LayerNorm) for module in model.network.modules())
