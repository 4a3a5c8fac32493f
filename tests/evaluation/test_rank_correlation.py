"""Rank correlations of maps, by hand, against a replica and a peer."""

import math
from typing import Any

import numpy as np
import pytest

from cnnvis_report.evaluation.similarity import agreement
from cnnvis_report.evidence.ranks import average_ranks, spearman
from tests.evaluation.replicas import drawn_map, slow_bilinear

pytestmark = pytest.mark.numeric


def slow_ranks(values: Any) -> Any:
    return [
        1 + sum(other < value for other in values) + (sum(other == value for other in values) - 1) / 2
        for value in values
    ]


def slow_pearson(a: Any, b: Any) -> Any:
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    covariance = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    return covariance / math.sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))


def test_ranks_and_spearman_equal_the_replica() -> None:
    for seed in range(5):
        a, b = np.round(2 * drawn_map(5, 6, seed=seed)), drawn_map(5, 6, seed=seed + 100)
        ranks = [slow_ranks(values.ravel().tolist()) for values in (a, b)]
        assert average_ranks(a).tolist() == ranks[0]
        assert spearman(a, b) == pytest.approx(slow_pearson(*ranks), rel=1e-12)
        assert spearman(a, b) == spearman(b, a)


def test_spearman_equals_a_peer() -> None:
    stats = pytest.importorskip("scipy.stats")
    a, b = np.round(2 * drawn_map(20, 20)), drawn_map(20, 20, seed=1)
    assert spearman(a, b) == pytest.approx(stats.spearmanr(a.ravel(), b.ravel()).statistic, rel=1e-12)


def test_spearman_by_hand_and_its_invariances() -> None:
    def row(*values: Any) -> Any:
        return np.array([values], dtype=np.float32)

    assert spearman(row(1, 2, 3, 4, 5), row(2, 1, 4, 3, 5)) == pytest.approx(1 - 6 * 4 / (5 * 24))
    assert spearman(row(0, 0, 1), row(0, 1, 1)) == pytest.approx(0.5), "ties share the mean of their ranks"
    a, b = drawn_map(9, 9), drawn_map(9, 9, seed=1)
    assert spearman(np.exp(a), b**3) == spearman(a, b)
    assert spearman(-a, b) == pytest.approx(-spearman(a, b))
    assert (spearman(a, 7 * a - 2), spearman(a, -a)) == pytest.approx((1, -1))
    assert math.isnan(spearman(a, np.ones_like(a)))


def test_agreement_is_spearman_pair_by_pair() -> None:
    maps = [drawn_map(5, 4, seed=seed) for seed in range(3)]
    for absolute, seen in ((False, maps), (True, [np.abs(values) for values in maps])):
        found = agreement(maps, absolute=absolute)
        expected = [[spearman(a, b) for b in seen] for a in seen]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    mirrored = [maps[0], -maps[0]]
    assert agreement(mirrored)[0, 1] == pytest.approx(-1)
    assert agreement(mirrored, absolute=True)[0, 1] == pytest.approx(1)
    assert agreement([]).shape == (0, 0)


def test_agreement_takes_the_finest_grid_up_to_56() -> None:
    coarse, fine = drawn_map(3, 4), drawn_map(6, 5, seed=1)
    grown = slow_bilinear(coarse, (6, 5)).astype(np.float32)
    assert agreement([coarse, fine])[0, 1] == pytest.approx(spearman(grown, fine))
    large = drawn_map(112, 168, seed=2)
    averaged = large.reshape(56, 2, 56, 3).mean((1, 3))
    grown = slow_bilinear(coarse, (56, 56)).astype(np.float32)
    assert agreement([large, coarse])[0, 1] == pytest.approx(spearman(averaged, grown), abs=1e-6)
    signed = np.tile(np.array([[1, -1], [-1, 1]], dtype=np.float32), (56, 56)) * np.abs(large[:, :112])
    magnitudes = agreement([signed, np.abs(signed)], absolute=True)
    np.testing.assert_allclose(magnitudes, 1, err_msg="magnitudes are averaged, not the magnitude of what cancels")


def test_maps_of_one_value_agree_with_nothing() -> None:
    found = agreement([drawn_map(30, 40), np.full((7, 7), 0.1, dtype=np.float32), drawn_map(9, 9)])
    assert np.isnan(found).tolist() == [[False, True, False], [True] * 3, [False, True, False]]
