"""PatternNet and PatternAttribution: what layers answer to, against covariances written out."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnvis_report import explain
from cnnvis_report.engine.rules.patterns import in_order, pattern_layers
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.pattern_fit import fit_patterns
from cnnvis_report.methods.pattern_moments import moments
from tests.methods.test_full_grad import Curved
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randn(6, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(8))


def patterns_by_hand(x: Any, w: Any, b: Any, rectified: Any) -> Any:
    """One pattern a row of w, from samples x [M, inputs]; y = w x + b."""
    rows = []
    for weight, bias in zip(w, b, strict=True):
        y = x @ weight + bias
        keep = y > 0 if rectified else np.ones(len(y), dtype=bool)
        covariance = np.array(
            [np.mean(x[keep, i] * y[keep]) - x[keep, i].mean() * y[keep].mean() for i in range(x.shape[1])]
        )
        rows.append(covariance / (weight @ covariance))
    return np.stack(rows)


def test_patterns_equal_their_definition(pictures: torch.Tensor) -> None:
    conv, norm, inner, head = nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 3), nn.Linear(125, 3)
    network = nn.Sequential(conv, norm, nn.ReLU(), inner, nn.ReLU(), nn.Flatten(), head)
    seeded(network).double().eval()
    subject = Subject(network, pictures[:1])
    actual = [pattern.numpy() for pattern in fit_patterns(subject, pictures, 4)]
    x = pictures
    assert norm.running_mean is not None and norm.running_var is not None
    assert conv.bias is not None and inner.bias is not None
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
    weights = [conv.weight.detach() * scale.view(-1, 1, 1, 1), inner.weight.detach(), head.weight.detach()]
    biases = [
        ((conv.bias - norm.running_mean) * scale + norm.bias).detach(),
        inner.bias.detach(),
        head.bias.detach(),
    ]
    samples = [
        functional.unfold(x, 3, stride=2).transpose(1, 2).reshape(-1, 27),
        functional.unfold(network[:3](x), 3).transpose(1, 2).reshape(-1, 36),
        network[:6](x),
    ]
    for a, w, b, seen, rectified in zip(actual, weights, biases, samples, [True, True, False], strict=True):
        expected = patterns_by_hand(seen.detach().numpy(), w.flatten(1).numpy(), b.numpy(), rectified)
        np.testing.assert_allclose(a.reshape(len(a), -1), expected, rtol=1e-6, atol=1e-9)
    parts = fit_patterns(subject, pictures, 1)
    for whole, part in zip(actual, parts, strict=True):
        np.testing.assert_allclose(part.numpy(), whole, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["pattern_net", "pattern_attribution"])
def test_pattern_maps_send_the_score_back_through_the_patterns(pictures: torch.Tensor, name: Any) -> None:
    conv, head = nn.Conv2d(3, 4, 3, stride=2), nn.Linear(4 * 49, 3)
    network = seeded(nn.Sequential(conv, nn.ReLU(), nn.Flatten(), head)).double().eval()
    first, last = fit_patterns(Subject(network, pictures[:1]), pictures, 6)
    if name == "pattern_attribution":
        first, last = first * conv.weight.detach(), last * head.weight.detach()
    image, target = pictures[1:2], 2
    score = float(network(image)[0, target].detach())
    gate = (conv(image) > 0).double()
    signal = score * last[target].view_as(gate) * gate
    expected = functional.conv_transpose2d(signal, first, stride=2, output_padding=1)
    maps = explain(network, image, [target], [name], reference=pictures)[name]
    torch.testing.assert_close(maps, expected)


def test_the_linear_example_of_the_paper() -> None:
    """x = s + d: the weight has to cancel the distractor, the pattern finds the signal's direction."""
    generator = torch.Generator().manual_seed(0)
    signal, distractor = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
    y, noise = torch.randn(2, 4000, 1, generator=generator)
    x = (y * signal + noise * distractor).view(-1, 2, 1, 1).double()
    conv = nn.Conv2d(2, 1, 1, bias=False)
    network = nn.Sequential(conv, nn.Flatten()).double()
    conv.weight.data = torch.tensor([1.0, -1.0], dtype=torch.float64).view(1, 2, 1, 1)
    (pattern,) = fit_patterns(Subject(network, x[:1]), x, 1000)
    np.testing.assert_allclose(pattern.flatten().numpy(), signal.numpy(), atol=0.05)
    maps = explain(network, x[:1], [0], ["pattern_attribution"], reference=x[:1000])["pattern_attribution"].flatten()
    np.testing.assert_allclose(maps.numpy(), [float(y[0]), 0], atol=0.05 * abs(float(y[0])))


def test_patterns_need_images_and_relus(pictures: torch.Tensor) -> None:
    with pytest.raises(NotApplicable, match="at least 2; the set has 1"):
        explain(seeded(Tiny()).double(), pictures[:1], [0], ["pattern_net"])
    with pytest.raises(NotApplicable, match="1 ELU or SELU, 1 GELU, 1 SiLU"):
        explain(seeded(Curved()).double(), pictures, [0] * 6, ["pattern_net"])


