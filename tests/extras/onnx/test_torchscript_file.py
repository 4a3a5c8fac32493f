"""TorchScript is the network that it was made from, by way of ONNX; what could reach outside it needs trust."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.extras.needs import needs

needs("onnx", "onnx2torch", "onnx2pytorch", "onnxruntime")

from cnnvis_report import explain  # noqa: E402
from cnnvis_report.errors import BadRequest  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from tests.extras.onnx.graphs import SIDE, images, small  # noqa: E402
from tests.narrow import present  # noqa: E402
from tests.robustness.mutated_models import failures  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")

METHODS = ["grad_cam", "cam", "guided_backprop", "lrp_composite", "lrp_epsilon"]


def traced(path: Path) -> Path:
    module: Any = torch.jit.trace(small(), images(1))
    module.save(str(path))
    return path


def scripted(network: nn.Module, path: Path) -> Path:
    module: Any = torch.jit.script(network)
    module.save(str(path))
    return path


@pytest.mark.parametrize("way", ["traced", "scripted"])
def test_a_script_is_the_network(way: str, tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    network = small()
    path = traced(tmp_path / "net.pt") if way == "traced" else scripted(network, tmp_path / "net.pt")
    recwarn.clear()
    model = load_model(str(path))
    assert not recwarn.list
    assert model.loader == "TorchScript" and model.weights == "net.pt, converted by onnx2torch"
    assert model.preprocessing.size == ((SIDE, SIDE) if way == "traced" else (224, 224))
    assert any("224×224 is tried" in notice for notice in model.notices) == (way == "scripted")
    torch.testing.assert_close(model.network(images()), network(images()), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(present(model.original).outputs(images()), network(images()), rtol=1e-5, atol=1e-6)
    expected = explain(network, images(), [0, 1, 2], methods=METHODS)
    actual = explain(model.network, images(), [0, 1, 2], methods=METHODS)
    for method in METHODS:
        torch.testing.assert_close(
            actual[method], expected[method], rtol=1e-4, atol=1e-5 * float(expected[method].abs().max()), msg=method
        )


class Reads(nn.Module):
    """Reads a file while it runs."""

    def forward(self, images: Tensor) -> Tensor:
        """[N, 3]."""
        scores: Tensor = images.mean((2, 3)) + torch.from_file("/etc/hostname", size=1)
        return scores


class Writes(nn.Module):
    """Writes on the terminal while it runs."""

    def forward(self, images: Tensor) -> Tensor:
        """[N, 3]."""
        print("here")
        return images.mean((2, 3))


class Odd(nn.Module):
    """An operation that networks of images don't have."""

    def forward(self, images: Tensor) -> Tensor:
        """[N, 3]."""
        return torch.tril(images).mean((2, 3))


@pytest.mark.parametrize(
    ("network", "says"),
    [
        pytest.param(Reads, "its code, which names 'from_file', would run as a program", id="reads"),
        pytest.param(Writes, "its code, which names 'print', would run as a program", id="writes"),
        pytest.param(Odd, "its operation aten::tril would run as a program", id="unknown"),
    ],
)
def test_what_could_reach_outside_needs_trust(network: type[nn.Module], says: str, tmp_path: Path) -> None:
    path = scripted(network(), tmp_path / "net.pt")
    with pytest.raises(BadRequest, match=says) as caught:
        load_model(str(path))
    assert "\n" not in str(caught.value)


def test_a_script_of_something_else_is_refused(tmp_path: Path) -> None:
    path = scripted(nn.Linear(5, 2).eval(), tmp_path / "net.pt")
    with pytest.raises(BadRequest, match="takes no batch of one image of any usual size"):
        load_model(str(path))


def test_damaged_scripts_are_read_or_refused(tmp_path: Path) -> None:
    assert not failures(traced(tmp_path / "net.pt"), count=60)
