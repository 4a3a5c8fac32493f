"""LIME and Kernel SHAP against least squares and enumeration."""

import itertools
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis_report.errors import BadRequest, NotApplicable
from cnnvis_report.methods import kernel_shap
from cnnvis_report.methods._superpixels import superpixels
from cnnvis_report.methods.kernel_shap import _coalitions, _shapley
from cnnvis_report.methods.lime import _proximity, _ridge
from tests.methods.maps import noted, only, scores
from tests.networks import SumOfSquares

pytestmark = pytest.mark.numeric


def kept_pixels(image: Any, labels: Any, coalition: Any) -> Any:
    seen = torch.zeros_like(image)
    for segment in coalition:
        seen[:, labels == segment] = image[:, labels == segment]
    return seen


def test_lime_equals_its_definition_with_the_same_samples(network: Any, pictures: Any) -> None:
    targets = torch.tensor([[1, 2], [4, 0]])
    maps, notes, account = noted(network, pictures, targets, "lime", segments=12, samples=40, seed=5, capacity=9)
    for i, image in enumerate(pictures):
        labels = superpixels(image, 12)
        count = len(labels.unique())
        assert int(notes["segments"][i]) == count > 5
        coalitions = torch.rand(40, count, generator=torch.Generator().manual_seed(5)) < 0.5
        coalitions[0] = True
        seen = torch.stack([kept_pixels(image, labels, row.nonzero().flatten().tolist()) for row in coalitions])
        sample_scores = scores(network, seen)
        weights = np.array(
            [math.exp(-(((1 - math.sqrt(float(row.double().mean()))) / 0.25) ** 2)) for row in coalitions]
        )
        for k, target in enumerate(targets[i]):
            # as least squares: an unweighted row sqrt(ridge) for each coefficient but the intercept
            design = np.concatenate([np.ones((40, 1)), coalitions.numpy()], 1) * np.sqrt(weights)[:, None]
            ridge = np.concatenate([np.zeros((count, 1)), np.eye(count)], 1)
            y = sample_scores[:, target].numpy()
            solved, *_ = np.linalg.lstsq(
                np.concatenate([design, ridge]), np.concatenate([y * np.sqrt(weights), np.zeros(count)]), rcond=None
            )
            np.testing.assert_allclose(maps[i, k].numpy(), solved[1:][labels.numpy()], rtol=1e-7, atol=1e-9)
            predicted = solved[0] + coalitions.numpy() @ solved[1:]
            mean = np.average(y, weights=weights)
            r2 = 1 - (weights * (y - predicted) ** 2).sum() / (weights * (y - mean) ** 2).sum()
            assert float(notes["surrogate_r2"][i, k]) == pytest.approx(r2)
    assert account.forward == pytest.approx(40)


def shapley_slowly(value: Any, count: Any) -> Any:
    """The mean over all orders of what each player adds."""
    totals = np.zeros(count)
    for players in range(count):
        rest = [other for other in range(count) if other != players]
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            for coalition in itertools.combinations(rest, size):
                totals[players] += weight * (value(tuple(sorted((*coalition, players)))) - value(coalition))
    return totals


def test_kernel_shap_of_few_superpixels_is_exact(network: Any, pictures: Any) -> None:
    image = pictures[:1, :, :12, :12].contiguous()
    targets = torch.tensor([[1, 2]])
    maps, notes, _ = noted(network, image, targets, "kernel_shap", segments=4, samples=500)
    labels = superpixels(image[0], 4)
    count = len(labels.unique())
    assert 3 <= count <= 8
    for k, target in enumerate(targets[0]):

        def value(coalition: Any, target: Any = target) -> Any:
            return float(scores(network, kept_pixels(image[0], labels, coalition)[None])[0, target])

        expected = shapley_slowly(value, count)
        np.testing.assert_allclose(maps[0, k].numpy(), expected[labels.numpy()], rtol=1e-9, atol=1e-10)
    assert 0 < float(notes["surrogate_r2"].min()) <= float(notes["surrogate_r2"].max()) <= 1
    assert bool((notes["standard_error"] == 0).all()), "all coalitions are taken"


def test_coalitions_are_drawn_by_the_kernel_and_in_pairs() -> None:
    sizes = torch.arange(1.0, 6)
    drawn = kernel_shap._drawn((1 / (sizes * (6 - sizes))).double(), 20000, 3)
    assert torch.equal(drawn[::2], ~drawn[1::2])
    actual = torch.bincount(drawn.sum(1), minlength=7)[1:6] / 20000
    expected = np.array([6 / (math.comb(6, s) * s * (6 - s)) * math.comb(6, s) for s in range(1, 6)])
    np.testing.assert_allclose(actual.numpy(), expected / expected.sum(), atol=0.015)
    torch.testing.assert_close(drawn.double().mean(0), torch.full((6,), 0.5, dtype=torch.float64), atol=0, rtol=0)
    threes = drawn[drawn.sum(1) == 3].double()
    torch.testing.assert_close(threes.mean(0), torch.full((6,), 0.5, dtype=torch.float64), atol=0.03, rtol=0)