def moments_of(network: Any, images: Any, at_a_time: Any) -> Any:
    """Of a network's first layer, where y > 0, over all images."""
    total = None
    for part in torch.split(images, at_a_time):
        layers = pattern_layers(Tape(Subject(network, part), part, layer_inputs=True).record())
        of_part = moments(layers.layers[in_order(layers)[0]], positive=True)
        total = total + of_part if total else of_part
    return total


@pytest.mark.parametrize(
    ("layer", "offset"),
    [
        (nn.Conv2d(4, 6, 3, padding=1, stride=2), 0),
        (nn.Conv2d(4, 6, 3, padding=1, stride=2), 30),
        (nn.Conv2d(4, 6, (3, 2), dilation=2, groups=2, padding=(0, 1)), 30),
        (nn.Conv2d(4, 6, 3, stride=2), 2**16),
        (nn.Conv2d(4, 6, (3, 2), dilation=2, groups=2), 2**16),
        (nn.Conv2d(4, 4, 3, groups=4, bias=False), 2**16),
    ],
    ids=str,
)
def test_patterns_of_what_varies_little_beside_its_mean(layer: Any, offset: Any) -> None:
    """Sums of squares less squares of sums would leave nothing but rounding of the last of these.

    Images and weights are whole numbers, so that y is exact in single precision: what is tested are the moments.
    """
    network = seeded(nn.Sequential(layer, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    generator = torch.Generator().manual_seed(2)
    channels = offset * torch.tensor([1, -1, 0, 0.25]).view(4, 1, 1)
    images = torch.randint(-9, 10, (8, 4, 12, 12), generator=generator) + channels
    half = layer.weight[0, 0].numel() // 2
    signs = torch.tensor([1.0] * half + [-1.0] * half + [0.0] * (layer.weight[0, 0].numel() % 2))
    for kernel in layer.weight.data.view(-1, len(signs)):
        kernel[:] = signs[torch.randperm(len(signs), generator=generator)]  # sums to 0: the offset cancels
    if layer.bias is not None:
        layer.bias.data.round_()
    single = moments_of(network.eval(), images, 3).pattern(layer.weight.detach())
    network.double()
    exact = moments_of(network, images.double(), 8).pattern(layer.weight.detach())
    x = functional.unfold(images.double(), layer.kernel_size, layer.dilation, layer.padding, layer.stride)
    groups = layer.groups
    x = x.unflatten(1, (groups, -1)).transpose(2, 3).transpose(0, 1).flatten(1, 2)
    w, b = layer.weight.detach(), layer.bias
    b = torch.zeros(len(w)) if b is None else b.detach()
    for group in range(groups):
        of = slice(group * len(w) // groups, (group + 1) * len(w) // groups)
        expected = patterns_centered(x[group].numpy(), w[of].flatten(1).numpy(), b[of].numpy())
        np.testing.assert_allclose(exact[of].flatten(1).numpy(), expected, rtol=1e-7, atol=1e-9)
    assert float((single - exact).norm() / exact.norm()) < 2e-6


def patterns_centered(x: Any, w: Any, b: Any) -> Any:
    """One pattern a row of w where y = w x + b is above 0, means taken off first."""
    rows = []
    for weight, bias in zip(w, b, strict=True):
        y = x @ weight + bias
        keep = y > 0
        covariance = (y[keep] - y[keep].mean()) @ (x[keep] - x[keep].mean(0))
        rows.append(covariance / (weight @ covariance))
    return np.stack(rows)


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 5])
def test_patterns_are_the_same_whatever_the_batch(pictures: torch.Tensor, at_a_time: Any) -> None:
    network = seeded(Tiny()).double()
    images = pictures + torch.arange(6, dtype=torch.float64).view(-1, 1, 1, 1) * 100  # unlike means of the parts
    whole = fit_patterns(Subject(network, images[:1]), images, 6)
    for one, other in zip(fit_patterns(Subject(network, images[:1]), images, at_a_time), whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    single = fit_patterns(Subject(network.float(), images[:1].float()), images.float(), at_a_time)
    for one, other in zip(single, whole, strict=True):
        assert float((one - other).norm() / other.norm()) < 1e-4


def test_what_does_not_vary_has_no_pattern(pictures: torch.Tensor) -> None:
    """A unit that sees one value everywhere, or that is never above 0, and whose rounding isn't a pattern."""
    conv = nn.Conv2d(3, 3, 3)
    network = seeded(nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    assert conv.bias is not None
    images = pictures.float()
    near = torch.tensor(100.0)
    images[:, 2] = torch.where(images[:, 1] > 0, near, torch.nextafter(near, torch.tensor(200.0)))
    conv.weight.data[0] = 0
    conv.weight.data[0, 2, 1, 1] = 1  # sees one value, which varies by rounding
    conv.weight.data[1:, 2] = 0
    conv.bias.data[:] = torch.tensor([0.0, -100.0, 0.0])
    actual = moments_of(network, images, 4).pattern(conv.weight.detach())
    assert not actual[0].any() and not actual[1].any() and actual[2].any()


def test_a_transposed_convolution_has_no_pattern(pictures: torch.Tensor) -> None:
    network = nn.Sequential(nn.ConvTranspose2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(NotApplicable, match="1 transposed convolution"):
        explain(seeded(network).double(), pictures, [0] * 6, ["pattern_net"])
