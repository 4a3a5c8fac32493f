"""Whether an image can tell at all: every measure of faithfulness says so, with the range that it saw."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from cnnvis_report.evaluation.baselines import baseline
from cnnvis_report.evaluation.metric import Effort, metrics
from cnnvis_report.evaluation.region_perturbation import replaced
from cnnvis_report.evaluation.score_range import LOG_ODDS, PROBABILITY, range_to, too_close
from cnnvis_report.records.metrics import MetricKind
from tests.evaluation.replicas import drawn_map, noise
from tests.evaluation.test_insertion_deletion import BLACK, MEANINGS, Logits, given

pytestmark = pytest.mark.numeric

EFFORT = Effort(steps=4, regions=3, across=3, finest=1)
FAITHFULNESS = {info.name: entry for entry in metrics() for info in entry.infos if info.kind is MetricKind.FAITHFULNESS}


def alike(images: Tensor) -> Tensor:
    """Scores that tell classes apart, and images not."""
    return torch.arange(5.0, dtype=torch.float64).repeat(len(images), 1)


def saturated(images: Tensor) -> Tensor:
    """A probability of 1 whatever the image shows."""
    return torch.tensor([[0.0, 0, 0, 900, 0]]).repeat(len(images), 1)


@pytest.mark.parametrize("logits", [alike, saturated])
@pytest.mark.parametrize("name", FAITHFULNESS)
def test_an_image_that_cannot_tell_says_why(image: Tensor, name: str, logits: Logits) -> None:
    sample = replace(given(image, drawn_map(13, 11), drawn_map(13, 11, seed=1), effort=EFFORT), logits=logits)
    scores = FAITHFULNESS[name].function(sample)[name]
    assert scores.blind and not scores.blind.endswith(".")
    assert all(value is None or math.isfinite(value) for value in scores.values)
    assert scores.range is None or scores.range == 0


def pictures(image: Tensor) -> dict[str, tuple[Tensor, str]]:
    """What an image becomes where a map takes everything away, and the score that is compared."""
    regions = {
        f"aopc_{name}": (replaced(image, name, size=4, generator=noise()), LOG_ODDS)
        for name in ("zeros", "gaussian", "mean", "invert")
    }
    mean, black = (baseline(image, name, BLACK) for name in ("mean", "black"))
    return regions | {"road": (mean, PROBABILITY), "average_drop": (black, PROBABILITY)}


@pytest.mark.parametrize("name", ["aopc_zeros", "aopc_gaussian", "aopc_mean", "aopc_invert", "road", "average_drop"])
@pytest.mark.parametrize("scale", [0.001, 40.0], ids=["narrow", "wide"])
def test_the_range_is_the_distance_to_the_image_without_anything(image: Tensor, name: str, scale: float) -> None:
    network = Logits(scale)
    sample = replace(given(image, drawn_map(13, 11), effort=EFFORT), logits=network)
    scores = FAITHFULNESS[name].function(sample)[name]
    picture, score = pictures(image)[name]
    probabilities = network(torch.stack([image, picture])).softmax(1)[:, 3]
    values = probabilities if score == PROBABILITY else torch.log(probabilities / (1 - probabilities))
    expected = float(values[0] - values[1])
    assert scores.range == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert bool(scores.blind) == (expected < {PROBABILITY: 0.05, LOG_ODDS: 1.0}[score])


@pytest.mark.parametrize(
    ("value", "blind"), [(0.995, True), (0.98, False), (1.5, True)], ids=["near", "apart", "above"]
)
def test_values_of_a_regression_are_apart_by_a_share(image: Tensor, value: float, blind: bool) -> None:
    def values(images: Tensor) -> Tensor:
        return torch.tensor([[0.0, 0, 0, 1, 0], [0, 0, 0, value, 0]])[: len(images)]

    sample = replace(given(image, drawn_map(13, 11), meaning=MEANINGS["values"]), logits=values)
    span, reason = range_to(sample, image, "black", LOG_ODDS)
    assert span == pytest.approx(1 - value) and reason == (too_close("black") if blind else "")


def test_scores_that_are_no_numbers_have_no_range(image: Tensor) -> None:
    sample = replace(given(image, drawn_map(13, 11)), logits=lambda images: torch.full((len(images), 5), torch.nan))
    assert range_to(sample, image, "black", PROBABILITY) == (
        None,
        "Black scores nearly as high as the image, or higher",
    )
