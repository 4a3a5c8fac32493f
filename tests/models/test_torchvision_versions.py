"""Networks of torchvision that ask for the version of their layers load from files, in which it may not be."""

from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from cnnvis_report.models.load import load_model


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_mnasnet_loads_from_a_file(ending: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = torchvision.models.mnasnet0_5().eval()
    path = tmp_path / f"net.{ending}"
    if ending == "pth":
        torch.save(network.state_dict(), path)
    else:
        save_file(network.state_dict(), path)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(load_model("mnasnet0_5", path).network(images), network(images), rtol=0, atol=0)