def test_kernel_shap_adds_up_and_comes_close_when_it_samples(network: Any, pictures: Any) -> None:
    targets = torch.tensor([[1, 2], [4, 0]])
    names = {"segments": 12, "seed": 1, "capacity": 16}
    maps, notes, account = noted(network, pictures, targets, "kernel_shap", samples=64, **names)
    whole = (scores(network, pictures) - scores(network, torch.zeros_like(pictures))).gather(1, targets)
    for i, image in enumerate(pictures):
        labels = superpixels(image, 12)
        firsts = [(labels == segment).nonzero()[0] for segment in labels.unique()]
        total = sum(maps[i, :, row, column] for row, column in firsts)
        torch.testing.assert_close(total, whole[i], rtol=1e-9, atol=1e-10)
    assert account.forward == pytest.approx(66) and tuple(notes["surrogate_r2"].shape) == (2, 2)
    exact, _, _ = noted(network, pictures, targets, "kernel_shap", samples=10**5, **(names | {"segments": 6}))
    drawn, _, _ = noted(network, pictures, targets, "kernel_shap", samples=60, **(names | {"segments": 6}))
    assert not torch.equal(exact, drawn)
    assert float((exact - drawn).norm() / exact.norm()) < 0.4


def test_an_additive_score_gives_each_superpixel_its_own_part(pictures: Any) -> None:
    head = nn.Linear(3 * 18 * 24, 2)
    linear = nn.Sequential(nn.Flatten(), head).double()
    parts = (head.weight.detach()[1].view(3, 18, 24) * pictures[0]).sum(0)
    labels = superpixels(pictures[0], 12)
    expected = torch.stack([parts[labels == segment].sum() for segment in labels.unique()])[labels]
    shap, notes, _ = noted(linear, pictures[:1], torch.tensor([[1]]), "kernel_shap", segments=12, samples=60)
    torch.testing.assert_close(shap[0, 0], expected, rtol=1e-9, atol=1e-10)
    assert float(notes["surrogate_r2"]) == pytest.approx(1) and float(notes["standard_error"]) < 1e-6
    actual, notes, _ = noted(linear, pictures[:1], torch.tensor([[1]]), "lime", segments=12, samples=2000)
    torch.testing.assert_close(actual[0, 0], expected, rtol=0.1, atol=0.02)  # the ridge holds it back a little
    assert float(notes["surrogate_r2"]) > 0.99


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
def test_surrogates_of_an_image_without_borders_have_one_superpixel(name: Any) -> None:
    flat = torch.ones(1, 3, 4, 4, dtype=torch.float64)
    maps = only(SumOfSquares(), flat, [0], name, segments=1, samples=4)
    assert float(maps.amax()) == float(maps.amin()) and (name == "lime" or float(maps.amax()) == pytest.approx(48))


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
@pytest.mark.parametrize("option", ["samples", "segments"])
def test_surrogates_refuse_numbers_that_are_too_small(name: str, option: str, images: torch.Tensor) -> None:
    with pytest.raises(BadRequest, match=rf"of {name} is 0; it takes a number from [12] to"):
        only(SumOfSquares(), images, [0, 0, 0], name, **{option: 0})


@pytest.mark.parametrize("name", ["lime", "kernel_shap"])
def test_surrogates_need_superpixels(name: str, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage.segmentation", None)
    with pytest.raises(NotApplicable, match=r"pip install 'cnnvis-report\[lime\]'"):
        only(SumOfSquares(), images, [0, 0, 0], name)


def _interacting(coalitions: torch.Tensor) -> torch.Tensor:
    """[M, 1]: a score in which twelve superpixels act by themselves and by threes; pairs alone would be exact."""
    generator = torch.Generator().manual_seed(3)
    own, threes = (torch.randn(12, columns, generator=generator, dtype=torch.float64) for columns in (1, 8))
    return coalitions.double() @ own + (coalitions.double() @ threes).pow(3).mean(1, keepdim=True) / 10


def _shap(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    coalitions, weights = _coalitions(12, 64, seed)
    return _shapley(coalitions.double(), _interacting(coalitions), weights)[:2]


def _lime(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    design = (torch.rand(64, 12, generator=torch.Generator().manual_seed(seed)) < 0.5).double()
    return _ridge(design, _interacting(design), _proximity(design))[:2]


@pytest.mark.parametrize("fit", [_shap, _lime], ids=["kernel_shap", "lime"])
def test_the_variance_of_values_is_that_over_seeds(fit: Callable[[int], tuple[torch.Tensor, torch.Tensor]]) -> None:
    values, variances = (torch.stack(parts) for parts in zip(*map(fit, range(200)), strict=True))
    assert float((variances.mean() / values.var(0).mean()).sqrt()) == pytest.approx(1, rel=0.12)


def test_a_fit_that_goes_through_all_samples_does_not_tell_its_error() -> None:
    coalitions, weights = _coalitions(30, 40, 0)  # twenty pairs for thirty superpixels
    scores = torch.randn(len(coalitions), 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    _, variances, _ = _shapley(coalitions.double(), scores, weights)
    assert bool(variances.isnan().all())
