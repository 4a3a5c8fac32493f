"""Average drop and increase against a slow replica of their definition, and at the ends of probability."""

import pytest
import torch

from cnnvis_report.evaluation.average_drop import drops, increases, shown_probabilities
from cnnvis_report.evaluation.metric import Scorer
from tests.evaluation.replicas import Watched, drawn, slow_bilinear

pytestmark = pytest.mark.numeric

IMAGE = drawn(3, 13, 11)
BLACK = torch.tensor([-2.0, -1.5, -1.0], dtype=torch.float64).view(3, 1, 1)


def test_it_equals_the_replica(probability: Scorer) -> None:
    maps = [drawn(13, 11, seed=1).float(), drawn(4, 3, seed=2).float()]
    scorer = Watched(probability)
    with torch.no_grad():
        unchanged = float(probability(IMAGE[None].clone())[0, 2])
    whole, shown = shown_probabilities(IMAGE, maps, 2, scorer, BLACK, capacity=1)
    assert (scorer.images, scorer.largest) == (3, 1)
    assert whole == unchanged
    for values, found in zip(maps, shown, strict=True):
        fitted = slow_bilinear(values.numpy(), (13, 11))
        share = (fitted - fitted.min()) / (fitted.max() - fitted.min())
        raw = (IMAGE - BLACK).numpy() * share  # black is 0 in a picture's own units
        expected = float(probability(torch.from_numpy(raw)[None] + BLACK)[0, 2])
        assert float(found) == pytest.approx(expected, rel=1e-5)
        assert float(drops(whole, found)) == pytest.approx(max(0, whole - expected) / whole, abs=1e-6)
        assert float(increases(whole, found)) == (expected > whole)


def test_a_map_of_one_value_shows_nothing(probability: Scorer) -> None:
    black = float(probability(BLACK.expand(1, 3, 13, 11).clone())[0, 2])
    level = [torch.full((13, 11), value) for value in (0.0, 1.0, -7.0)]
    _, shown = shown_probabilities(IMAGE, level, 2, probability, BLACK, capacity=8)
    assert shown.tolist() == pytest.approx([black] * 3)


def test_only_the_highest_value_stays_whole() -> None:
    total = lambda images: images.sum((1, 2, 3))[:, None]  # noqa: E731
    image = torch.ones(1, 2, 2, dtype=torch.float64)
    _, shown = shown_probabilities(
        image, [torch.tensor([[5.0, 3.0], [1.0, 1.0]])], 0, total, torch.zeros(1, 1, 1), capacity=1
    )
    assert shown.tolist() == [1.5]


def test_probabilities_at_the_ends() -> None:
    shown = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    assert drops(1.0, shown).tolist() == [1, 0.5, 0] and increases(1.0, shown).tolist() == [0, 0, 0]
    assert drops(0.5, shown).tolist() == [1, 0, 0] and increases(0.5, shown).tolist() == [0, 0, 1]
    assert drops(1e-300, shown).isfinite().all()
