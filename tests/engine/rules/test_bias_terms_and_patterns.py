"""FullGrad and patterns: what a network adds by itself, and what its layers answer to."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional
from torch.nn.functional import interpolate

from cnnvis_report import explain
from cnnvis_report.engine.rules.patterns import in_order, pattern_layers
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.pattern_fit import fit_patterns
from cnnvis_report.methods.pattern_moments import moments
from tests.networks import Awkward, Tiny, seeded

pytestmark = pytest.mark.numeric


@pytest.fixture
def pictures():
    return torch.randn(6, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(8))


def parts_of(network, images, targets):
    """The sum of all constant parts, and of the input times its gradient."""
    tape, found = Tape(Subject(network, images[:1]), images), []
    tape.bias_terms(targets, lambda part: found.append(part.flatten(1).sum(1)))
    pixels = (tape.gradients(targets).pixels * images).sum((1, 2, 3))
    return torch.stack(found).sum(0), pixels, tape.logits.gather(1, targets[:, None])[:, 0]


class Curved(nn.Module):
    """SiLU, ELU, GELU, ReLU6, a gate, a product, a shortcut and a norm by itself."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, 3, stride=2), nn.Conv2d(6, 6, 3, padding=1)
        self.norm, self.fc = nn.BatchNorm2d(6), nn.Linear(6, 4)

    def forward(self, x):
        x = functional.silu(self.one(x))
        x = x + functional.relu6(3 * self.two(functional.relu(self.norm(x))))
        x = functional.elu(x, alpha=0.7, inplace=True) * functional.gelu(x)
        x = x * functional.hardswish(x.mean((2, 3), keepdim=True))
        return self.fc(x.mean((2, 3)))


@pytest.mark.parametrize("factory", [Tiny, Awkward, Curved])
def test_the_parts_of_a_score_add_up_to_it(factory, pictures):
    network = seeded(factory()).double().eval()
    constants, pixels, score = parts_of(network, pictures, torch.tensor([0, 1, 2, 3, 0, 1]))
    torch.testing.assert_close(constants + pixels, score, rtol=1e-9, atol=1e-9)
    assert float(constants.abs().min()) > 1e-3, "the constants matter here"


@pytest.mark.parametrize(
    "name",
    ["vgg11_bn", "resnet18", "densenet121", "googlenet", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0"],
)
def test_full_grad_is_complete_on_what_people_use(name):
    extra = {"init_weights": False} if name == "googlenet" else {}
    network = seeded(torchvision.models.get_model(name, weights=None, num_classes=7, **extra)).eval().double()
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    constants, pixels, score = parts_of(network, images, torch.tensor([3]))
    torch.testing.assert_close(constants + pixels, score, rtol=1e-4, atol=0)


def test_full_grad_by_hand(pictures):
    """One convolution with a bias, ReLU, mean: two parts, each scaled to its own largest value."""
    network = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    seeded(network).double()
    image, bias = pictures[:1], network[0].bias.detach()
    z = network[0](image).detach()
    gates = (z > 0).double() / 256
    gates[:, 0] = 0  # the score of class 1
    gradient = functional.conv_transpose2d(gates, network[0].weight.detach(), padding=1)
    expected = torch.zeros(16, 16, dtype=torch.float64)
    for part in (image * gradient, gates * bias.view(1, 2, 1, 1)):
        strength = part[0].abs()
        strength = (strength - strength.min()) / (strength.max() - strength.min())
        expected += strength.sum(0)
    torch.testing.assert_close(explain(network, image, [1], ["full_grad"])["full_grad"][0], expected)


def test_coarse_parts_are_brought_to_the_image(pictures):
    network = seeded(Tiny()).double()
    found = explain(network, pictures[:1], [1], ["full_grad"])["full_grad"]
    tape, parts = Tape(Subject(network, pictures[:1]), pictures[:1]), []
    tape.bias_terms(torch.tensor([1]), parts.append)
    parts = [part for part in parts if part.ndim == 4] + [pictures[:1] * tape.gradients(torch.tensor([1])).pixels]
    assert sorted(part.shape[2] for part in parts) == [8, 16, 16]
    expected = torch.zeros_like(found)
    for part in parts:
        strength = part.abs()
        strength = (strength - strength.min()) / (strength.max() - strength.min())
        expected += interpolate(strength.sum(1, keepdim=True), (16, 16), mode="bilinear", align_corners=False)[:, 0]
    torch.testing.assert_close(found, expected)


def test_constants_that_nobody_can_see_are_noticed(pictures):
    class Hidden(Tiny):
        def forward(self, x):
            return super().forward(x) + 5

    class Cosine(Tiny):
        def forward(self, x):
            return super().forward(x).cos()

    with pytest.raises(NotApplicable, match="miss the score"):
        explain(seeded(Hidden()).double(), pictures, [0] * 6, ["full_grad"])
    with pytest.raises(NotApplicable, match="1 Cos"):
        explain(seeded(Cosine()).double(), pictures, [0] * 6, ["full_grad"])


# --- patterns


def patterns_by_hand(x, w, b, rectified):
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


def test_patterns_equal_their_definition(pictures):
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 5, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(125, 3),
    )
    seeded(network).double().eval()
    subject = Subject(network, pictures[:1])
    found = [each.numpy() for each in fit_patterns(subject, pictures, 4)]
    x = pictures
    conv, norm, head = network[0], network[1], network[6]
    scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
    weights = [conv.weight.detach() * scale.view(-1, 1, 1, 1), network[3].weight.detach(), head.weight.detach()]
    biases = [
        ((conv.bias - norm.running_mean) * scale + norm.bias).detach(),
        network[3].bias.detach(),
        head.bias.detach(),
    ]
    samples = [
        functional.unfold(x, 3, stride=2).transpose(1, 2).reshape(-1, 27),
        functional.unfold(network[:3](x), 3).transpose(1, 2).reshape(-1, 36),
        network[:6](x),
    ]
    for a, w, b, seen, rectified in zip(found, weights, biases, samples, [True, True, False], strict=True):
        expected = patterns_by_hand(seen.detach().numpy(), w.flatten(1).numpy(), b.numpy(), rectified)
        np.testing.assert_allclose(a.reshape(len(a), -1), expected, rtol=1e-6, atol=1e-9)
    parts = fit_patterns(subject, pictures, 1)
    for whole, part in zip(found, parts, strict=True):
        np.testing.assert_allclose(part.numpy(), whole, rtol=1e-6, atol=1e-9)


