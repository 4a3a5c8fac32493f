"""Sensitivity-n against a slow replica of its definition, and in cases whose value is known."""

import numpy as np
import pytest
import torch

from cnnvis_report.evaluation.metric import Scorer
from cnnvis_report.evaluation.removal import score_drops, sums_within
from cnnvis_report.evaluation.sensitivity_n import FRACTIONS, SETS, correlations, random_regions
from tests.evaluation.replicas import drawn, linear, noise

pytestmark = pytest.mark.numeric

IMAGE = drawn(3, 28, 31)
GRAY = torch.full_like(IMAGE, 0.2)
REGIONS, SIZES = random_regions((28, 31), noise())


def test_it_equals_the_replica(probability: Scorer) -> None:
    values = drawn(28, 31, seed=1)
    drops = score_drops(IMAGE, GRAY, REGIONS, 2, probability, capacity=16)
    (found,) = correlations(sums_within([values], REGIONS), drops, SIZES).tolist()
    rows = []
    for n in sorted(set(SIZES.tolist())):
        pairs = []
        for removed in REGIONS[n == SIZES]:
            left = IMAGE.clone()
            left[:, removed] = GRAY[:, removed]
            drop = float((probability(IMAGE[None].clone()) - probability(left[None]))[0, 2])
            pairs.append((float(values[removed].sum()), drop))
        rows.append(np.corrcoef(np.array(pairs).T)[0, 1])
    assert found == pytest.approx(np.mean(rows), abs=1e-9)


def test_sets_have_n_regions_of_a_grid() -> None:
    assert len(REGIONS) == len(FRACTIONS) * SETS
    cells = REGIONS[:, ::2, ::2]  # 14 × 16 regions of 2×2 pixels, the last column cut
    assert sorted(set(SIZES.tolist())) == [22, 67, 112, 157, 202]
    assert torch.equal(cells.flatten(1).sum(1), SIZES)
    assert torch.equal(cells.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, :, :31], REGIONS)
    assert len({tuple(cell.flatten().tolist()) for cell in cells}) == len(cells), "each set is another one"


def test_contributions_of_a_linear_score_correlate_fully_whatever_their_unit() -> None:
    weights = drawn(3, 28, 31, seed=5)
    drops = score_drops(IMAGE, GRAY, REGIONS, 1, linear(weights), capacity=16)
    contributions = (weights * (IMAGE - GRAY)).sum(0)
    maps = [contributions, 1e-5 * contributions, -contributions]
    assert correlations(sums_within(maps, REGIONS), drops, SIZES).tolist() == pytest.approx([1, 1, -1])


def test_what_does_not_vary_correlates_with_nothing() -> None:
    regions, sizes = random_regions((28, 28), noise())
    drops = score_drops(IMAGE[:, :, :28], GRAY[:, :, :28], regions, 1, linear(1), capacity=16)
    level = [torch.zeros(28, 28), torch.full((28, 28), 0.1), torch.full((7, 7), -3e8)]
    assert correlations(sums_within(level, regions), drops, sizes).tolist() == [0, 0, 0]
    rounded = 1 + 1e-14 * drawn(1, len(sizes))
    assert correlations(rounded, drops, sizes).tolist() == [0], "rounding is no variation"
    sums = sums_within([drawn(28, 28)], regions)
    assert correlations(sums, torch.full_like(drops, 0.3), sizes).tolist() == [0]


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 3)], ids=str)
def test_tiny_images_have_sets_too(size: tuple[int, int]) -> None:
    regions, sizes = random_regions(size, noise())
    assert regions.shape[1:] == size and len(regions) == len(sizes)
    assert (sizes >= 1).all() and regions.flatten(1).any(1).all()
