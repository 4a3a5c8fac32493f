"""Metrics in bfloat16: where they keep their values, and where they stay in float32."""

from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from cnnvis_report.evaluation.metric import Scores
from cnnvis_report.pipeline.planning import plan
from cnnvis_report.pipeline.planning.metrics_budget import BUDGETS
from cnnvis_report.pipeline.stages import metrics_precision
from cnnvis_report.pipeline.stages.metrics_precision import HOLDS, NEGLIGIBLE, Change, confirmed_metrics
from cnnvis_report.records.metrics import MetricPrecision
from cnnvis_report.store import StoredRun, load_run
from tests.conftest import command
from tests.narrow import present
from tests.pipeline.few_passes import FEW_PASSES

OPTIONS = ("-m", "gradient,grad_cam,random", "--limit", "6", "--limit-order", "first")
Made = Callable[..., StoredRun]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, drawn: Path, tmp_path: Path) -> Made:
    """Runs on a device on which every network is faster in bfloat16."""
    monkeypatch.setattr(plan, "gains", lambda device, work: True)
    monkeypatch.setattr(plan, "WORTH_A_CHECK", 2)

    def run(factory: str, *options: str, metrics: str = "quick") -> StoredRun:
        folder = tmp_path / "-".join((factory, *options)).replace("/", "-")
        words = (f"tests.factories:{factory}", drawn, "-o", folder, *OPTIONS, "--metrics", metrics, "-q", *options)
        command("run", *words)
        return load_run(folder)

    return run


def values(run: StoredRun) -> list[dict[str, float]]:
    return [scored.values for image in run.images() for scored in present(image.metrics).maps]


def checks(run: StoredRun) -> tuple[MetricPrecision, ...]:
    return present(run.record.evaluation).precision


def page(run: StoredRun, name: str) -> str:
    return " ".join(unescape((run.folder / f"{name}.html").read_text("utf-8")).split())


def test_values_that_hold_are_measured_in_bfloat16_and_the_run_says_so(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics_precision, "NEGLIGIBLE", 1.0)  # a network this small moves its scores by little
    auto, exact = made("tiny"), made("tiny", "--precision", "float32")
    (check,) = checks(auto)
    assert checks(exact) == () and check.used and check.reason == "" and check.images == 1
    assert check.worst in check.metrics and "relevance_gain_mean" in check.metrics
    assert present(check.deviation) > 0
    assert values(auto) != values(exact)
    for one, other in zip(values(auto), values(exact), strict=True):
        assert one == pytest.approx(other, abs=max(0.05, 3 * present(check.deviation)))
    for name in ("methods", "run"):
        assert "bfloat16; bfloat16 moves a map's value by" in page(auto, name)
        assert "moves a map's value" not in page(exact, name)


def test_a_network_that_is_wrong_in_bfloat16_is_measured_in_float32(made: Made) -> None:
    auto, exact = made("misled"), made("misled", "--precision", "float32")
    (check,) = checks(auto)
    assert not check.used and present(check.deviation) > HOLDS * present(check.spread)
    assert values(auto) == values(exact)
    assert "float32; bfloat16 moves a map's value by" in page(auto, "methods")


def test_each_metric_is_tried_alone(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUDGETS, "full", FEW_PASSES)
    names = [check.metrics for check in checks(made("misled", "-m", "gradient,random", "--limit", "3", metrics="full"))]
    assert ("road",) in names and ("infidelity",) in names and ("average_drop", "average_increase") in names
    assert len({name for group in names for name in group}) == sum(map(len, names)) > 24


def test_a_network_that_refuses_bfloat16_is_measured_all_the_same(made: Made) -> None:
    run = made("exacting")
    (check,) = checks(run)
    assert not check.used and check.deviation is None and check.reason == "RuntimeError: float32 alone"
    assert all("relevance_gain_mean" in scored for scored in values(run))
    assert "float32, as bfloat16 couldn't be compared: RuntimeError: float32 alone" in page(run, "methods")


def test_the_plan_says_what_will_be_tried(made: Made, drawn: Path, tmp_path: Path) -> None:
    words = ("run", "tests.factories:tiny", drawn, "-o", tmp_path / "p", *OPTIONS, "--metrics", "quick")
    assert "in bfloat16 where that keeps their values; " in command(*words).stderr
    other = command(*words[:3], "-o", tmp_path / "f", *OPTIONS, "--metrics", "quick", "--precision", "float32")
    assert "bfloat16" not in other.stderr


@pytest.mark.parametrize(
    ("deviation", "spread", "holds"),
    [(0.005, 0.0, True), (0.006, 0.0, False), (0.05, 1.0, True), (0.051, 1.0, False), (9.0, 200.0, True)],
)
def test_a_change_is_judged_by_the_distance_between_maps(deviation: float, spread: float, holds: bool) -> None:
    assert (Change("gain", deviation, spread).excess <= 1) is holds
    assert (HOLDS, NEGLIGIBLE) == (0.05, 0.005)


def test_what_cannot_tell_is_not_compared_and_what_is_gone_has_changed_by_infinity() -> None:
    exact = {
        "a": Scores([0.0, 1.0, None]),
        "b": Scores([0.0, 9.0, 1.0], blind="alike"),
        "c": Scores([0.0, 1.0, 2.0]),
        "d": Scores([None, None, None]),
        "e": Scores([0.0, 1.0, 2.0]),
    }
    reduced = {name: Scores([0.5, 1.0, 2.0]) for name in "abd"} | {"c": Scores([0.0, None, 2.0])}
    changes = {change.metric: change for change in metrics_precision._changes(exact, reduced)}
    assert changes.keys() == {"a", "c", "e"}
    assert changes["a"] == Change("a", 0.5, 1.0) and changes["c"].excess == changes["e"].excess == float("inf")


def test_metrics_that_share_passes_go_together() -> None:
    entries = (
        MetricPrecision(("a", "b"), "a", 0.1, 1, 1, used=True),
        MetricPrecision(("c",), "c", 1, 1, 1, used=False),
    )
    assert confirmed_metrics(entries) == {"a", "b"}
