"""Region perturbation and AOPC against a replica and closed forms."""

from typing import Any

import numpy as np
import pytest
import torch

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.evaluation.region_perturbation import REPLACEMENTS, aopc, perturbation, replaced
from cnnvis_report.evaluation.resize import at_size
from tests.evaluation.replicas import Watched, drawn, linear, noise, slow_order

pytestmark = pytest.mark.numeric


def slow_regions(image: Any, size: Any) -> Any:
    """Rows and columns of every region, from the upper left, cut at the far edges."""
    height, width = image.shape[1:]
    return [
        [(y, x) for y in range(top, min(top + size, height)) for x in range(left, min(left + size, width))]
        for top in range(0, height, size)
        for left in range(0, width, size)
    ]


def slow_replaced(image: Any, replacement: Any, size: Any, seed: Any) -> Any:
    found = torch.randn(image.shape, generator=noise(seed), dtype=torch.float64)
    for channel in range(len(image)):
        for region in slow_regions(image, size):
            mean = sum(float(image[channel, y, x]) for y, x in region) / len(region)
            for y, x in region:
                mirrored = float(image[channel].max()) + float(image[channel].min()) - float(image[channel, y, x])
                if replacement != "gaussian":
                    found[channel, y, x] = {"zeros": 0.0, "mean": mean, "invert": mirrored}[replacement]
    return found


@torch.no_grad()
def slow_perturbation(image: Any, values: Any, target: Any, score: Any, size: Any, count: Any, end: Any) -> Any:
    regions = slow_regions(image, size)
    sums = np.array([sum(float(values[y, x]) for y, x in region) for region in regions])
    picture = image.clone()
    found = [float(score(picture[None].clone())[0, target])]
    for number in slow_order(sums, seed=0)[:count]:
        for y, x in regions[number]:
            picture[:, y, x] = end[:, y, x]
        found.append(float(score(picture[None].clone())[0, target]))
    return found


def regions(
    image: Any,
    maps: Any,
    targets: Any,
    score: Any,
    size: Any = 4,
    count: Any = 5,
    replacement: Any = "zeros",
    seed: Any = 0,
    capacity: Any = 16,
) -> Any:
    return perturbation(
        image,
        maps,
        targets,
        score,
        size=size,
        count=count,
        replacement=replacement,
        generator=noise(seed),
        capacity=capacity,
    )


@pytest.mark.parametrize("replacement", REPLACEMENTS)
@pytest.mark.parametrize("count", [5, 12], ids=["some", "all"])
def test_region_perturbation_equals_the_replica(image: Any, probability: Any, replacement: Any, count: Any) -> None:
    maps, targets = [drawn(13, 11, seed=2), drawn(4, 3, seed=3), torch.zeros(13, 11)], torch.tensor([1, 3, 1])
    end = slow_replaced(image, replacement, size=4, seed=6)
    torch.testing.assert_close(replaced(image, replacement, size=4, generator=noise(6)), end, rtol=1e-12, atol=1e-12)
    curves = regions(image, maps, targets, probability, count=count, replacement=replacement, seed=6)
    for j, values in enumerate(maps):
        seen = at_size(values, (13, 11)).numpy()
        expected = slow_perturbation(image, seen, int(targets[j]), probability, 4, count, end)
        np.testing.assert_allclose(curves[j].numpy(), expected, rtol=1e-9, atol=1e-12)


def test_aopc_of_one_decisive_region_has_a_closed_form() -> None:
    # 8 is lost at the first step and nothing after: (0 + 8 + 8 + 8) / 4
    image = torch.zeros(1, 4, 4, dtype=torch.float64)
    image[0, :2, 2:] = 2
    maps = [image[0], -image[0]]
    found = regions(image, maps, torch.tensor([0, 0]), linear(1), size=2, count=3)
    assert found[0].tolist() == [8, 0, 0, 0]
    assert aopc(found).tolist() == [6, 0], "and the map that puts it last gains nothing in three steps of four"


def test_random_maps_reach_the_mean() -> None:
    # a region more takes 1/9 of the score on average, so the mean over k = 0..5 of k/9 is 5/18
    image = drawn(2, 9, 9).abs()
    maps = [drawn(9, 9, seed=j) for j in range(300)]
    score = linear(1)
    found = aopc(regions(image, maps, torch.zeros(300, dtype=torch.long), score, size=3, count=5, capacity=200))
    whole = float(image.sum())
    assert float(found.mean()) == pytest.approx(whole * 5 / 18, rel=0.01)


def test_what_takes_the_place_of_regions() -> None:
    image = drawn(3, 60, 60, seed=1)
    loud = replaced(image, "gaussian", size=7, generator=noise())
    assert float(loud.mean()) == pytest.approx(0, abs=0.04)
    assert float(loud.std()) == pytest.approx(1, abs=0.03)
    assert torch.equal(loud, replaced(2 * image, "gaussian", size=9, generator=noise())), "of the generator alone"
    mirrored = replaced(image, "invert", size=7, generator=noise())
    torch.testing.assert_close(replaced(mirrored, "invert", size=7, generator=noise()), image)
    torch.testing.assert_close(mirrored.amax((1, 2)), image.amax((1, 2)))
    assert torch.equal(replaced(image, "mean", size=1, generator=noise()), image)
    whole = replaced(image, "mean", size=100, generator=noise())
    torch.testing.assert_close(whole, image.mean((1, 2), keepdim=True).expand_as(image))


@pytest.mark.parametrize("capacity", [1, 2, 5, 1000])
def test_chunks_do_not_matter_and_stay_within_the_capacity(image: Any, probability: Any, capacity: Any) -> None:
    maps, targets = [drawn(13, 11, seed=j) for j in range(3)], torch.tensor([0, 4, 4])
    before, score = image.clone(), Watched(probability)
    curves = regions(image, maps, targets, score, capacity=capacity)
    torch.testing.assert_close(curves, regions(image, maps, targets, probability), rtol=1e-9, atol=1e-12)
    assert score.images == 3 * 5 + 1
    assert score.largest <= capacity
    assert torch.equal(image, before), "what a network does to its input doesn't reach the image"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"count": 13}, BadRequest, "12 regions of 4×4 pixels, fewer than 13"),
        ({"size": 0}, BadRequest, "a side of 1 pixel or more, not 0"),
        ({"count": 0}, BadRequest, "≥ 1"),
        ({"replacement": "zeroes"}, UnknownName, "Did you mean 'zeros'"),
    ],
    ids=["too-many", "no-side", "none", "unknown-replacement"],
)
def test_regions_that_do_not_exist_are_refused(image: Any, options: Any, error: Any, message: Any) -> None:
    with pytest.raises(error, match=message):
        regions(image, [drawn(2, 2), drawn(3, 3)], torch.tensor([0, 1]), linear(1), **options)
