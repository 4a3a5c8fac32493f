"""Feature maps in eight bits, in one picture, and as the class scores that they vote for."""

from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.feature_maps import class_maps, keep_maps, layer_summary, shrunk
from tests.networks import Tiny, seeded


def drawn_at_random(*shape: Any, seed: Any = 0) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_kept_maps_are_within_half_a_step() -> None:
    values = drawn_at_random(6, 9, 7) * torch.arange(1, 7)[:, None, None]
    values[2] = 4.0
    gradient = drawn_at_random(6, 9, 7, seed=1)
    stored = keep_maps(values, gradient, 100)
    spread = (stored.highest - stored.lowest)[:, None, None]
    back = stored.lowest[:, None, None] + stored.steps / 255 * spread
    assert (np.abs(back - values.numpy()) <= spread / 510 + 1e-6).all()
    np.testing.assert_allclose(stored.mean, values.mean((1, 2)), rtol=1e-5)
    slow = [sum(float(values[k, i, j] * gradient[k, i, j]) for i in range(9) for j in range(7)) for k in range(6)]
    np.testing.assert_allclose(stored.relevance, slow, rtol=1e-4)
    assert not keep_maps(values, None, 100).relevance.any()


def test_large_maps_are_averaged_over_areas() -> None:
    values = drawn_at_random(2, 8, 16)
    small = shrunk(values, 4)
    expected = torch.stack(
        [values[:, 4 * i : 4 * i + 4, 4 * j : 4 * j + 4].mean((1, 2)) for i in range(2) for j in range(4)], 1
    )
    torch.testing.assert_close(small.flatten(1), expected)
    assert shrunk(values, 16) is values


@pytest.mark.parametrize("shape", [(5, 4, 6), (1, 7, 3), (3, 1, 9)])
def test_a_layer_summary_equals_its_definition(shape: Any) -> None:
    values = drawn_at_random(*shape).double()
    away = np.zeros(shape[1:])
    for i in range(shape[1]):
        for j in range(shape[2]):
            for channel in values.numpy():
                away[i, j] += abs(channel[i, j] - channel.mean()) / shape[0]
    expected = (away - away.min()) / (away.max() - away.min())
    np.testing.assert_allclose(layer_summary(values).numpy(), expected, atol=1e-12)
    assert not layer_summary(torch.full(shape, 3.0)).any(), "nothing stands out where all is alike"


def test_class_maps_average_to_the_logits_without_the_bias() -> None:
    network = seeded(Tiny()).eval()
    x = drawn_at_random(2, 3, 16, 12)
    maps = class_maps(Tape(Subject(network, x[:1]), x))
    with torch.no_grad():
        torch.testing.assert_close(maps.mean((2, 3)), network(x) - network.fc.bias, atol=1e-5, rtol=1e-4)
