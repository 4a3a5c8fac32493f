"""Which class the random logit test explains, and how alike maps are called."""

from collections import Counter

import numpy as np
import pytest

from cnnvis_report.evaluation.similarity import SIMILARITIES, map_similarities, ssim
from cnnvis_report.evidence.ranks import spearman
from cnnvis_report.pipeline.stages.random_logit import other_class
from tests.evaluation.replicas import drawn_map, noise

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize("target", [0, 2, 4])
def test_every_other_class_comes_as_often(target: int) -> None:
    generator = noise()
    drawn = Counter(other_class(target, 5, generator) for _ in range(4000))
    assert set(drawn) == set(range(5)) - {target}
    assert all(abs(count - 1000) < 130 for count in drawn.values()), drawn
    assert other_class(0, 2, generator) == 1 and other_class(1, 2, generator) == 0


def test_maps_are_compared_in_three_ways() -> None:
    a, b = drawn_map(56, 56), drawn_map(56, 56, seed=1)
    found = map_similarities(a, b)
    assert found == {
        "spearman": spearman(a, b),
        "absolute": spearman(np.abs(a), np.abs(b)),
        "ssim": ssim(np.abs(a), np.abs(b)),
    }
    assert list(SIMILARITIES) == list(found)
    assert map_similarities(a, -a) == pytest.approx({"spearman": -1, "absolute": 1, "ssim": 1})
    assert map_similarities(drawn_map(3, 4), drawn_map(3, 4)) == pytest.approx(dict.fromkeys(SIMILARITIES, 1.0))


def test_a_map_of_one_value_is_like_nothing() -> None:
    assert map_similarities(drawn_map(8, 8), np.ones((8, 8), dtype=np.float32)) is None
