"""Sparseness and complexity against slow replicas, and in cases whose value is known."""

import math

import numpy as np
import pytest

from cnnvis_report.evaluation.complexity import entropy, gini_index
from tests.evaluation.replicas import drawn_map

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize("seed", range(3))
def test_they_equal_the_replicas(seed: int) -> None:
    values = drawn_map(5, 7, seed=seed)
    magnitudes = np.abs(values.astype(np.float64)).ravel().tolist()
    differences = sum(abs(a - b) for a in magnitudes for b in magnitudes)  # the Gini index as a mean difference
    assert gini_index(values) == pytest.approx(differences / (2 * 35**2 * np.mean(magnitudes)))
    shares = [value / sum(magnitudes) for value in magnitudes]
    assert entropy(values) == pytest.approx(-sum(share * math.log(share) for share in shares))


@pytest.mark.parametrize("scale", [1e-38, 1, 1e38])
def test_the_ends_of_their_ranges(scale: float) -> None:
    point = np.zeros((4, 5), dtype=np.float32)
    point[2, 3] = -scale
    level = np.full((4, 5), scale, dtype=np.float32)
    assert [gini_index(point), entropy(point)] == pytest.approx([1 - 1 / 20, 0])
    assert [gini_index(level), entropy(level)] == pytest.approx([0, math.log(20)], abs=1e-12)


def test_a_map_of_zeros_is_as_even_as_any_other_of_one_value() -> None:
    zeros = np.zeros((4, 5), dtype=np.float32)
    assert [gini_index(zeros), entropy(zeros)] == pytest.approx([0, math.log(20)])
