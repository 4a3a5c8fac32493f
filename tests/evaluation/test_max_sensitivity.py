"""Max-sensitivity against a slow replica, and perturbations within their radius."""

import math

import numpy as np
import pytest
import torch

from cnnvis_report.evaluation.max_sensitivity import DRAWS, RADIUS, max_sensitivity, perturbed
from tests.evaluation.replicas import drawn, drawn_map, noise

pytestmark = pytest.mark.numeric


def test_it_equals_the_replica() -> None:
    values, others = drawn_map(4, 5), [drawn_map(4, 5, seed=seed) for seed in (1, 2, 3)]
    size = math.sqrt(sum(float(value) ** 2 for value in values.flat))
    distances = [
        math.sqrt(sum((float(a) - float(b)) ** 2 for a, b in zip(other.flat, values.flat, strict=True)))
        for other in others
    ]
    assert max_sensitivity(values, others) == pytest.approx(max(distances) / size)


def test_maps_of_zeros() -> None:
    zeros, values = np.zeros((4, 5), dtype=np.float32), drawn_map(4, 5)
    assert max_sensitivity(zeros, [zeros, zeros]) == 0
    assert max_sensitivity(zeros, [zeros, values]) is None
    assert max_sensitivity(values, [zeros]) == 1
    assert max_sensitivity(values, [values]) == 0


def test_perturbations_fill_their_radius() -> None:
    image, span = drawn(3, 30, 40), torch.tensor([1.0, 4.0, 0.5]).view(3, 1, 1).double()
    images = perturbed(image, span, noise())
    assert images.shape == (DRAWS, 3, 30, 40)
    shares = (images - image) / span
    assert float(shares.abs().max()) == pytest.approx(RADIUS, rel=0.01) and float(shares.abs().max()) <= RADIUS
    assert float(shares.mean()) == pytest.approx(0, abs=0.001)
    assert torch.equal(images, perturbed(image, span, noise())), "the same source gives the same draws"
