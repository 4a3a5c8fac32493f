"""What every metric promises, for all that the registry finds; and that one of a stranger's is measured like ours."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnvis_report.engine.outputs.scores import Scores as Meaning
from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.measure import measure
from cnnvis_report.evaluation.metric import (
    METRICS,
    Effort,
    MapsOfImage,
    Mask,
    Scorer,
    Scores,
    forward_passes,
    measured_metrics,
    metric,
    metric_family,
    metrics,
)
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import MetricInfo, MetricKind
from cnnvis_report.records.scores import Quantity, ScoreKind
from tests.evaluation.replicas import drawn, drawn_map, linear, noise

pytestmark = pytest.mark.numeric

MASK = np.zeros((9, 9), dtype=bool)
MASK[2:5, 3:7] = True
FULL = Effort(steps=4, regions=3, across=3, finest=1)
QUICK = replace(FULL, full=False)
SCORE = linear(1)
SOFTMAX = Meaning(ScoreKind.SOFTMAX, Quantity.LOGIT, "")


@pytest.fixture(autouse=True)
def no_metric_outlives_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    METRICS.entries()
    for name in ("_entries", "_modules"):
        monkeypatch.setattr(METRICS, name, dict(getattr(METRICS, name)))


def maps_of_image(
    *maps: Array, mask: Mask | None = MASK, effort: Effort = FULL, score: Scorer = SCORE, meaning: Meaning = SOFTMAX
) -> MapsOfImage:
    return MapsOfImage(
        maps=maps,
        image=drawn(2, 9, 9),
        target=1,
        logits=score,
        meaning=meaning,
        black=torch.zeros(2, 1, 1, dtype=torch.float64),
        mask=mask,
        generator=noise,
        effort=effort,
        capacity=5,
        seed=0,
    )


@pytest.mark.parametrize("info", measured_metrics(FULL), ids=lambda info: info.name)
def test_every_metric_says_what_a_column_needs(info: MetricInfo) -> None:
    assert info.title and info.description and not info.description.endswith(".")
    assert (info.kind is MetricKind.LOCALIZATION) == info.needs_mask


def test_no_metric_takes_the_name_of_another() -> None:
    names = [info.name for info in measured_metrics(FULL)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("effort", [FULL, QUICK], ids=["full", "quick"])
def test_each_map_gets_a_value_of_every_metric_and_so_does_each_random_map(effort: Effort) -> None:
    maps = [drawn_map(9, 9), drawn_map(3, 3, seed=1), drawn_map(9, 9, seed=2), drawn_map(9, 9, seed=3)]
    scored = measure(maps_of_image(*maps, effort=effort), random=2)
    names = {info.name for info in measured_metrics(effort)}
    assert [set(each.values) for each in scored.maps] == [names, names]
    assert set(scored.random) == names and {len(values) for values in scored.random.values()} == {2}
    (alone,) = measure(maps_of_image(maps[2], effort=effort)).maps
    assert alone.values == {name: values[0] for name, values in scored.random.items()}, "as if it were a method's"


def test_quick_measures_what_costs_nothing_and_the_curves_that_rank() -> None:
    ranking = next(info for info in measured_metrics(QUICK) if info.ranks)
    assert ranking in measured_metrics(FULL)
    with_passes = {name for entry in metrics(QUICK) if entry.passes for name in entry.quick}
    assert ranking.name in with_passes and len(with_passes) <= 6
    assert set(measured_metrics(QUICK)) < set(measured_metrics(FULL))


def test_metrics_that_need_a_mask_are_left_out_without_it() -> None:
    (scored,) = measure(maps_of_image(drawn_map(9, 9), mask=None)).maps
    assert set(scored.values) == {info.name for info in measured_metrics(FULL) if not info.needs_mask}


@pytest.mark.parametrize("effort", [FULL, QUICK], ids=["full", "quick"])
def test_the_forward_passes_are_those_that_are_taken(effort: Effort) -> None:
    images = 0

    def counted(batch: Tensor) -> Tensor:
        nonlocal images
        images += len(batch)
        scores: Tensor = SCORE(batch)
        return scores

    measure(maps_of_image(*(drawn_map(9, 9, seed=seed) for seed in range(3)), score=counted, effort=effort))
    assert images == forward_passes(effort, maps=3)


def test_a_metric_of_ones_own_is_measured() -> None:
    @metric(title="Zeros", description="Share of the map that is 0", higher_is_better=True, percent=True)
    def zeros(given: MapsOfImage) -> Scores:
        return Scores([float((values == 0).mean()) for values in given.maps])

    half = np.array([[0, 0], [3, 1]], dtype=np.float32)
    assert measure(maps_of_image(half, effort=QUICK)).maps[0].values["zeros"] == 0.5
    assert "zeros" in [info.name for info in measured_metrics(QUICK)]


def test_columns_come_in_one_order_and_end_with_what_needs_a_mask() -> None:
    entries = metrics()
    assert [entry.needs_mask for entry in entries] == sorted(entry.needs_mask for entry in entries)
    METRICS._entries = dict(reversed(METRICS._entries.items()))
    assert metrics() == entries, "in whatever order modules were imported"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")], ids=str)
def test_a_value_that_is_none_is_a_gap(value: float | None) -> None:
    @metric(title="Odd", description="Something", higher_is_better=True)
    def odd(given: MapsOfImage) -> Scores:
        return Scores([value, 0.25, value], curves=[[1.0], [2.0], [3.0]], range=0.5, blind="too dark")

    maps = [drawn_map(9, 9), drawn_map(9, 9, seed=1), drawn_map(9, 9, seed=2)]
    scored = measure(maps_of_image(*maps, effort=QUICK), random=1)
    assert ["odd" in each.values for each in scored.maps] == [False, True]
    assert ["odd" in each.curves for each in scored.maps] == [False, True] and scored.maps[1].curves["odd"] == (2.0,)
    assert "odd" not in scored.random and (scored.ranges["odd"], scored.blind["odd"]) == (0.5, "too dark")


def test_a_name_that_a_family_has_already_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family's metrics are announced under its function's name; each of them still has one of its own."""
    taken = measured_metrics(FULL)[0].name
    monkeypatch.setattr(METRICS, "_entries", dict(METRICS.entries()))
    monkeypatch.setattr(METRICS, "_modules", dict(METRICS._modules))
    infos = (MetricInfo("a_new_one", "New", "nothing", True), MetricInfo(taken, "Taken", "nothing", True))
    metric_family(*infos, quick=(), passes=lambda effort, maps: 0)(lambda sample: {})
    with pytest.raises(BadRequest, match=f"Two metrics are called '{taken}'"):
        metrics(FULL)
