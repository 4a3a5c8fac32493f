"""Numbers that rounding could decide: canceled sums, constant channels, saturated units, very small and large values.

What single precision gives is compared with double, or with what is known; bounds hold on every processor.
"""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.engine.rules.lrp_rules import ZBox
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.methods.full_grad import _seen
from cnnvis_report.methods.score_cam import _masks, _ramp
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric


PRECISIONS = pytest.mark.parametrize("precision", [torch.float32, torch.float64])


class Added(nn.Module):
    """The maps as the result of a layer of their own."""

    def __init__(self, maps: Any) -> None:
        super().__init__()
        self.maps = nn.Parameter(maps)

    def forward(self, x: Any) -> Any:
        return x.sum(1, keepdim=True) * 0 + self.maps


def network_of(maps: Any, weights: Any, precision: Any) -> Any:
    """A layer that gives the maps [K, h, w], and scores that weigh their values by [classes, K, h, w]."""
    head = nn.Linear(maps.numel(), len(weights))
    head.weight.data, head.bias.data = weights.flatten(1).clone(), torch.zeros(len(weights))
    return nn.Sequential(Added(maps), nn.Identity(), nn.Flatten(), head).to(precision)


def map_of(name: Any, maps: Any, weights: Any, precision: Any, target: Any = 0, **options: Any) -> Any:
    network = network_of(maps, weights, precision)
    image = torch.rand(1, 3, *maps.shape[1:], dtype=precision, generator=torch.Generator().manual_seed(0))
    return explain(network, image, [target], [name], layer="0", **options)[name][0].double()


@PRECISIONS
def test_a_channel_that_cancels_has_no_weight_in_xgrad_cam(precision: Any) -> None:
    """0.1 + 0.2 - 0.3 is 0, and no binary number says so."""
    maps = torch.tensor([[[0.1, 0.2, -0.3, 0.0]], [[1.0, 2.0, 0.0, 1.0]]], dtype=precision)
    weights = torch.tensor([[[1.0, 5.0, 2.0, 0.5]], [[1.0, 1.0, 1.0, 1.0]]])[None]
    actual = map_of("xgrad_cam", maps, weights, precision)
    torch.testing.assert_close(actual, maps[1].double())


@PRECISIONS
def test_a_pole_of_grad_cam_plus_plus_is_left_out(precision: Any) -> None:
    """2 + g (sum of A) is 0 with g = 1/0.3 and a sum of -0.6: its inverse would be a number without a digit."""
    maps = torch.tensor([[[-0.1, -0.2, -0.3, 0.0]], [[1.0, 2.0, 0.0, 1.0]]], dtype=precision)
    weights = torch.tensor([[[1 / 0.3, 0.0, 0.0, 0.0]], [[1.0, 1.0, 1.0, 1.0]]], dtype=precision)[None]
    actual = map_of("grad_cam_plus_plus", maps, weights, precision)
    torch.testing.assert_close(actual, maps[1].double() * (4 / (2 + 4)))


def test_a_mask_of_a_channel_that_varies_by_rounding_is_empty() -> None:
    like = torch.full((1, 5, 5), 1000.0)
    like[0, 2, 2] = torch.nextafter(like[0, 2, 2], torch.tensor(2000.0))
    real = like.clone()
    real[0, 2, 2] = 1001.0
    ramps = [_ramp(5, 20, like) for _ in range(2)]
    assert not _masks(like, *ramps).any()
    assert float(_masks(real, *ramps).max()) == 1


def test_a_part_of_full_grad_that_varies_by_rounding_shows_nothing() -> None:
    part = torch.full((1, 2, 4, 4), 0.7)
    part[0, 0, 0, 0] = torch.nextafter(part[0, 0, 0, 0], torch.ones(()))
    assert not _seen(part, (8, 8)).any()
    part[0, 0, 0, 0] = 0.8
    assert float(_seen(part, (4, 4)).max()) == pytest.approx(1)
    assert float(_seen(part * 1e-35, (4, 4)).max()) == pytest.approx(1), "small isn't nothing"


