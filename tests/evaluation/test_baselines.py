"""What takes the place of pixels: a blurred image, a mean color and black."""

import math

import pytest
import torch
from torch import Tensor

from cnnvis_report.errors import UnknownName
from cnnvis_report.evaluation.baselines import BASELINES, baseline, blurred

pytestmark = pytest.mark.numeric


@pytest.mark.parametrize(
    ("sides", "sigma", "reach"),
    [((7, 9), 1.3, (4, 4)), ((9, 3), 1.3, (4, 2)), ((7, 6), 5.0, (6, 5))],
    ids=["three-sigma", "narrow", "cut-at-both-sides"],
)
def test_blur_equals_the_replica_and_is_cut_at_the_side(
    image: Tensor, sides: tuple[int, int], sigma: float, reach: tuple[int, int]
) -> None:
    picture = image[:, : sides[0], : sides[1]]
    height, width = picture.shape[1:]
    expected = torch.zeros_like(picture)
    for y in range(height):
        for x in range(width):
            total = 0.0
            for dy in range(-reach[0], reach[0] + 1):
                for dx in range(-reach[1], reach[1] + 1):
                    v, u = abs(y + dy), abs(x + dx)
                    v, u = min(v, 2 * (height - 1) - v), min(u, 2 * (width - 1) - u)
                    weight = math.exp(-(dy * dy + dx * dx) / (2 * sigma**2))
                    total += weight
                    expected[:, y, x] += weight * picture[:, v, u]
            expected[:, y, x] /= total
    torch.testing.assert_close(blurred(picture, sigma), expected, rtol=1e-6, atol=1e-6)


def test_mean_color_and_black_are_of_one_color(image: Tensor) -> None:
    black = torch.tensor([-2.0, -1.5, -1.0], dtype=torch.float64).view(3, 1, 1)
    mean = baseline(image, "mean", black)
    for channel in range(3):
        assert mean[channel].flatten().tolist() == pytest.approx([float(image[channel].mean())] * 143)
        assert baseline(image, "black", black)[channel].unique().tolist() == [float(black[channel])]
    assert torch.equal(baseline(image, "blur", black), blurred(image))


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 2, 1), (3, 1, 9)], ids=str)
def test_every_baseline_exists_for_tiny_pictures(name: str, shape: tuple[int, int, int]) -> None:
    picture = baseline(torch.rand(shape), name, torch.zeros(shape[0], 1, 1))
    assert picture.shape == shape and bool(picture.isfinite().all())


def test_an_unknown_baseline_is_refused(image: Tensor) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'blur'"):
        baseline(image, "blurr", torch.zeros(3, 1, 1))
