"""Insertion, deletion and what lies between, on both scores: against replicas, closed forms and bad input."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnvis_report.engine.outputs.scores import Scores as Meaning
from cnnvis_report.evaluation.baselines import BASELINES, baseline
from cnnvis_report.evaluation.curve_measures import GAIN, MEASURES, QUICK, RANKING
from cnnvis_report.evaluation.insertion_deletion import insertion_deletion
from cnnvis_report.evaluation.metric import Effort, MapsOfImage, Scores, measured_metrics
from cnnvis_report.evaluation.resize import at_size
from cnnvis_report.records.methods import Array
from cnnvis_report.records.scores import Quantity, ScoreKind
from tests.evaluation.replicas import drawn, drawn_map, noise, slow_curve
from tests.narrow import present
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric

EFFORT = Effort(steps=6, regions=1, finest=1)
SOFTMAX = Meaning(ScoreKind.SOFTMAX, Quantity.LOGIT, "")
BLACK = torch.tensor([-2.0, -1.5, -1.0], dtype=torch.float64).view(3, 1, 1)
POINTS = [round(143 * (1 - math.cos(math.pi * step / 6)) / 2) for step in range(7)]


class Logits:
    """A small network in double precision, whose scores are far enough apart to tell anything."""

    def __init__(self, scale: float = 40.0, classes: int = 5, channels: int = 3) -> None:
        self.network, self.scale = seeded(Tiny(classes, channels)).double().eval(), scale

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        scores: Tensor = self.network(images) * self.scale
        return scores


def given(image: Tensor, *maps: Array, effort: Effort = EFFORT, meaning: Meaning = SOFTMAX) -> MapsOfImage:
    return MapsOfImage(
        maps=maps,
        image=image,
        target=3,
        logits=Logits(channels=len(image)),
        meaning=meaning,
        black=BLACK[: len(image)],
        mask=None,
        generator=noise,
        effort=effort,
        capacity=8,
        seed=0,
    )


def replica(image: Tensor, values: Array, kind: str, picture: str, score: str) -> tuple[list[float], float, float]:
    """The curve in plain steps, and the scores of the baseline and of the image."""
    without = baseline(image, picture, BLACK)

    def scored(images: Tensor) -> Tensor:
        probabilities = Logits()(images).softmax(1)
        return probabilities if score == "probability" else torch.log(probabilities / (1 - probabilities))

    ends = [float(scored(x[None])[0, 3]) for x in (without, image)]
    start, end = (without, image) if kind == "insertion" else (image, without)
    seen = at_size(torch.from_numpy(values), (13, 11)).numpy()
    return slow_curve(start, end, seen, 3, scored, POINTS), ends[0], ends[1]


@pytest.mark.parametrize("score", ["probability", "log_odds"])
@pytest.mark.parametrize("picture", BASELINES)
def test_values_are_areas_between_points_of_the_replica(image: Tensor, picture: str, score: str) -> None:
    maps = [drawn_map(13, 11, seed=2), drawn_map(4, 3, seed=3), np.maximum(drawn_map(13, 11, seed=4), 0)]
    results = insertion_deletion(given(image, *maps))
    suffix = "_log_odds" if score == "log_odds" else ""
    for index, values in enumerate(maps):
        areas = {}
        for kind in ("insertion", "deletion"):
            curve, low, high = replica(image, values, kind, picture, score)
            unit = max(high - low, 1.0) if score == "log_odds" else 1.0
            start = low if score == "log_odds" else 0.0
            heights = (np.array(curve) - start) / unit
            areas[kind] = np.diff(POINTS) @ ((heights[1:] + heights[:-1]) / 2) / 143
            scores = results[f"{kind}_{picture}{suffix}"]
            assert scores.values[index] == pytest.approx(areas[kind], rel=1e-6, abs=1e-9)
            assert scores.range == pytest.approx(high - low, rel=1e-6)
            assert bool(scores.blind) == (high - low < {"probability": 0.05, "log_odds": 1.0}[score])
            even = np.interp(np.linspace(0, 143, 33), POINTS, heights)
            np.testing.assert_allclose(curve_of(scores, index), even, rtol=1e-6, atol=1e-9)
        gain = results[f"relevance_gain_{picture}{suffix}"].values[index]
        assert gain == pytest.approx(areas["insertion"] - areas["deletion"], rel=1e-6, abs=1e-9)


def curve_of(scores: Scores, index: int) -> list[float]:
    assert scores.curves is not None
    curve = scores.curves[index]
    assert curve is not None
    return list(curve)


def test_every_measure_is_given_and_quick_gives_those_of_the_ranking_baseline(image: Tensor) -> None:
    values = drawn_map(13, 11)
    assert list(insertion_deletion(given(image, values))) == [measure.name for measure in MEASURES]
    quick = insertion_deletion(given(image, values, effort=replace(EFFORT, full=False)))
    assert list(quick) == [measure.name for measure in QUICK] and RANKING.name in quick
    ranking = next(info for info in measured_metrics(replace(EFFORT, full=False)) if info.ranks)
    assert ranking.name == RANKING.name


def test_a_map_turned_over_has_the_opposite_gain(image: Tensor) -> None:
    # inserting the largest first is deleting the smallest first, read backwards
    values = drawn_map(12, 11)  # an even number of pixels, so that the points lie alike from both ends
    results = insertion_deletion(given(image[:, :12], values, -values))
    for measure in MEASURES:
        if measure.kind == "relevance_gain":
            there, back = finite(results[measure.name].values)
            assert there == pytest.approx(-back, abs=1e-9)


def finite(values: object) -> list[float]:
    assert isinstance(values, list)
    assert all(isinstance(value, float) and math.isfinite(value) for value in values)
    return values


@pytest.mark.parametrize("values", [np.zeros((4, 4)), np.full((13, 11), -3.0)], ids=["zeros", "one-value"])
def test_a_constant_map_is_a_gap_and_its_neighbors_are_measured(image: Tensor, values: Array) -> None:
    constant = values.astype(np.float32)
    for scores in insertion_deletion(given(image, constant, drawn_map(13, 11))).values():
        assert scores.values[0] is None and scores.values[1] is not None
    assert insertion_deletion(given(image, constant)) == {}


def test_equal_maps_cost_the_passes_of_one(image: Tensor) -> None:
    counted: list[int] = []
    values = drawn_map(13, 11)

    def logits(images: Tensor) -> Tensor:
        counted.append(len(images))
        return Logits()(images)

    maps = replace(given(image, values, 2 * values, values + 5), logits=logits, effort=replace(EFFORT, full=False))
    results = insertion_deletion(maps)
    assert sum(counted) == 2 + len(RANKING.curves) * 5
    assert len(set(results[RANKING.name].values)) == 1


@pytest.mark.parametrize("full", [True, False], ids=["full", "quick"])
def test_a_map_and_its_negative_share_their_pictures_and_have_opposite_gains(image: Tensor, full: bool) -> None:
    values, counted = drawn_map(13, 11), []

    def logits(images: Tensor) -> Tensor:
        counted.append(len(images))
        return Logits()(images)

    effort = replace(EFFORT, steps=5, full=full)  # whose points on 143 pixels are their own mirror
    together = insertion_deletion(replace(given(image, values, -values, effort=effort), logits=logits))
    assert sum(counted) == (4 if full else 2) + (6 if full else 2) * 4
    alone = insertion_deletion(given(image, -values, effort=effort))
    for name, scores in together.items():
        assert scores.values[1] == pytest.approx(alone[name].values[0], abs=1e-9), name
        if name.startswith(GAIN):
            assert scores.values[1] == pytest.approx(-present(scores.values[0]), abs=1e-9), name
        else:
            assert curve_of(scores, 1) == pytest.approx(curve_of(alone[name], 0), abs=1e-9), name


@pytest.mark.parametrize(
    "logits",
    [
        lambda images: torch.zeros(len(images), 5, dtype=torch.float64),
        lambda images: torch.tensor([[0.0, 0, 0, 900, 0]], dtype=torch.float32).repeat(len(images), 1),
        lambda images: torch.full((len(images), 5), torch.nan),
    ],
    ids=["alike", "saturated", "not-a-number"],
)
def test_a_network_that_answers_everything_alike_makes_every_image_blind(image: Tensor, logits: Logits) -> None:
    results = insertion_deletion(replace(given(image, drawn_map(13, 11)), logits=logits))
    assert all(scores.blind for scores in results.values())
    assert {scores.blind for scores in results.values()} == {
        f"{words} scores nearly as high as the image, or higher"
        for words in ("The blurred image", "The image's mean color", "Black")
    }


def test_a_probability_of_one_has_finite_log_odds(image: Tensor) -> None:
    loud = replace(given(image, drawn_map(13, 11)), logits=lambda images: Logits(4000.0)(images).float())
    for name, scores in insertion_deletion(loud).items():
        assert all(value is not None and math.isfinite(value) for value in scores.values), name


MEANINGS: Mapping[str, Meaning] = {
    "binary": Meaning(ScoreKind.BINARY, Quantity.LOGIT, ""),
    "labels": Meaning(ScoreKind.SIGMOID, Quantity.LOGIT, ""),
    "values": Meaning(ScoreKind.VALUE, Quantity.VALUE, ""),
}


@pytest.mark.parametrize("meaning", MEANINGS)
@pytest.mark.parametrize("shape", [(1, 13, 11), (1, 3, 3)], ids=["gray", "tiny"])
def test_other_outputs_and_sizes_have_numbers(meaning: str, shape: tuple[int, int, int]) -> None:
    maps = given(drawn(*shape), drawn_map(*shape[1:]), meaning=MEANINGS[meaning])
    results = insertion_deletion(maps)
    values = {name: scores.values[0] for name, scores in results.items()}
    assert all(value is not None and math.isfinite(value) for value in values.values())
    assert ("insertion_blur" in results) == (meaning != "values")
    assert "relevance_gain_blur_log_odds" in results


def test_a_value_below_the_baselines_tells_nothing(image: Tensor) -> None:
    up = insertion_deletion(given(image, drawn_map(13, 11), meaning=MEANINGS["values"]))
    down = replace(given(image, drawn_map(13, 11), meaning=MEANINGS["values"]), logits=lambda x: -Logits()(x))
    for name, scores in insertion_deletion(down).items():
        assert scores.range == pytest.approx(-(up[name].range or 0))
        assert bool(scores.blind) != bool(up[name].blind)