def test_pattern_maps_send_the_score_back_through_the_patterns(pictures):
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 49, 3))
    seeded(network).double().eval()
    conv, dense = fit_patterns(Subject(network, pictures[:1]), pictures, 6)
    image, target = pictures[1:2], 2
    score = float(network(image)[0, target].detach())
    gate = (network[0](image) > 0).double()
    for name, first, last in [
        ("pattern_net", conv, dense),
        ("pattern_attribution", conv * network[0].weight.detach(), dense * network[3].weight.detach()),
    ]:
        signal = score * last[target].view_as(gate) * gate
        expected = functional.conv_transpose2d(signal, first, stride=2, output_padding=1)
        found = explain(network, image, [target], [name], reference=pictures)[name]
        torch.testing.assert_close(found, expected)


def test_the_linear_example_of_the_paper():
    """x = s + d: the weight has to cancel the distractor, the pattern finds the signal's direction."""
    generator = torch.Generator().manual_seed(0)
    signal, distractor = torch.tensor([1.0, 0.0]), torch.tensor([1.0, 1.0])
    y, noise = torch.randn(2, 4000, 1, generator=generator)
    x = (y * signal + noise * distractor).view(-1, 2, 1, 1).double()
    network = nn.Sequential(nn.Conv2d(2, 1, 1, bias=False), nn.Flatten()).double()
    network[0].weight.data = torch.tensor([1.0, -1.0], dtype=torch.float64).view(1, 2, 1, 1)
    (pattern,) = fit_patterns(Subject(network, x[:1]), x, 1000)
    np.testing.assert_allclose(pattern.flatten().numpy(), signal.numpy(), atol=0.05)
    maps = explain(network, x[:1], [0], ["pattern_attribution"], reference=x)["pattern_attribution"].flatten()
    np.testing.assert_allclose(maps.numpy(), [float(y[0]), 0], atol=0.05 * abs(float(y[0])))


def test_patterns_need_images_and_relus(pictures):
    with pytest.raises(NotApplicable, match="at least 2; the set has 1"):
        explain(seeded(Tiny()).double(), pictures[:1], [0], ["pattern_net"])
    with pytest.raises(NotApplicable, match="1 ELU or SELU, 1 GELU, 1 SiLU"):
        explain(seeded(Curved()).double(), pictures, [0] * 6, ["pattern_net"])


def moments_of(network, images, at_a_time):
    """Of a network's first layer, where y > 0, over all images."""
    total = None
    for part in torch.split(images, at_a_time):
        layers = pattern_layers(Tape(Subject(network, part), part, layer_inputs=True).record())
        found = moments(layers.layers[in_order(layers)[0]], positive=True)
        total = total + found if total else found
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
def test_patterns_of_what_varies_little_beside_its_mean(layer, offset):
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


def patterns_centered(x, w, b):
    """One pattern a row of w where y = w x + b is above 0, means taken off first."""
    rows = []
    for weight, bias in zip(w, b, strict=True):
        y = x @ weight + bias
        keep = y > 0
        covariance = (y[keep] - y[keep].mean()) @ (x[keep] - x[keep].mean(0))
        rows.append(covariance / (weight @ covariance))
    return np.stack(rows)


@pytest.mark.parametrize("at_a_time", [1, 2, 3, 5])
def test_patterns_are_the_same_whatever_the_batch(pictures, at_a_time):
    network = seeded(Tiny()).double()
    images = pictures + torch.arange(6, dtype=torch.float64).view(-1, 1, 1, 1) * 100  # unlike means of the parts
    whole = fit_patterns(Subject(network, images[:1]), images, 6)
    for one, other in zip(fit_patterns(Subject(network, images[:1]), images, at_a_time), whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)
    single = fit_patterns(Subject(network.float(), images[:1].float()), images.float(), at_a_time)
    for one, other in zip(single, whole, strict=True):
        assert float((one - other).norm() / other.norm()) < 1e-4


def test_what_does_not_vary_has_no_pattern(pictures):
    """A unit that sees one value everywhere, or that is never above 0, and whose rounding isn't a pattern."""
    network = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    seeded(network)
    images = pictures.float()
    near = torch.tensor(100.0)
    images[:, 2] = torch.where(images[:, 1] > 0, near, torch.nextafter(near, torch.tensor(200.0)))
    network[0].weight.data[0] = 0
    network[0].weight.data[0, 2, 1, 1] = 1  # sees one value, which varies by rounding
    network[0].weight.data[1:, 2] = 0
    network[0].bias.data[:] = torch.tensor([0.0, -100.0, 0.0])
    found = moments_of(network, images, 4).pattern(network[0].weight.detach())
    assert not found[0].any() and not found[1].any() and found[2].any()


def test_a_transposed_convolution_has_no_pattern(pictures):
    network = nn.Sequential(nn.ConvTranspose2d(3, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(NotApplicable, match="1 transposed convolution"):
        explain(seeded(network).double(), pictures, [0] * 6, ["pattern_net"])
