"""Measures against those of Quantus 0.6, where it defines the same; docs/metrics.md says where it doesn't."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from cnnvis_report.evaluation.baselines import baseline
from cnnvis_report.evaluation.complexity import entropy, gini_index
from cnnvis_report.evaluation.infidelity import infidelities
from cnnvis_report.evaluation.localization import peak_share, relevance_mass, relevance_rank
from cnnvis_report.evaluation.max_sensitivity import DRAWS, max_sensitivity, perturbed
from cnnvis_report.evaluation.perturbation_curves import Path, Refinement, follow
from cnnvis_report.evaluation.pixel_order import pixel_orders
from cnnvis_report.evaluation.region_perturbation import aopc, perturbation
from cnnvis_report.evaluation.similarity import map_similarities
from cnnvis_report.records.methods import Array
from tests.evaluation.replicas import drawn, drawn_map, noise
from tests.networks import Tiny, seeded

quantus = pytest.importorskip("quantus", reason="compares with Quantus, where that is installed")

pytestmark = [pytest.mark.numeric, pytest.mark.filterwarnings("ignore")]

SIDE, TARGET = 56, 2
QUIET = {"disable_warnings": True, "display_progressbar": False}
RAW = {**QUIET, "normalise": False, "abs": False}
Explain = Callable[..., npt.NDArray[np.float32]]


@pytest.fixture(scope="module")
def network() -> nn.Module:
    return seeded(Tiny(5)).eval()


@pytest.fixture(scope="module")
def image() -> Tensor:
    values: Tensor = drawn(3, SIDE, SIDE).float()
    return values


@pytest.fixture(scope="module")
def mask() -> npt.NDArray[np.bool_]:
    area = np.zeros((SIDE, SIDE), dtype=bool)
    area[10:40, 20:50] = True
    return area


def explained(network: nn.Module, inputs: Tensor, target: int) -> Array:
    """The gradient times the input, summed over channels."""
    inputs = inputs[None].clone().requires_grad_()
    (gradient,) = torch.autograd.grad(network(inputs)[0, target], inputs)
    return np.asarray((gradient * inputs).sum(1)[0].detach().numpy(), dtype=np.float32)


def scored(metric: Any, network: nn.Module, image: Tensor, values: Array, **more: Any) -> float:
    """What Quantus gives for one map of one image."""
    batches = {"x_batch": image[None].numpy(), "a_batch": values[None, None].copy(), "y_batch": np.array([TARGET])}
    return float(metric(model=network, channel_first=True, device="cpu", **batches, **more)[0])


class Recorded(nn.Module):
    """A network that keeps what it is given."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.given = network, list[Tensor]()

    def forward(self, inputs: Tensor) -> Tensor:
        self.given += list(inputs.detach().clone())
        scores: Tensor = self.network(inputs)
        return scores


def test_infidelity_on_the_perturbations_that_quantus_makes(network: nn.Module, image: Tensor) -> None:
    recorded, values = Recorded(network).eval(), explained(network, image, TARGET)
    metric = quantus.Infidelity(perturb_patch_sizes=[14], n_perturb_samples=1, perturb_baseline="black", **RAW)
    expected = scored(metric, recorded, image, values)
    whole, *changed = recorded.given
    differences = torch.stack([(whole - other).sum(0) for other in changed]).double()
    with torch.no_grad():
        scores = network(torch.stack(recorded.given))[:, TARGET].double()
    sums = torch.from_numpy(values).double().flatten()[None] @ differences.flatten(1).T
    assert len(changed) == 16 and float(infidelities(sums, scores[0] - scores[1:])[0]) == pytest.approx(
        expected, rel=1e-4
    )


@pytest.mark.parametrize("seed", range(3))
def test_sparseness_and_complexity(seed: int, network: nn.Module, image: Tensor) -> None:
    values = drawn_map(SIDE, SIDE, seed=seed)
    magnitudes = {**QUIET, "normalise": False, "abs": True}
    assert gini_index(values) == pytest.approx(
        scored(quantus.Sparseness(**magnitudes), network, image, values), abs=1e-4
    )
    assert entropy(values) == pytest.approx(scored(quantus.Complexity(**magnitudes), network, image, values), abs=1e-4)


def test_max_sensitivity_on_the_same_perturbations(network: nn.Module, image: Tensor) -> None:
    near = list(perturbed(image, torch.ones(3, 1, 1), noise()))
    waiting = iter(near)

    def next_one(arr: npt.NDArray[np.float32], **_: object) -> npt.NDArray[np.float32]:
        changed: npt.NDArray[np.float32] = next(waiting).numpy().reshape(arr.shape)
        return changed

    def explain(model: nn.Module, inputs: Any, targets: Any, **_: object) -> npt.NDArray[np.float32]:
        pairs = zip(torch.as_tensor(inputs), targets, strict=True)
        return np.stack(
            [explained(network, values.reshape(image.shape), int(target))[None] for values, target in pairs]
        )

    metric = quantus.MaxSensitivity(nr_samples=DRAWS, perturb_func=next_one, **RAW)
    values = explained(network, image, TARGET)
    expected = scored(metric, network, image, values, explain_func=explain)
    found = max_sensitivity(values, [explained(network, other, TARGET) for other in near])
    assert found == pytest.approx(expected, abs=1e-4) and expected > 0


