"""Maps of networks of any number of channels: what bands that count for nothing get, and bands in another order."""

import pytest
import torch
from torch import Tensor, nn

from cnnvis_report import explain
from tests.networks import seeded

PIXEL_METHODS = (
    "gradient", "saliency", "input_x_gradient", "integrated_gradients", "guided_backprop", "deconvnet",
    "guided_grad_cam", "lrp_z", "lrp_epsilon", "lrp_gamma", "lrp_alpha_beta",
)  # fmt: skip
DRAWN = ("expected_gradients", "smoothgrad")  # of draws that depend on the number and the values of channels
OTHERS = ("grad_cam", "occlusion", "rise", "score_cam", "extremal_perturbation")


def network(channels: int) -> nn.Sequential:
    return seeded(
        nn.Sequential(
            nn.Conv2d(channels, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4),
        )
    ).double()  # fmt: skip


def images(channels: int) -> Tensor:
    return torch.rand(2, channels, 12, 14, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def widened(narrow: nn.Sequential) -> nn.Sequential:
    """The same with two more channels, whose weights are zero, between the three and after them."""
    wide = network(5)
    wide.load_state_dict(
        {name: value for name, value in narrow.state_dict().items() if name != "0.weight"}, strict=False
    )
    first, wider = narrow[0], wide[0]
    assert isinstance(first, nn.Conv2d) and isinstance(wider, nn.Conv2d)
    wider.weight.data.zero_()
    wider.weight.data[:, [0, 2, 3]] = first.weight.data
    return wide


@pytest.mark.parametrize("method", [*PIXEL_METHODS, *DRAWN])
def test_bands_without_weights_get_nothing_and_leave_the_others_as_they_are(method: str) -> None:
    narrow, wide_images = network(3), images(5)
    got = explain(widened(narrow), wide_images, [0, 1], methods=[method])[method]
    assert got.shape == wide_images.shape
    assert got.any() and not got[:, [1, 4]].any()
    if method in DRAWN:
        return
    expected = explain(narrow, wide_images[:, [0, 2, 3]], [0, 1], methods=[method])[method]
    torch.testing.assert_close(got[:, [0, 2, 3]], expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(got.sum(dim=1), expected.sum(dim=1), rtol=1e-9, atol=1e-12)


def test_the_flat_rule_of_the_first_layer_gives_every_band_the_same() -> None:
    maps = explain(widened(network(3)), images(5), [0, 1], methods=["lrp_composite"])["lrp_composite"]
    torch.testing.assert_close(maps, maps[:, :1].expand_as(maps))


@pytest.mark.parametrize("method", OTHERS)
def test_maps_of_areas_and_layers_do_not_see_bands_without_weights(method: str) -> None:
    narrow, wide_images = network(3), images(5)
    pair = (widened(narrow), wide_images), (narrow, wide_images[:, [0, 2, 3]])
    wide, expected = (explain(each, shown, [0, 1], methods=[method])[method] for each, shown in pair)
    torch.testing.assert_close(wide, expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("method", PIXEL_METHODS)
def test_bands_in_another_order_have_their_maps_in_that_order(method: str) -> None:
    order = [3, 0, 4, 2, 1]
    first, other, shown = network(5), network(5), images(5)
    assert isinstance(first[0], nn.Conv2d) and isinstance(other[0], nn.Conv2d)
    other[0].weight.data = first[0].weight.data[:, order]
    maps = explain(first, shown, [0, 1], methods=[method])[method]
    permuted = explain(other, shown[:, order], [0, 1], methods=[method])[method]
    torch.testing.assert_close(permuted, maps[:, order], rtol=1e-9, atol=1e-12)
