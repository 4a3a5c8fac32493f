"""The examples of docs/extending.md do what they say, as they stand on the page."""

import re
from pathlib import Path

import torch

from cnnvis_report import explain
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
