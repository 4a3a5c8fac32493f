"""The examples of docs/extending.md do what they say, as they stand on the page."""

import re
import shutil
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.data.reader import READERS, readers
from cnnvis_report.engine.outputs.scores import Scores as Meaning
from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.metric import METRICS, Effort, MapsOfImage, metrics
from cnnvis_report.models.load import load_model
from cnnvis_report.models.loader import LOADERS, loaders
from cnnvis_report.records.scores import Quantity, ScoreKind
from cnnvis_report.report.site import assets, pages, renderer
from cnnvis_report.store.run_folder import load_run
from examples.own_network import build, draw
from tests.conftest import command
from tests.narrow import layer, present

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "examples" / "extending").glob("*"))
SHOWN = re.findall(r"```\{literalinclude\} \.\./examples/extending/(\S+)", PAGE)


MAPS = MapsOfImage(
    maps=[],
    image=torch.zeros(3, 4, 5),
    target=0,
    logits=torch.zeros_like,
    meaning=Meaning(ScoreKind.SOFTMAX, Quantity.LOGIT, ""),
    black=torch.zeros(3, 1, 1),
    mask=None,
    generator=torch.Generator,
    effort=Effort(steps=4, regions=0),
    capacity=8,
    seed=0,
)


def test_every_example_is_shown() -> None:
    assert {path.name for path in EXAMPLES if path.name != "__pycache__"} == set(SHOWN)


def test_a_method() -> None:
    network, images = build(), torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(4))
    name = "examples.extending.layer_attribution:layer_attribution"
    maps = explain(network, images, [0, 1], methods=[name], layer="filters", task="regression")["layer_attribution"]
    activations = torch.relu(layer(network, "filters", nn.Conv2d)(images))
    expected = 20 * activations[[0, 1], [0, 1]] / (96 * 96)  # the head averages, and multiplies by 20
    torch.testing.assert_close(maps, expected.detach())
    torch.testing.assert_close(maps.sum(dim=(1, 2)), network(images)[[0, 1], [0, 1]].detach())


def announce(patch: pytest.MonkeyPatch, registry: object, example: str) -> None:
    """Import an example, whose entry is forgotten after the test."""
    for name in ("_entries", "_modules"):
        patch.setattr(registry, name, dict(getattr(registry, name)))
    patch.delitem(sys.modules, f"examples.extending.{example}", raising=False)
    import_module(f"examples.extending.{example}")


def test_a_loader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaders()
    announce(monkeypatch, LOADERS, "npz_network")
    random = np.random.default_rng(0)
    kernels, weights = random.normal(size=(4, 3, 3, 3)), random.normal(size=(2, 4))
    np.savez(tmp_path / "eyes.npz", kernels=kernels, weights=weights, classes=["open", "shut"])
    model = load_model(str(tmp_path / "eyes.npz"))
    assert (model.name, model.classes, model.weights) == ("eyes", ("open", "shut"), "eyes.npz")
    constant = torch.ones(1, 3, 9, 9)
    assert isinstance(model.network, nn.Sequential)
    middle = np.maximum(kernels.sum(axis=(1, 2, 3)), 0)  # what the convolution gives where it sees ones alone
    np.testing.assert_allclose(model.network[:2](constant)[0, :, 4, 4].detach(), middle, rtol=1e-5)
    activations = model.network[:2](constant).mean(dim=(2, 3)).detach().double()
    np.testing.assert_allclose(model.network(constant).detach().numpy(), activations.numpy() @ weights.T, rtol=1e-5)
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    with pytest.raises(BadRequest, match=r"bad\.npz: can't be read as a network"):
        load_model(str(tmp_path / "bad.npz"))


def test_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics()
    announce(monkeypatch, METRICS, "total_variation")
    flat = np.zeros((2, 2), np.float32)
    halves = np.array([[3, 3, -1, -1]] * 4, np.float32)
    board = np.indices((4, 4)).sum(axis=0).astype(np.float32) % 2
    scores = METRICS.entries()["total_variation"].function(replace(MAPS, maps=[flat, halves, board]))
    assert scores["total_variation"].values == pytest.approx([0, 4 / 24, 1]), "the share of neighbors that differ"
    assert [info.title for entry in metrics() for info in entry.infos].count("Total variation") == 1


def test_the_metric_is_on_the_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    metrics()
    announce(monkeypatch, METRICS, "total_variation")
    draw(tmp_path / "images")
    run(tmp_path, "--metrics", "quick", "--methods", "saliency,random")
    stored = load_run(tmp_path / "r")
    relative_variation = sys.modules["examples.extending.total_variation"].relative_variation
    for image in stored.images():
        arrays = stored.maps(image)
        for measured in (entry for entry in present(image.metrics).maps if entry.method == "saliency"):
            shown = arrays[f"saliency/{measured.target}"]
            assert measured.values["total_variation"] == pytest.approx(relative_variation(shown), abs=1e-2)
    assert "Total variation" in (tmp_path / "r" / "methods.html").read_text(encoding="utf-8")


def run(folder: Path, *words: str) -> None:
    words = ("--device", "cpu", "--inspect", "none", "--quiet", *words)
    command("run", "examples.own_network:build", folder / "images", "-o", folder / "r", *words)


def test_a_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    readers()
    announce(monkeypatch, READERS, "pfm")
    (tmp_path / "images").mkdir()
    ramp = np.linspace(0, 4095, 96 * 96).reshape(96, 96).astype("<f4")
    (tmp_path / "images" / "ramp.pfm").write_bytes(b"Pf\n96 96\n-1.0\n" + ramp[::-1].tobytes())
    (tmp_path / "images" / "short.pfm").write_bytes(b"Pf\n96 96\n-1.0\n" + bytes(96))
    (tmp_path / "images" / "huge.pfm").write_bytes(b"PF\n99999 99999\n1.0\n")
    run(tmp_path, "--methods", "gradient", "--range", "0,4095")
    stored = load_run(tmp_path / "r")
    (image,) = stored.images()
    assert image.name == "ramp.pfm"
    reasons = {skipped.name: skipped.reason for skipped in stored.record.skipped}
    assert reasons["short.pfm"] == "cut short"
    assert reasons["huge.pfm"] == "99999×99999 pixels; at most 60 million values are read"
    picture = torch.tensor(ramp / 4095).float().expand(1, 3, 96, 96)
    assert image.top[0].logit == pytest.approx(build()(picture).max().item(), rel=1e-2)


def test_a_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from examples.extending.certainty import certainty

    (row,) = re.findall(r"^\+    (Page\(.+\)),$", PAGE, re.MULTILINE)
    added = eval(row, {"Page": pages.Page, "certainty": certainty})
    monkeypatch.setattr(pages, "PAGES", (*pages.PAGES, added))
    shutil.copytree(assets.folder("templates"), tmp_path / "templates")
    shutil.copy(ROOT / "examples" / "extending" / "certainty.html", tmp_path / "templates")
    monkeypatch.setattr(renderer, "folder", lambda name: tmp_path / name)
    draw(tmp_path / "images")
    run(tmp_path, "--methods", "gradient")
    text = (tmp_path / "r" / "certainty.html").read_text(encoding="utf-8")
    assert 'href="certainty.html"' in (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    images = sorted(load_run(tmp_path / "r").images(), key=lambda image: present(image.top[0].probability))
    addresses = re.findall(r'href="images/([^"]+)\.html"', text)
    assert addresses == [image.id for image in images]
    command("render", tmp_path / "r", "--single-file")
    assert "Next class" in (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