def test_random_logit_with_the_same_other_class(network: nn.Module, image: Tensor) -> None:
    others = []

    def explain(model: nn.Module, inputs: Any, targets: Any, **_: object) -> npt.NDArray[np.float32]:
        others.append(int(targets[0]))
        return explained(network, torch.as_tensor(inputs)[0].reshape(image.shape), others[-1])[None, None]

    metric = quantus.RandomLogit(num_classes=5, similarity_func=quantus.similarity_func.correlation_spearman, **RAW)
    values = explained(network, image, TARGET)
    expected = scored(metric, network, image, values, explain_func=explain)
    found = map_similarities(values, explained(network, image, others[-1]))
    assert others[-1] != TARGET and found is not None and found["spearman"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_localization(seed: int, network: nn.Module, image: Tensor, mask: npt.NDArray[np.bool_]) -> None:
    values = np.abs(drawn_map(SIDE, SIDE, seed=seed))  # the mass of Quantus lets negative values cancel positive ones
    masks = {"s_batch": mask[None, None]}
    for metric, found in (
        (quantus.PointingGame(**RAW), peak_share(values, mask)),
        (quantus.RelevanceMassAccuracy(**RAW), relevance_mass(values, mask)),
        (quantus.RelevanceRankAccuracy(**RAW), relevance_rank(values, mask)),
    ):
        assert found == pytest.approx(scored(metric, network, image, values, **masks), abs=1e-4), type(metric).__name__


def probabilities(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """[M, 1]: the probability of the target."""

    @torch.no_grad()
    def read(images: Tensor) -> Tensor:
        scores: Tensor = network(images)
        return scores.softmax(1)[:, TARGET, None]

    return read


@pytest.mark.parametrize("name", ["mean", "black"])
def test_pixel_flipping_is_the_deletion_curve_of_a_gray_image(name: str) -> None:
    """After each single pixel; of colors it replaces the channels of a pixel one after the other."""
    network, image = seeded(Tiny(5, 1)).eval(), drawn(1, 28, 28).float()
    values = drawn_map(28, 28)
    picture = baseline(image, name, torch.full((1, 1, 1), -2.0))
    metric = quantus.PixelFlipping(features_in_step=1, perturb_baseline=float(picture[0, 0, 0]), **RAW)
    batches = {"x_batch": image[None].numpy(), "a_batch": values[None, None].copy(), "y_batch": np.array([TARGET])}
    flipped = np.array(metric(model=network, channel_first=True, device="cpu", softmax=True, **batches)[0])
    orders, _ = pixel_orders([torch.from_numpy(values)], (28, 28), seed=0)
    refinement = Refinement(steps=32, tolerance=0.001, finest=784, flat=(0.0,))
    ((curve,),) = follow([Path(image, picture)], orders, probabilities(network), refinement, capacity=64)
    places = curve.changed[1:].astype(int)
    assert len(places) >= 32 and np.ptp(flipped) > 0.001
    np.testing.assert_allclose(curve.scores[1:, 0], flipped[places - 1], atol=1e-6)
    whole = np.concatenate([curve.scores[:1, 0], flipped])  # it leaves out the image itself
    assert float(curve.area[0]) == pytest.approx(float(torch.trapezoid(torch.as_tensor(whole))) / 784, abs=1e-4)


def test_region_perturbation_is_the_drop_of_the_logit(network: nn.Module, image: Tensor) -> None:
    values, count, size = drawn_map(SIDE, SIDE), 12, 4
    metric = quantus.RegionPerturbation(
        patch_size=size, order="morf", regions_evaluation=count, perturb_baseline=0.0, **RAW
    )
    batches = {"x_batch": image[None].numpy(), "a_batch": values[None, None].copy(), "y_batch": np.array([TARGET])}
    drops = np.array(metric(model=network, channel_first=True, device="cpu", softmax=False, **batches)[0])

    @torch.no_grad()
    def logits(images: Tensor) -> Tensor:
        scores: Tensor = network(images)
        return scores

    maps = [torch.from_numpy(values)]
    curves = perturbation(
        image,
        maps,
        torch.tensor([TARGET]),
        logits,
        size=size,
        count=count,
        replacement="zeros",
        generator=noise(),
        capacity=8,
    )
    np.testing.assert_allclose((curves[0, 0] - curves[0, 1:]).numpy(), drops, atol=1e-6)
    assert float(aopc(curves)[0]) == pytest.approx(drops.sum() / (count + 1), abs=1e-6) and np.ptp(drops) > 0.001
