"""Relevance propagation against its definitions, written out as sums over single contributions, and against Zennit."""

import pytest
import torch
import torchvision
from torch import nn

from cnnvis_report import explain
from cnnvis_report.engine.rules.lrp import Composite
from cnnvis_report.engine.rules.lrp_rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, Z, ZBox
from cnnvis_report.engine.rules.uniform import Spread
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.methods.registry import methods
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric

BOX = ZBox((-2.0, -1.5, -1.0), (2.0, 2.5, 3.0))


def small() -> nn.Sequential:
    """Every kind of layer that the replica below writes out; strides, padding and a norm that can flip signs."""
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3, stride=2, padding=1),
        nn.BatchNorm2d(5),
        nn.ReLU(),
        nn.Conv2d(5, 6, 2, groups=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 3 * 3, 4),
        nn.ReLU(),
        nn.Linear(4, 3),
    )
    seeded(network).double().eval()
    network[1].weight.data[::2] *= -1
    return network


@pytest.fixture(scope="module")
def batch():
    return torch.randn(2, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


# --- the replica: R_i = sum_j share_ij R_j with every contribution written out, one image at a time


def stages(network: nn.Sequential, image: torch.Tensor):
    """(x, W, b) of each layer with weights, W as a matrix [outputs, inputs]; norms multiplied into the layer before."""
    found, x, modules = [], image[None], list(network)
    while modules:
        module = modules.pop(0)
        if isinstance(module, nn.Conv2d | nn.Linear):
            layer = (
                nn.Sequential(module, modules.pop(0))
                if isinstance(modules[:1] and modules[0], nn.BatchNorm2d)
                else module
            )
            jacobian = torch.autograd.functional.jacobian(layer, x, vectorize=True)
            w = jacobian.reshape(layer(x).numel(), x.numel())
            z = layer(x).detach()
            found.append((x.detach().flatten(), w, (z.flatten() - w @ x.flatten()).detach(), module))
            x = z
        else:
            x = module(x).detach()
    return found, x[0]


def shares(rule, x, w, b):
    """share_ij [outputs, inputs], by the rule's definition."""
    c = w * x
    z = c.sum(1) + b
    up, down = c.clamp(min=0), c.clamp(max=0)
    match rule:
        case Z():
            return c / z[:, None]
        case Epsilon(epsilon=e):
            return c / (z + e * torch.where(z >= 0, 1.0, -1.0))[:, None]
        case AlphaBeta(alpha=alpha, beta=beta):
            positive, negative = up.sum(1) + b.clamp(min=0), down.sum(1) + b.clamp(max=0)
            parts = [(alpha, up, positive), (-beta, down, negative)]
            return sum(k * torch.where(t[:, None] == 0, 0, part / t[:, None]) for k, part, t in parts)
        case Gamma(gamma=g):
            for_z = (c + g * up) / (c.sum(1) + g * up.sum(1) + b + g * b.clamp(min=0))[:, None]
            against = (c + g * down) / (c.sum(1) + g * down.sum(1) + b + g * b.clamp(max=0))[:, None]
            return torch.where(z[:, None] > 0, for_z, against)
        case Flat():
            return (w != 0).double() / (w != 0).double().sum(1, keepdim=True)
        case WSquare():
            return w.square() / w.square().sum(1, keepdim=True)
        case ZBox(low=low, high=high):
            sides = [torch.tensor(each, dtype=x.dtype).repeat_interleave(len(x) // 3) for each in (low, high)]
            terms = c - sides[0] * w.clamp(min=0) - sides[1] * w.clamp(max=0)
            return terms / terms.sum(1, keepdim=True)


def replica(network, images, targets, rule_of):
    """rule_of(module, first) names the rule of a layer."""
    maps = []
    for image, target in zip(images, targets, strict=True):
        found, scores = stages(network, image)
        relevance = torch.zeros_like(scores)
        relevance[target] = scores[target]
        for number, (x, w, b, module) in reversed(list(enumerate(found))):
            relevance = relevance @ shares(rule_of(module, number == 0), x, w, b)
        maps.append(relevance.view_as(image))
    return torch.stack(maps)


def measured(network, images, targets, rule):
    return Tape(Subject(network, images[:1]), images).gradients(targets, rule).pixels


EVERYWHERE = [Z(), Epsilon(1e-6), Epsilon(0.3), AlphaBeta(1, 0), AlphaBeta(2, 1), Gamma(0.25), Gamma(2.0)]


@pytest.mark.parametrize("rule", EVERYWHERE, ids=str)
def test_a_rule_in_every_layer_equals_its_definition(batch, rule):
    network, targets = small(), torch.tensor([0, 2])
    expected = replica(network, batch, targets, lambda *_: rule)
    torch.testing.assert_close(measured(network, batch, targets, Composite(rule, rule)), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("entry", [Flat(), WSquare(), BOX], ids=str)
def test_the_rule_of_the_first_layer_equals_its_definition(batch, entry):
    network, targets = small(), torch.tensor([1, 1])
    dense, inner = Epsilon(0.1), AlphaBeta(1, 0)

    def rule_of(module, first):
        return entry if first else inner if isinstance(module, nn.Conv2d) else dense

    expected = replica(network, batch, targets, rule_of)
    torch.testing.assert_close(
        measured(network, batch, targets, Composite(inner, dense, entry)), expected, rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize("rule", [Flat(), WSquare()], ids=str)
def test_spreading_by_the_weights_equals_its_definition(batch, rule):
    network, targets = small(), torch.tensor([2, 0])
    expected = replica(network, batch, targets, lambda *_: rule)
    torch.testing.assert_close(measured(network, batch, targets, Spread(rule)), expected, rtol=1e-9, atol=1e-12)


class Branches(nn.Module):
    """A shortcut, a gate, a product without one, SiLU, layer norm and a linear layer over positions."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.inner = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.gate = nn.Conv2d(6, 6, 1)
        self.norm = nn.LayerNorm(6, elementwise_affine=False)
        self.wide = nn.Linear(6, 8, bias=False)
        self.fc = nn.Linear(14, 4, bias=False)

    def forward(self, x):
        x = nn.functional.silu(self.stem(x))
        x = x + self.inner(x) * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        y = self.wide(self.norm(x.permute(0, 2, 3, 1)))
        y = (y * nn.functional.gelu(y)).mean((1, 2))
        return self.fc(torch.cat([nn.functional.hardswish(x).mean((2, 3)), y], 1))


@pytest.mark.parametrize(("rule", "kept"), [(Z(), 1e-9), (Epsilon(1e-9), 1e-4), (Gamma(0.25), 1e-9)], ids=str)
def test_nothing_is_lost_at_shortcuts_gates_and_smooth_activations(rule, kept):
    network = seeded(Branches()).double().eval()
    images = torch.randn(3, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([0, 1, 3])
    score = network(images).gather(1, targets[:, None])[:, 0].detach()
    found = measured(network, images, targets, Composite(rule, rule)).sum((1, 2, 3))
    torch.testing.assert_close(found, score, rtol=kept, atol=kept)


def test_a_gate_is_a_constant_and_a_plain_product_is_shared():
    class Product(nn.Module):
        def __init__(self, gated):
            super().__init__()
            self.gated = gated
            self.one, self.two = (nn.Conv2d(1, 1, 1, bias=False) for _ in range(2))

        def forward(self, x):
            a, b = self.one(x[:, :1]), self.two(x[:, 1:])
            return (a * (torch.sigmoid(b) if self.gated else b)).sum((2, 3))

    images = torch.tensor([2.0, 3.0], dtype=torch.float64).view(1, 2, 1, 1).expand(1, 2, 2, 2).contiguous()
    targets = torch.tensor([1])  # of a single score, the class that it speaks for
    for gated, shares_of in [(True, (1.0, 0.0)), (False, (0.5, 0.5))]:
        network = seeded(Product(gated)).double()
        score = float(network(images).detach()[0, 0])
        found = measured(network, images, targets, Composite(Z(), Z()))[0].sum((1, 2)).tolist()
        assert found == pytest.approx([share * score for share in shares_of])


def test_relevance_at_a_layer_is_a_multiplier(batch):
    network, targets = small(), torch.tensor([0, 2])
    tape = Tape(Subject(network, batch[:1]), batch)
    rule = Composite(Z(), Z())
    multiplier, value = tape.gradients(targets, rule).layer("4"), tape.layer("4")
    logit = tape.logits.gather(1, targets[:, None])[:, 0]
    plain = tape.gradients(targets).layer("4")
    torch.testing.assert_close(multiplier, plain)
    assert not torch.equal((multiplier * value).sum((1, 2, 3)), logit), "biases behind the layer take their part"


# --- identities on real architectures

FAMILIES = [
    "alexnet", "vgg16", "vgg11_bn", "resnet18", "resnext50_32x4d", "densenet121", "googlenet", "inception_v3",
    "squeezenet1_1", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5", "mnasnet0_5",
    "regnet_y_400mf", "convnext_tiny",
]  # fmt: skip
# units with negative contributions only have nothing that could carry positive relevance
LOSSY = {"mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5", "mnasnet0_5", "convnext_tiny"}
SMOOTH = {"mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "regnet_y_400mf", "convnext_tiny"}


def architecture(name, *, biases):
    extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = seeded(torchvision.models.get_model(name, weights=None, num_classes=10, **extra))
    if not biases:
        for module in network.modules():
            if isinstance(getattr(module, "bias", None), nn.Parameter):
                nn.init.zeros_(module.bias)
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.zero_()
    side = 96 if name == "inception_v3" else 64
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(4))
    return network.eval(), images


@pytest.mark.parametrize("name", FAMILIES)
def test_relevance_is_conserved_without_biases(name):
    network, images = architecture(name, biases=False)
    with torch.no_grad():
        scores = network(images)
    targets = scores.argmax(1)
    score = scores.gather(1, targets[:, None])[:, 0]
    tape = Tape(Subject(network, images[:1]), images)

    def kept(rule):
        return tape.gradients(targets, rule).pixels.sum((1, 2, 3)) / score

    one = torch.ones_like(score)
    torch.testing.assert_close(kept(Composite(Z(), Z())), one, rtol=1e-3, atol=0)
    torch.testing.assert_close(kept(Composite(Epsilon(1e-9), Epsilon(1e-9))), one, rtol=1e-3, atol=0)
    plus = kept(Composite(AlphaBeta(1, 0), Z()))
    if name in LOSSY:
        assert bool(((plus > 0.3) & (plus < 1.001)).all())
    else:
        torch.testing.assert_close(plus, one, rtol=1e-3, atol=0)
    product = tape.gradients(targets).pixels * images
    apart = (tape.gradients(targets, Composite(Z(), Z())).pixels - product).norm() / product.norm()
    assert (float(apart) < 1e-4) == (name not in SMOOTH)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_rule_is_finite_with_biases(name):
    network, images = architecture(name, biases=True)
    targets = torch.tensor([[1, 3], [7, 2]])
    names = [entry.name for entry in methods() if entry.name.startswith(("lrp_", "deep_taylor"))]
    assert len(names) == 8
    for method, maps in explain(network, images, targets, names).items():
        assert bool(maps.isfinite().all()), method


def test_what_has_no_rule_is_said_with_its_count(batch):
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x):
            x = self.conv(x).flatten(2)
            return self.fc((x.softmax(2) * x).sum(2).cos())

    with pytest.raises(NotApplicable, match="relevance has no rule for 1 Cos"):
        explain(seeded(Attention()).double(), batch, [0, 1], ["lrp_z"])


def test_an_image_that_skips_the_first_layer_is_refused(batch):
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return (self.conv(x) + x).sum((2, 3))

    with pytest.raises(NotApplicable, match="the image itself reaches Add"):
        explain(seeded(Skip()).double(), batch, [0, 1], ["lrp_composite"])


def test_a_network_that_normalizes_by_itself_gives_the_same_map(batch):
    class Inside(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = small()

        def forward(self, x):
            channels = [x[:, k : k + 1] * (1 + k) - 0.3 for k in range(3)]
            return self.network(torch.cat(channels, 1))

    scale = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64).view(1, 3, 1, 1)
    outside = explain(small(), batch * scale - 0.3, [0, 2], ["lrp_composite"])["lrp_composite"]
    torch.testing.assert_close(explain(Inside(), batch, [0, 2], ["lrp_composite"])["lrp_composite"], outside)


def test_biases_count_when_the_layers_are_called_as_functions():
    class Functional(Tiny):
        def forward(self, x):
            for module in self.features:
                x = (
                    nn.functional.conv2d(x, module.weight, bias=module.bias, padding=1)
                    if isinstance(module, nn.Conv2d)
                    else module(x)
                )
            return nn.functional.linear(input=self.pool(x).flatten(1), weight=self.fc.weight, bias=self.fc.bias)

    images = torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    names = ["lrp_gamma", "lrp_alpha_beta"]
    plain, functional = (explain(seeded(each()).double(), images, [1, 2], names) for each in (Tiny, Functional))
    for name in names:
        torch.testing.assert_close(functional[name], plain[name])


# --- the peer


@pytest.mark.parametrize("name", ["vgg11_bn", "resnet18"])
def test_composites_equal_zennits(name):
    zennit = pytest.importorskip("zennit.composites")
    from zennit.attribution import Gradient
    from zennit.torchvision import ResNetCanonizer, VGGCanonizer

    network, images = architecture(name, biases=True)
    network, images = network.double(), images.double()
    for module in network.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    canonizers = [(VGGCanonizer if name == "vgg11_bn" else ResNetCanonizer)()]
    low, high = (torch.full((1, 3, 1, 1), bound, dtype=torch.float64) for bound in (0.0, 1.0))
    peers = {
        "epsilon_plus_flat": zennit.EpsilonPlusFlat(epsilon=1e-6, canonizers=canonizers),
        "epsilon_plus": zennit.EpsilonPlus(epsilon=1e-6, canonizers=canonizers),
        "epsilon_gamma_box": zennit.EpsilonGammaBox(low=low, high=high, epsilon=1e-6, canonizers=canonizers),
        "epsilon_alpha2_beta1": zennit.EpsilonAlpha2Beta1(epsilon=1e-6, canonizers=canonizers),
    }
    targets = network(images).argmax(1)
    for composite, peer in peers.items():
        with Gradient(network, peer) as attributor:
            _, expected = attributor(images, lambda out: out * nn.functional.one_hot(targets, out.shape[1]))
        found = explain(network, images, targets, ["lrp_composite"], composite=composite)["lrp_composite"]
        both = torch.stack([found.flatten(), expected.detach().flatten()])
        assert float(torch.corrcoef(both)[0, 1]) > 0.9999, composite
        assert float((found - expected).norm() / expected.norm()) < 5e-3, composite
