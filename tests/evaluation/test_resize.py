"""Maps at another size, position by position."""

from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.evaluation.resize import at_size, on_grid
from tests.evaluation.replicas import drawn, noise, slow_bilinear

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize("size", [(13, 11), (3, 7), (4, 2)])
def test_maps_are_resized_as_by_hand(size: Any) -> None:
    values = drawn(3, 4)
    np.testing.assert_allclose(at_size(values, size).numpy(), slow_bilinear(values, size), rtol=1e-12, atol=1e-12)


def test_a_grid_averages_along_longer_sides_and_interpolates_along_shorter_ones() -> None:
    values = drawn(9, 4)
    rows = [(0, 3), (2, 5), (4, 7), (6, 9)]  # from floor(i·9/4) to ceil((i+1)·9/4)
    averaged = np.array([values[a:b].mean(0).tolist() for a, b in rows])
    np.testing.assert_allclose(on_grid(values, (4, 6)).numpy(), slow_bilinear(averaged, (4, 6)), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("resized", [at_size, on_grid])
def test_a_plateau_stays_flat_whatever_its_value(resized: Any) -> None:
    for value in torch.rand(20, generator=noise()):
        assert resized(value.expand(3, 90), (37, 41)).unique().tolist() == [value]