class Gated(nn.Module):
    """Scores through sigmoids that are saturated, as gates often are; their rounded results say nothing of z."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.fc = nn.Conv2d(3, 4, 1), nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        return self.fc((60 * self.inner(x)).sigmoid().mean((2, 3)))


def test_saturated_gates_leave_full_grad_finite_and_complete() -> None:
    network = seeded(Gated())
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    single = explain(network, images, [0, 1], ["full_grad"])["full_grad"]
    assert bool(single.isfinite().all())
    double = explain(network.double(), images.double(), [0, 1], ["full_grad"])["full_grad"]
    assert float((single - double).norm() / double.norm()) < 1e-4


def test_black_has_no_relevance_under_a_kernel_that_sees_only_how_bright_it_is() -> None:
    """z^B of a positive kernel is (x - l) w: where x is l there is nothing to share, not what rounding leaves of it."""
    low, high = (-2.117904, -2.035714, -1.804444), (2.248908, 2.428571, 2.64)
    convolution = nn.Conv2d(3, 4, 3)
    convolution.weight.data.uniform_(0.1, 1, generator=torch.Generator().manual_seed(3))
    network = nn.Sequential(convolution, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()).eval()
    images = torch.tensor(low).view(1, 3, 1, 1).repeat(1, 1, 12, 12)
    images[0, 0, 2, 3] += 1.0
    images[0, :, 9, 9] = torch.tensor(high)
    images[0, 1, 5, 5] = torch.nextafter(images[0, 1, 5, 5], torch.tensor(3.0))  # as a mean and a deviation round
    tape = Tape(Subject(network, images), images, layer_inputs=True)
    from cnnvis_report.engine.rules.patterns import in_order, pattern_layers

    layers = pattern_layers(tape.record())
    relevance = torch.ones(1, 4, 10, 10)
    actual = ZBox(low, high).spread(layers.layers[in_order(layers)[0]], relevance)
    lit = torch.zeros(3, 12, 12, dtype=torch.bool)
    lit[0, 2, 3] = lit[:, 9, 9] = True
    assert not actual[0][~lit].any()
    assert float(actual[0, 0, 2, 3]) == pytest.approx(4 * 9, rel=1e-5), "all that the nine places around it have"
    assert float(actual.min()) >= 0


@pytest.mark.parametrize("scale", [1e-25, 1e25])
@pytest.mark.parametrize("channels", [3, 40])
def test_eigen_cam_keeps_its_digits_at_any_scale(scale: Any, channels: Any) -> None:
    maps = torch.rand(channels, 4, 5, generator=torch.Generator().manual_seed(5))
    weights = torch.zeros(1, channels, 4, 5)
    plain = map_of("eigen_cam", maps, weights, torch.float32)
    scaled = map_of("eigen_cam", maps * scale, weights, torch.float32)
    torch.testing.assert_close(scaled / scale, plain, rtol=1e-4, atol=1e-5)


def test_extremal_perturbation_follows_slopes_of_any_size() -> None:
    """A network whose scores are a 10^-25th has the same extremal masks."""
    network = seeded(Tiny()).eval()
    images = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    masks = explain(network, images, [1], ["extremal_perturbation"], steps=4)["extremal_perturbation"]
    network.fc.weight.data *= 1e-25
    network.fc.bias.data *= 1e-25
    small = explain(network, images, [1], ["extremal_perturbation"], steps=4)["extremal_perturbation"]
    torch.testing.assert_close(small, masks, rtol=1e-3, atol=1e-4)
    assert float(masks.std()) > 0.01


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_methods_are_the_same_for_scores_far_from_zero(offset: Any, images: Any, targets: Any) -> None:
    """Softmax of logits of 10 000, and drops of scores beside them: no more is lost than the scores themselves lose."""
    network = seeded(Tiny())
    network.fc.bias.data += offset
    others = torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(8))
    names = ["score_cam", "rise", "occlusion", "kernel_shap", "lime", "gradient", "integrated_gradients", "grad_cam"]
    options: dict[str, Any] = {"steps": 4, "samples": 30, "n": 60}
    single = explain(network, images.float(), targets, names, reference=others, **options)
    double = explain(network.double(), images, targets, names, reference=others.double(), **options)
    for name in names:
        tolerance = 1e-5 + 3e-8 * offset * 30  # a step of 10 000 is 0.001 in single precision
        assert float((single[name] - double[name]).norm() / double[name].norm()) < tolerance, name
