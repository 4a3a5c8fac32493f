"""Networks whose buffers are made where a parameter lies load with them."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

pytest.importorskip("timm", reason="timm isn't installed (extra 'timm')")

import timm

from cnnvis_report.models.checkpoints.read_checkpoint import candidates_in, read_content
from cnnvis_report.models.timm_models.network import Recipe, loaded

SMALL = {"embed_dim": 12, "depths": (2, 2), "num_heads": (2, 2), "num_classes": 3}


@pytest.mark.parametrize("name", ["swin_tiny_patch4_window7_224", "swin_s3_tiny_224", "swinv2_tiny_window8_256"])
def test_what_no_file_holds_has_its_values(name: str, tmp_path: Path) -> None:
    more = {"window_size": (7, 7)} if "s3" in name else {}
    torch.manual_seed(0)
    network = timm.create_model(name, **{**SMALL, **more}).eval()
    path = tmp_path / "net.safetensors"
    save_file({key: value.clone() for key, value in network.state_dict().items()}, path)
    found, _, _ = loaded(Recipe(name, {**SMALL, **more}), candidates_in(read_content(path), path), path)
    assert [key for key, _ in found.named_buffers()] == [key for key, _ in network.named_buffers()]
    for (key, value), expected in zip(found.named_buffers(), network.buffers(), strict=True):
        torch.testing.assert_close(value, expected, rtol=0, atol=0, msg=key)
    images = torch.randn(1, 3, *network.pretrained_cfg["input_size"][1:])
    with torch.no_grad():
        torch.testing.assert_close(found.eval()(images), network(images), rtol=0, atol=0)
