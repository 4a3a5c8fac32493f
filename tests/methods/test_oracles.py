"""Every number against its definition: closed forms, slow replicas in float64, identities between methods."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from cnnvis_report import explain
from cnnvis_report.engine.noise import noise_generator
from tests import oracles
from tests.networks import Awkward, SumOfSquares, Tiny, seeded

pytestmark = pytest.mark.numeric


@pytest.fixture(params=[Tiny, Awkward])
def network(request):
    return seeded(request.param()).double().eval()


@pytest.fixture
def layer(network):
    return "features" if isinstance(network, Tiny) else "last"


def only(network, images, targets, name, **options):
    return explain(network, images, targets, [name], **options)[name]


def test_gradient_is_the_finite_difference(network, images, targets):
    maps = only(network, images, targets, "gradient")
    step = 1e-6
    for place in [(0, 0, 3, 4), (1, 2, 9, 9), (2, 1, 15, 0)]:
        up, down = images.clone(), images.clone()
        up[place] += step
        down[place] -= step
        scores = [network(x)[place[0], targets[place[0]]] for x in (up, down)]
        assert float(maps[place]) == pytest.approx(float(scores[0] - scores[1]) / (2 * step), rel=1e-5, abs=1e-8)


def test_saliency_and_input_x_gradient_follow_from_the_gradient(network, images, targets):
    maps = explain(network, images, targets, ["gradient", "saliency", "input_x_gradient"])
    expected = oracles.pixel_gradient(network, images, targets)
    torch.testing.assert_close(maps["gradient"], expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(maps["saliency"], expected.abs(), rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(maps["input_x_gradient"], expected * images, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "gated"), [("guided_backprop", True), ("deconvnet", False)])
def test_relu_rules_equal_an_override_of_the_operators(network, images, targets, name, gated):
    expected = oracles.pixel_gradient(network, images, targets, gated)
    maps = only(network, images, targets, name)
    torch.testing.assert_close(maps, expected, rtol=1e-9, atol=1e-12)


def test_relu6_has_two_gates(images, targets):
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU6(inplace=True), nn.Flatten(), nn.Linear(4 * 14 * 14, 5))
    seeded(network).double()
    network[0].weight.data *= 6
    assert float((network[:2](images) == 6).double().mean()) > 0.1, "some units are at the ceiling"
    for name, gated in [("guided_backprop", True), ("deconvnet", False)]:
        expected = oracles.pixel_gradient(network, images, targets, gated)
        torch.testing.assert_close(only(network, images, targets, name), expected, rtol=1e-9, atol=1e-12)


def test_relu_rules_by_hand():
    # y = 2 relu(x1) - 3 relu(x2): guided drops the negative signal and the closed gate, deconvnet the negative signal
    network = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(2, 1, bias=False)).double()
    network[2].weight.data = torch.tensor([[2.0, -3.0]], dtype=torch.float64)
    for x, guided, projected in [((1.0, 1.0), (2, 0), (2, 0)), ((-1.0, 1.0), (0, 0), (2, 0))]:
        image = torch.tensor(x, dtype=torch.float64).view(1, 1, 1, 2)
        found = explain(network, image, [0], ["guided_backprop", "deconvnet"])
        assert found["guided_backprop"].flatten().tolist() == list(guided)
        assert found["deconvnet"].flatten().tolist() == list(projected)


@pytest.mark.parametrize("name", oracles.CAMS)
def test_cams_equal_their_definitions(network, layer, images, targets, name):
    a, g = oracles.layer_values(network, images, targets, layer)
    maps = only(network, images, targets, name, layer=layer).numpy()
    np.testing.assert_allclose(maps, oracles.CAMS[name](a, g), rtol=1e-9, atol=1e-12)


def test_grad_cam_plus_plus_equals_equation_19(network, layer, images, targets):
    a, g = oracles.layer_values(network, images, targets, layer)
    maps = only(network, images, targets, "grad_cam_plus_plus", layer=layer).numpy()
    np.testing.assert_allclose(maps, oracles.grad_cam_plus_plus(a, g), rtol=1e-9, atol=1e-12)


def test_behind_average_pooling_and_a_linear_layer_the_cams_are_one(images, targets):
    network = seeded(Tiny()).double()
    maps = explain(network, images, targets, ["cam", "grad_cam", "hires_cam", "xgrad_cam"])
    positions = maps["cam"][0].numel()
    logits, bias = network(images).gather(1, targets[:, None])[:, 0], network.fc.bias[targets]
    torch.testing.assert_close(maps["cam"].mean((1, 2)), (logits - bias).detach())
    torch.testing.assert_close(maps["hires_cam"], maps["cam"] / positions)
    torch.testing.assert_close(maps["grad_cam"], (maps["cam"] / positions).relu())
    torch.testing.assert_close(maps["xgrad_cam"], maps["grad_cam"])


def test_cam_of_a_network_that_pools_class_maps(images, targets):
    # as SqueezeNet ends: 1×1 convolution, ReLU, average; the mean of the rectified map with bias is the logit
    network = seeded(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 5, 1), nn.ReLU(), nn.AvgPool2d(14)))
    network = network.append(nn.Flatten()).double()
    maps = only(network, images, targets, "cam")
    bias = network[2].bias[targets][:, None, None]
    logits = network(images).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close((maps + bias).relu().mean((1, 2)), logits.detach())


def test_guided_grad_cam_is_the_product_of_its_parts(network, layer, images, targets):
    parts = explain(network, images, targets, ["guided_backprop", "grad_cam", "guided_grad_cam"], layer=layer)
    upsampled = interpolate(parts["grad_cam"][:, None], size=(16, 16), mode="bilinear", align_corners=False)
    torch.testing.assert_close(parts["guided_grad_cam"], parts["guided_backprop"] * upsampled)


def test_smoothgrad_equals_its_definition_with_the_same_noise(network, images, targets):
    maps = only(network, images, targets, "smoothgrad", n=4, level=0.2, seed=3)
    expected = torch.zeros_like(images)
    for i, image in enumerate(images):
        generator = noise_generator(image, 3)
        sigma = 0.2 * (image.max() - image.min())
        for _ in range(4):
            noise = torch.randn(image.shape, generator=generator, dtype=torch.float64)
            expected[i] += oracles.pixel_gradient(network, (image + sigma * noise)[None], targets[i : i + 1])[0] / 4
    torch.testing.assert_close(maps, expected, rtol=1e-9, atol=1e-12)


def test_smoothgrad_without_noise_is_the_gradient(network, images, targets):
    plain = only(network, images, targets, "gradient")
    torch.testing.assert_close(only(network, images, targets, "smoothgrad", n=2, level=0.0), plain)


def test_quadratic_score_is_exact_at_any_number_of_steps(images):
    # the path integral of x² is x², so a wrong quadrature shows at three steps already
    maps = only(SumOfSquares(), images, torch.zeros(3, dtype=torch.long), "integrated_gradients", steps=3)
    torch.testing.assert_close(maps, images.square(), rtol=1e-12, atol=1e-12)


def test_integrated_gradients_start_from_black(images):
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)
    black = (-torch.tensor(mean, dtype=torch.float64) / torch.tensor(std, dtype=torch.float64)).view(3, 1, 1)
    maps = only(SumOfSquares(), images, [1, 1, 1], "integrated_gradients", steps=2, mean=mean, std=std)
    torch.testing.assert_close(maps, 2 * (images.square() - black.square()), rtol=1e-12, atol=1e-12)


def test_integrated_gradients_are_complete(network, images, targets):
    maps = only(network, images, targets, "integrated_gradients", steps=300)
    rise = (network(images.clone()) - network(torch.zeros_like(images))).gather(1, targets[:, None])[:, 0]
    torch.testing.assert_close(maps.sum((1, 2, 3)), rise.detach(), rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize(("patch", "stride"), [(4, 3), (5, 5), (6, 2), (16, 8)])
def test_occlusion_equals_its_definition(network, images, targets, patch, stride):
    images = images[..., :13].contiguous()  # not square, and not a whole number of windows
    maps = only(network, images, targets, "occlusion", patch=patch, stride=stride)
    expected = oracles.occlusion(network, images, targets, min(patch, 13), stride)
    torch.testing.assert_close(maps, expected, rtol=1e-9, atol=1e-12)


def test_occlusion_takes_an_eighth_and_half_of_that_by_default(images, targets):
    network = seeded(Tiny()).double()
    explicit = only(network, images, targets, "occlusion", patch=2, stride=1)
    torch.testing.assert_close(only(network, images, targets, "occlusion"), explicit)


def test_random_is_uniform_and_another_for_another_class():
    network = seeded(Tiny())
    image = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(2))
    maps = only(network, image, torch.tensor([[0, 1]]), "random")[0]
    assert float(maps.min()) >= 0 and float(maps.max()) < 1
    assert abs(float(maps.mean()) - 0.5) < 0.01 and abs(float(maps.var()) - 1 / 12) < 0.005
    assert abs(float(torch.corrcoef(maps.flatten(1))[0, 1])) < 0.03
