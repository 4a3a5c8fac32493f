"""The examples of docs/extending.md do what they say, as they stand on the page."""

import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnvis_report import explain
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from cnnvis_report.models.loader import LOADERS, loaders
from examples.own_network import build

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples" / "extending").glob("*"))
SHOWN = re.findall(r"```\{literalinclude\} \.\./examples/extending/(\S+)", PAGE)


def test_every_example_is_shown():
    assert {path.name for path in EXAMPLES if path.name != "__pycache__"} == set(SHOWN)


def test_a_method():
    network, images = build(), torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(4))
    name = "examples.extending.layer_attribution:layer_attribution"
    maps = explain(network, images, [0, 1], methods=[name], layer="filters", scores="value")["layer_attribution"]
    activations = torch.relu(network.filters(images))
    expected = 20 * activations[[0, 1], [0, 1]] / (96 * 96)  # the head averages, and multiplies by 20
    torch.testing.assert_close(maps, expected.detach())
    torch.testing.assert_close(maps.sum(dim=(1, 2)), network(images)[[0, 1], [0, 1]].detach())


def announce(patch: pytest.MonkeyPatch, registry, example: str) -> None:
    """Import an example, whose entry is forgotten after the test."""
    for name in ("_entries", "_modules"):
        patch.setattr(registry, name, dict(getattr(registry, name)))
    patch.delitem(sys.modules, f"examples.extending.{example}", raising=False)
    import_module(f"examples.extending.{example}")


def test_a_loader(monkeypatch, tmp_path):
    loaders()
    announce(monkeypatch, LOADERS, "npz_network")
    random = np.random.default_rng(0)
    kernels, weights = random.normal(size=(4, 3, 3, 3)), random.normal(size=(2, 4))
    np.savez(tmp_path / "eyes.npz", kernels=kernels, weights=weights, classes=["open", "shut"])
    model = load_model(str(tmp_path / "eyes.npz"))
    assert (model.name, model.classes, model.weights) == ("eyes", ("open", "shut"), "eyes.npz")
    constant = torch.ones(1, 3, 9, 9)
    middle = np.maximum(kernels.sum(axis=(1, 2, 3)), 0)  # what the convolution gives where it sees ones alone
    np.testing.assert_allclose(model.network[:2](constant)[0, :, 4, 4].detach(), middle, rtol=1e-5)
    activations = model.network[:2](constant).mean(dim=(2, 3)).detach().double()
    np.testing.assert_allclose(model.network(constant).detach().numpy(), activations.numpy() @ weights.T, rtol=1e-5)
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(BadRequest, match=r"bad\.npz: can't be read as a network"):
        load_model(str(tmp_path / "bad.npz"))
