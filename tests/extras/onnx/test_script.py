"""TorchScript is opened through its graph."""

from pathlib import Path

import pytest
import torch
from torch import nn

from cnnvis_report.models.load import load_model
from tests.extras.needs import needs

needs("onnx", "onnx2torch", "onnxruntime")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [torch.jit.script, lambda network: torch.jit.trace(network, torch.rand(1, 3, 16, 16))])
def test_a_script_is_the_network_again(make: object, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    images = torch.rand(2, 3, 16, 16)
    assert callable(make)
    torch.jit.save(make(network.eval()), tmp_path / "script.pt")
    torch.testing.assert_close(load_model(str(tmp_path / "script.pt")).network(images), network(images))
