"""What every metric promises, for all that the registry finds; and that one of a stranger's is measured like ours."""

from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.evaluation.metric import (
    METRICS,
    Effort,
    MapsOfImage,
    Scores,
    forward_passes,
    measure,
    metric,
    metrics,
)
from tests.evaluation.replicas import drawn, drawn_map, linear, noise

pytestmark = pytest.mark.numeric

MASK = np.zeros((9, 9), dtype=bool)
MASK[2:5, 3:7] = True
EFFORT = Effort(steps=4, regions=3, across=3)
SCORE = linear(1)


@pytest.fixture(autouse=True)
def no_metric_outlives_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    METRICS.entries()
    for name in ("_entries", "_modules"):
        monkeypatch.setattr(METRICS, name, dict(getattr(METRICS, name)))


def maps_of_image(*maps: Any, mask: Any = MASK, effort: Any = EFFORT, score: Any = SCORE) -> Any:
    return MapsOfImage(
        maps=maps,
        image=drawn(2, 9, 9),
        target=1,
        logits=score,
        probabilities=lambda images: score(images).softmax(1),
        black=torch.zeros(2, 1, 1, dtype=torch.float64),
        mask=mask,
        generator=noise,
        effort=effort,
        capacity=5,
        seed=0,
    )


@pytest.mark.parametrize("entry", metrics(), ids=lambda entry: entry.info.name)
def test_every_metric_says_what_a_column_needs(entry: Any) -> None:
    info = entry.info
    assert info.title and info.description and not info.description.endswith(".")
    assert (info.needs_mask is False) or entry.passes is None, "what lies on a mask takes no passes"


def test_each_map_gets_a_value_of_every_metric() -> None:
    scored = measure(maps_of_image(drawn_map(9, 9), drawn_map(3, 3, seed=1)))
    names = {entry.info.name for entry in metrics()}
    assert [set(each.values) for each in scored] == [names, names]
    assert len(scored[0].curves["insertion"]) == 5 and len(scored[0].curves["aopc_mean"]) == 4


def test_metrics_that_need_a_mask_or_regions_are_left_out_without_them() -> None:
    (scored,) = measure(maps_of_image(drawn_map(9, 9), mask=None, effort=Effort(steps=4, regions=0)))
    assert set(scored.values) == {"insertion", "deletion"}


def test_the_forward_passes_are_those_that_are_taken() -> None:
    images = 0

    def counted(batch: Any) -> Any:
        nonlocal images
        images += len(batch)
        return linear(1)(batch)

    measure(maps_of_image(drawn_map(9, 9), drawn_map(9, 9, seed=1), drawn_map(4, 4), score=counted))
    assert images == forward_passes(EFFORT, maps=3)


def test_a_metric_of_ones_own_is_measured() -> None:
    @metric(title="Sparseness", description="Share of the map that is 0", higher_is_better=True, percent=True)
    def sparseness(given: MapsOfImage) -> Scores:
        return Scores([float((values == 0).mean()) for values in given.maps])

    half = np.array([[0, 0], [3, 1]], dtype=np.float32)
    assert measure(maps_of_image(half))[0].values["sparseness"] == 0.5
    assert [entry.info.name for entry in metrics() if not entry.info.needs_mask][-1] == "sparseness"
