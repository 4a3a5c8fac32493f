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
from cnnvis_report.evidence.ranks import spearman
from cnnvis_report.pipeline.planning import plan
from cnnvis_report.pipeline.stages import bfloat16_check
from cnnvis_report.store import StoredRun, load_run
from tests.conftest import command
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric

FORWARD_ONLY = ("-m", "occlusion,rise,grad_cam", "-O", "rise.n=60", "--limit", "6", "-q")
TINY = ("run", "tests.factories:tiny")


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory, drawn: Path) -> StoredRun:
    """A run in single precision."""
    folder = tmp_path_factory.mktemp("exact") / "run"
    command(*TINY, drawn, "-o", folder, *FORWARD_ONLY, "--precision", "float32")
    return load_run(folder)


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
            actual = subject.forward(x)
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
    assert actual.dtype == torch.float32
    assert (actual.double() - expected).abs().max() <= 2**-7 * expected.abs().max()  # the order of sums, one rounding
    assert not torch.equal(actual, exact)
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


@pytest.mark.parametrize(
    ("units", "gained"),
    [({"amx_bf16": True}, True), ({"amx_bf16": False, "avx512_bf16": True}, True), ({"avx512_f": True}, False)],
    ids=["tiles", "vectors", "none"],
)
def test_small_networks_and_devices_without_units_gain_nothing(
    units: dict[str, bool], gained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: units)
    assert gains(torch.device("cpu"), LEAST_WORK) is gained
    assert not gains(torch.device("cpu"), LEAST_WORK / 2)
    assert not gains(torch.device("mps"), LEAST_WORK)


def test_the_work_of_a_network_counts_every_call() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 8 * 8, 2, bias=False)
    )
    assert Subject(network, torch.randn(1, 3, 10, 10)).work == 3 * 4 * 9 * 64 + 4 * 64 * 2


def test_a_run_says_what_bfloat16_makes_of_the_order(
    worth_it: None, exact: StoredRun, drawn: Path, tmp_path: Path
) -> None:
    command(*TINY, drawn, "-o", tmp_path / "auto", *FORWARD_ONLY)
    command(*TINY, drawn, "-o", tmp_path / "rough", *FORWARD_ONLY, "--precision", "bfloat16")
    runs = {"auto": load_run(tmp_path / "auto"), "exact": exact, "rough": load_run(tmp_path / "rough")}
    checks = runs["auto"].record.precision
    assert exact.record.precision == ()
    assert {check.method for check in checks} == {"occlusion", "rise"}
    first = {name: next(iter(run.images())) for name, run in runs.items()}
    arrays = {name: run.maps(first[name]) for name, run in runs.items()}
    target = first["exact"].top[0].index
    for check in checks:
        key = f"{check.method}/{target}"
        assert not np.array_equal(arrays["exact"][key], arrays["rough"][key])
        assert check.correlation is not None
        assert check.correlation == pytest.approx(spearman(arrays["exact"][key], arrays["rough"][key]), abs=1e-4)
        assert check.used == (check.correlation >= bfloat16_check.HOLDS) and check.images == 1
        assert np.array_equal(arrays["auto"][key], arrays["rough" if check.used else "exact"][key])
    gradients = [key for key in arrays["exact"] if key.startswith("grad_cam/")]
    assert gradients and all(np.array_equal(arrays["rough"][key], arrays["exact"][key]) for key in gradients)
    noted = {shown.method: shown.evidence.notes.get("precision") for shown in first["auto"].maps}
    assert noted == {check.method: "bfloat16" if check.used else None for check in checks} | {"grad_cam": None}
    page = (tmp_path / "auto" / "run.html").read_text(encoding="utf-8")
    assert "rank correlation with" in page and "bfloat16" in page


def test_a_method_whose_order_is_lost_stays_exact(
    worth_it: None, exact: StoredRun, monkeypatch: pytest.MonkeyPatch, drawn: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(bfloat16_check, "HOLDS", 1.1)
    command(*TINY, drawn, "-o", tmp_path / "auto", *FORWARD_ONLY)
    auto = load_run(tmp_path / "auto")
    assert not any(check.used for check in auto.record.precision) and auto.record.precision
    for image in exact.images():
        one, two = (run.maps(image) for run in (auto, exact))
        assert all(np.array_equal(one[key], two[key]) for key in one)


def test_a_network_that_refuses_bfloat16_is_explained_all_the_same(worth_it: None, drawn: Path, tmp_path: Path) -> None:
    command("run", "tests.factories:exacting", drawn, "-o", tmp_path / "r", *FORWARD_ONLY)
    run = load_run(tmp_path / "r")
    assert {check.reason for check in run.record.precision} == {"RuntimeError: float32 alone"}
    assert not any(check.used for check in run.record.precision)
    assert not any(image.not_applicable for image in run.images())
    page = (tmp_path / "r" / "run.html").read_text(encoding="utf-8")
    assert "as bfloat16 failed: RuntimeError: float32 alone" in page


def test_the_plan_says_what_will_be_tried(worth_it: None, drawn: Path, tmp_path: Path) -> None:
    arguments = [word for word in FORWARD_ONLY if word != "-q"]
    planned = command(*TINY, drawn, "-o", tmp_path / "r", *arguments)
    assert "in bfloat16, where that keeps the ranking of pixels: occlusion, rise" in planned.stderr
    again = command(*TINY, drawn, "-o", tmp_path / "r", *arguments)
    assert "all images were explained already" in again.stderr
    assert json.loads((tmp_path / "r" / "run.json").read_text())["run"]["precision"]
