"""ROAD and its imputation: against the linear system solved directly, Quantus where it is installed, and bad input."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from cnnvis_report.evaluation.metric import MapsOfImage
from cnnvis_report.evaluation.road import PERCENTAGES, impute, neighbors, road
from tests.evaluation.replicas import drawn, drawn_map, noise, slow_order
from tests.evaluation.test_insertion_deletion import MEANINGS, Logits, given

pytestmark = pytest.mark.numeric


def directly(image: Tensor, removed: Tensor) -> Tensor:
    """The definition, pixel by pixel: every removed one is the weighted mean of the neighbors that there are."""
    places = [tuple(place) for place in removed.nonzero().tolist()]
    number = {place: index for index, place in enumerate(places)}
    matrix = torch.zeros(len(places), len(places), dtype=torch.float64)
    right = torch.zeros(len(places), len(image), dtype=torch.float64)
    for (y, x), row in number.items():
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                v, u = y + dy, x + dx
                if (dy, dx) == (0, 0) or not (0 <= v < image.shape[1] and 0 <= u < image.shape[2]):
                    continue
                weight = 1 / 12 if dy and dx else 1 / 6
                matrix[row, row] += weight
                if (v, u) in number:
                    matrix[row, number[v, u]] -= weight
                else:
                    right[row] += weight * image[:, v, u]
    filled = image.clone()
    for place, colors in zip(places, torch.linalg.solve(matrix, right), strict=True):
        filled[:, place[0], place[1]] = colors
    return filled


def holes(shape: tuple[int, int]) -> dict[str, Tensor]:
    height, width = shape
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    corner = (rows == 0) & (columns == 0)
    return {
        "one-pixel": (rows == height // 2) & (columns == width // 2),
        "disc": (rows - height / 2) ** 2 + (columns - width / 2) ** 2 < (min(shape) / 3) ** 2,
        "half": columns < width / 2,
        "all-but-a-corner": ~corner,
        "scattered": (torch.rand(shape, generator=noise()) < 0.9) & ~corner,
        "nothing": torch.zeros(shape, dtype=torch.bool),
    }


@pytest.mark.parametrize("hole", holes((5, 5)))
@pytest.mark.parametrize("shape", [(21, 34), (16, 16), (3, 3), (1, 9)], ids=str)
def test_imputation_solves_the_linear_system(shape: tuple[int, int], hole: str) -> None:
    image, removed = drawn(2, *shape), holes(shape)[hole]
    solved = impute(image, removed[None], tolerance=1e-9)[0]
    torch.testing.assert_close(solved, directly(image, removed), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(impute(image.float(), removed[None])[0], solved.float(), rtol=1e-3, atol=1e-3)


def test_a_plane_is_continued_and_what_is_known_stays() -> None:
    plane = (torch.arange(30.0)[:, None] + 2 * torch.arange(20.0)).double()[None]
    removed = holes((30, 20))["disc"]
    torch.testing.assert_close(impute(plane, removed[None], tolerance=1e-9)[0], plane, rtol=1e-6, atol=1e-6)
    noisy = impute(plane, removed[None], torch.ones_like(plane), tolerance=1e-9)[0]
    torch.testing.assert_close(noisy, plane + removed, rtol=1e-6, atol=1e-6)


def test_without_any_pixel_left_the_mean_color_remains(image: Tensor) -> None:
    filled = impute(image, torch.ones(1, 13, 11, dtype=torch.bool))[0]
    torch.testing.assert_close(filled, image.mean((1, 2), keepdim=True).expand_as(image))


def test_images_of_a_batch_do_not_matter_to_each_other(image: Tensor) -> None:
    masks = torch.stack(list(holes((13, 11)).values()))
    together = impute(image, masks)
    for mask, filled in zip(masks, together, strict=True):
        torch.testing.assert_close(impute(image, mask[None])[0], filled, rtol=1e-4, atol=1e-4)


def test_the_weights_of_all_neighbors_sum_to_one() -> None:
    assert float(neighbors(torch.ones(1, 3, 3, dtype=torch.float64))[0, 1, 1]) == pytest.approx(1)


def test_the_value_is_the_mean_over_percentages(image: Tensor) -> None:
    maps = given(image, drawn_map(13, 11), drawn_map(4, 3, seed=1))
    scores = road(maps)
    order = slow_order(maps.maps[0], seed=0)
    expected = []
    for percentage in PERCENTAGES:
        removed = torch.zeros(143, dtype=torch.bool)
        removed[order[: 143 * percentage // 100]] = True
        filled = directly(image, removed.view(13, 11))
        added = 0.01 * torch.randn(image.shape, generator=noise(), dtype=image.dtype) * removed.view(13, 11)
        expected.append(float(Logits()((filled + added)[None]).softmax(1)[0, 3]))
    assert scores is not None and scores.curves is not None
    assert list(scores.curves[0] or []) == pytest.approx(expected, abs=1e-4)
    assert scores.values[0] == pytest.approx(sum(expected) / len(expected), abs=1e-4)


def test_it_equals_quantus_on_a_gray_image() -> None:
    functions = pytest.importorskip("quantus.functions.perturb_func")
    image, values = drawn(1, 28, 26), drawn_map(28, 26)
    order = np.array(slow_order(values, seed=0))
    for percentage in PERCENTAGES:
        indices = order[: 28 * 26 * percentage // 100]
        other = functions.noisy_linear_imputation(image.numpy(), indices.copy(), noise=0.0)
        removed = torch.zeros(28 * 26, dtype=torch.bool)
        removed[indices] = True
        np.testing.assert_allclose(impute(image, removed.view(1, 28, 26))[0], other, atol=1e-4)


@pytest.mark.parametrize("meaning", MEANINGS)
def test_other_outputs_have_numbers_and_a_constant_map_has_none(meaning: str) -> None:
    maps: MapsOfImage = given(drawn(1, 3, 3), np.zeros((3, 3), np.float32), drawn_map(3, 3), meaning=MEANINGS[meaning])
    scores = road(replace(maps, capacity=2))
    assert scores is not None
    constant, value = scores.values
    assert constant is None and value is not None and math.isfinite(value)
