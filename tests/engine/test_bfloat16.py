"""Forward passes in bfloat16: where they are made, what they give, and what a run says of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, linear

from cnnvis_report.engine.bfloat16 import LEAST_WORK, gains, reduced_weights
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.evaluation.rank_correlation import spearman
from cnnvis_report.pipeline import plan
from cnnvis_report.pipeline.stages import bfloat16_check
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric

FORWARD_ONLY = ("-m", "occlusion,rise,grad_cam", "-O", "rise.n=60", "--limit", "6", "-q")
TINY = ("run", "tests.factories:tiny")


@pytest.fixture
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device on which every network is faster in bfloat16, and a set that is large enough to try it."""
    monkeypatch.setattr(plan, "gains", lambda device, work: True)
    monkeypatch.setattr(plan, "WORTH_A_CHECK", 2)


def images(count: int = 3) -> torch.Tensor:
    return torch.randn(count, 3, 40, 40, generator=torch.Generator().manual_seed(3))


class Plain(nn.Module):
    """Two layers, so that what autocasting does can be written out."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm, self.scores = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        return self.scores(self.norm(self.convolution(x)).relu().mean((2, 3)))


def test_reduced_scores_are_those_of_rounded_inputs_and_weights() -> None:
    network, x = seeded(Plain()).eval(), images()
    subject = Subject(network, x[:1])
    with torch.no_grad():
        exact = subject.forward(x)
        with subject.reduced():
            found = subject.forward(x)
    half = torch.bfloat16

    def rounded(values: Any) -> Any:
        return values.detach().to(half).double()

    maps = rounded(conv2d(rounded(x), rounded(network.convolution.weight), rounded(network.convolution.bias)))
    norm = network.norm
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
    shift = norm.bias.double() - norm.running_mean.double() * scale
    features = rounded(rounded(maps * scale[:, None, None] + shift[:, None, None]).relu().mean((2, 3)))
    expected = rounded(linear(features, rounded(network.scores.weight), rounded(network.scores.bias)))
    assert found.dtype == torch.float32
    assert (found.double() - expected).abs().max() <= 2**-7 * expected.abs().max()  # the order of sums, one rounding
    assert not torch.equal(found, exact)
    with torch.no_grad():
        assert torch.equal(subject.forward(x), exact)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_only_what_multiplies_is_rounded() -> None:
    weights = reduced_weights(Plain())
    assert set(weights) == {"convolution.weight", "convolution.bias", "scores.weight", "scores.bias"}
    assert {weight.dtype for weight in weights.values()} == {torch.bfloat16}


def test_gradients_stay_exact_while_scores_are_reduced() -> None:
    network, x = seeded(Tiny()).eval(), images()
    tape = Tape(Subject(network, x[:1]), x)
    targets = torch.tensor([0, 1, 2])
    expected = tape.gradients(targets).pixels
    other = Tape(Subject(network, x[:1]), x)
    with other.reduced():
        assert torch.equal(other.gradients(targets).pixels, expected)
        assert torch.equal(other.scores(x), other.logits) and not torch.equal(other.logits, tape.logits)
    assert torch.equal(other.logits, tape.logits)


def test_small_networks_and_devices_without_units_gain_nothing() -> None:
    assert not gains(torch.device("cpu"), LEAST_WORK / 2)
    assert gains(torch.device("cpu"), LEAST_WORK) == bool(torch.cpu.get_capabilities().get("amx_bf16"))
    assert not gains(torch.device("mps"), LEAST_WORK)


def test_the_work_of_a_network_counts_every_call() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 8 * 8, 2, bias=False)
    )
    assert Subject(network, torch.randn(1, 3, 10, 10)).work == 3 * 4 * 9 * 64 + 4 * 64 * 2


def test_a_run_says_what_bfloat16_makes_of_the_order(worth_it: Any, drawn: Any, tmp_path: Path) -> None:
    command(*TINY, drawn, "-o", tmp_path / "auto", *FORWARD_ONLY)
    command(*TINY, drawn, "-o", tmp_path / "exact", *FORWARD_ONLY, "--precision", "float32")
    command(*TINY, drawn, "-o", tmp_path / "rough", *FORWARD_ONLY, "--precision", "bfloat16")
    runs = {name: load_run(tmp_path / name) for name in ("auto", "exact", "rough")}
    auto = runs["auto"]
    assert runs["exact"].record.precision == ()
    assert {each.method for each in auto.record.precision} == {"occlusion", "rise"}
    first = {name: next(iter(run.images())) for name, run in runs.items()}
    arrays = {name: load_arrays(tmp_path / name, image.id) for name, image in first.items()}
    target = first["exact"].top[0].index
    for each in auto.record.precision:
        key = f"{each.method}/{target}"
        assert not np.array_equal(arrays["exact"][key], arrays["rough"][key])
        assert each.correlation == pytest.approx(spearman(arrays["exact"][key], arrays["rough"][key]), abs=1e-4)
        assert each.correlation is not None
        assert each.used == (each.correlation >= bfloat16_check.HOLDS) and each.images == 1
        assert np.array_equal(arrays["auto"][key], arrays["rough" if each.used else "exact"][key])
    kept = [key for key in arrays["exact"] if key.startswith("grad_cam/")]
    assert kept and all(np.array_equal(arrays["rough"][key], arrays["exact"][key]) for key in kept)
    noted = {found.method: found.evidence.notes.get("precision") for found in first["auto"].maps}
    assert noted == {each.method: "bfloat16" if each.used else None for each in auto.record.precision} | {
        "grad_cam": None
    }
    said = (tmp_path / "auto" / "run.html").read_text(encoding="utf-8")
    assert "rank correlation with" in said and "bfloat16" in said


def test_a_method_whose_order_is_lost_stays_exact(
    worth_it: Any, monkeypatch: pytest.MonkeyPatch, drawn: Any, tmp_path: Path
) -> None:
    monkeypatch.setattr(bfloat16_check, "HOLDS", 1.1)
    command(*TINY, drawn, "-o", tmp_path / "auto", *FORWARD_ONLY)
    command(*TINY, drawn, "-o", tmp_path / "exact", *FORWARD_ONLY, "--precision", "float32")
    auto, exact = (load_run(tmp_path / name) for name in ("auto", "exact"))
    assert not any(each.used for each in auto.record.precision) and auto.record.precision
    for image in exact.images():
        one, two = (load_arrays(run.folder, image.id) for run in (auto, exact))
        assert all(np.array_equal(one[key], two[key]) for key in one)


def test_a_network_that_refuses_bfloat16_is_explained_all_the_same(worth_it: Any, drawn: Any, tmp_path: Path) -> None:
    command("run", "tests.factories:exacting", drawn, "-o", tmp_path / "r", *FORWARD_ONLY)
    run = load_run(tmp_path / "r")
    assert {each.reason for each in run.record.precision} == {"RuntimeError: float32 alone"}
    assert not any(each.used for each in run.record.precision) and not any(
        image.not_applicable for image in run.images()
    )
    assert "as bfloat16 failed: RuntimeError: float32 alone" in (tmp_path / "r" / "run.html").read_text(
        encoding="utf-8"
    )


def test_the_plan_says_what_will_be_tried(worth_it: Any, drawn: Any, tmp_path: Path) -> None:
    arguments = [each for each in FORWARD_ONLY if each != "-q"]
    found = command(*TINY, drawn, "-o", tmp_path / "r", *arguments)
    assert "in bfloat16, where that keeps the ranking of pixels: occlusion, rise" in found.stderr
    again = command(*TINY, drawn, "-o", tmp_path / "r", *arguments)
    assert "all images were explained already" in again.stderr
    assert json.loads((tmp_path / "r" / "run.json").read_text())["run"]["precision"]
