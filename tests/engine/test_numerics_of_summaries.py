"""Numbers of metrics, summaries and means that rounding could decide."""

from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.engine.rounding import beyond_rounding, root_mean_square
from cnnvis_report.evaluation.region_perturbation import perturbation
from cnnvis_report.evaluation.similarity import ssim
from cnnvis_report.inspection.feature_maps import layer_summary
from cnnvis_report.inspection.top_images import TopImages
from cnnvis_report.methods._superpixels import superpixels

pytestmark = pytest.mark.numeric


def test_a_root_mean_square_of_what_has_no_square() -> None:
    values = torch.tensor([[3.0, 4.0], [0.0, 0.0], [3e-30, 4e-30], [3e30, 4e30]])
    expected = torch.tensor([[12.5**0.5], [0.0], [12.5**0.5 * 1e-30], [12.5**0.5 * 1e30]])
    torch.testing.assert_close(root_mean_square(values), expected, rtol=1e-6, atol=0)


def test_superpixels_are_not_made_of_rounding() -> None:
    image = torch.full((3, 24, 24), 0.7)
    image[:, ::2, 1::3] = torch.nextafter(torch.tensor(0.7), torch.ones(()))
    pytest.importorskip("skimage")
    assert torch.equal(superpixels(image, 9), superpixels(torch.full((3, 24, 24), 0.7), 9))


def test_similarity_of_maps_that_hardly_vary() -> None:
    """Away from zero by a million times what they vary by: exact by fractions of whole numbers."""
    random = np.random.default_rng(0)
    steps = random.integers(0, 8, (2, 20, 20))
    offset = 2**23
    near = [(offset + values).astype(np.float32) for values in steps]
    largest = max(values.max() for values in near)

    def exact() -> Any:
        offsets = np.arange(11) - 5
        line = np.exp(-(offsets**2) / 4.5)
        window = np.outer(line, line) / line.sum() ** 2
        scales = [float(values.max()) for values in near]
        spread = max(values.max() / s for values, s in zip(near, scales, strict=True)) - min(
            (offset + values.min()) / s for values, s in zip(steps, scales, strict=True)
        )
        c1, c2 = (0.01 * spread) ** 2, (0.03 * spread) ** 2
        similarities = []
        for top in range(10):
            for left in range(10):
                a, b = (values[top : top + 11, left : left + 11] for values in steps)
                mean_a, mean_b = (window * a).sum(), (window * b).sum()
                s, t = scales
                covariance = (window * (a - mean_a) * (b - mean_b)).sum() / (s * t)
                variance = (window * (a - mean_a) ** 2).sum() / s**2 + (window * (b - mean_b) ** 2).sum() / t**2
                m, n = (offset + mean_a) / s, (offset + mean_b) / t
                similarities.append((2 * m * n + c1) * (2 * covariance + c2) / ((m * m + n * n + c1) * (variance + c2)))
        return np.mean(similarities)

    assert largest == offset + 7
    assert ssim(*near) == pytest.approx(exact(), abs=1e-5)


def test_regions_of_the_same_values_are_equal_whatever_their_order() -> None:
    """Sums in another order round otherwise, and would rank what is equal."""
    values = torch.rand(16, generator=torch.Generator().manual_seed(9)) * 10
    shuffled = [values[torch.randperm(16, generator=torch.Generator().manual_seed(k))] for k in range(4)]
    blocks = [values.view(4, 4) for values in shuffled]
    whole = torch.cat([torch.cat(blocks[:2], 1), torch.cat(blocks[2:], 1)])
    image, flat = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(2)), torch.full((8, 8), 1.0)

    def curve(shown: Any) -> Any:
        return perturbation(
            image,
            [shown],
            torch.tensor([0]),
            lambda x: x.flatten(1)[:, :5].cumsum(1) + x.sum((1, 2, 3))[:, None],
            size=4,
            count=4,
            replacement="zeros",
            generator=torch.Generator().manual_seed(0),
            capacity=4,
        )

    assert torch.equal(curve(whole), curve(flat)), "the drawn order of equals decides for both"


def test_a_layer_that_varies_by_rounding_has_an_empty_summary() -> None:
    values = torch.full((3, 6, 6), 0.3)
    values[1, 2, 2] = torch.nextafter(values[1, 2, 2], torch.ones(()))
    assert not layer_summary(values).any()
    values[1, 2, 2] = 0.4
    summary = layer_summary(values)
    assert float(summary.max()) == pytest.approx(1) and float(summary.min()) == 0


def test_the_mean_excitement_of_many_images_is_exact() -> None:
    tops = TopImages(["l"], n=1)
    for _ in range(400):
        tops.add("l", torch.full((250, 1, 1, 1), 0.1), [0] * 250)
    assert float(tops.excitement("l")[0]) == pytest.approx(float(torch.tensor(0.1)), rel=1e-7)


def test_what_is_beyond_rounding() -> None:
    one = torch.ones(4)
    difference = torch.tensor([0.0, 1e-7, -1e-5, 1.0])
    assert beyond_rounding(difference, one).tolist() == [False, False, True, True]
    assert beyond_rounding(difference.double(), one.double()).tolist() == [False, True, True, True]
