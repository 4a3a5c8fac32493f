"""Rules of relevance propagation against their definitions, written out as sums over single contributions."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.engine.rules.lrp import Composite
from cnnvis_report.engine.rules.lrp_rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, Z, ZBox
from cnnvis_report.engine.rules.uniform import Spread
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from tests.networks import seeded

pytestmark = pytest.mark.numeric


BOX = ZBox((-2.0, -1.5, -1.0), (2.0, 2.5, 3.0))


def small() -> nn.Sequential:
    """Every kind of layer that the replica below writes out; strides, padding and a norm that can flip signs."""
    norm = nn.BatchNorm2d(5)
    network = nn.Sequential(
        nn.Conv2d(3, 5, 3, stride=2, padding=1),
        norm,
        nn.ReLU(),
        nn.Conv2d(5, 6, 2, groups=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(6 * 3 * 3, 4),
        nn.ReLU(),
        nn.Linear(4, 3),
    )
    seeded(network).double().eval()
    norm.weight.data[::2] *= -1
    return network


@pytest.fixture(scope="module")
def batch() -> Any:
    return torch.randn(2, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def stages(network: nn.Sequential, image: torch.Tensor) -> Any:
    """(x, W, b) of each layer with weights, W as a matrix [outputs, inputs]; norms multiplied into the layer before."""
    layers, x, modules = [], image[None], list(network)
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
            layers.append((x.detach().flatten(), w, (z.flatten() - w @ x.flatten()).detach(), module))
            x = z
        else:
            x = module(x).detach()
    return layers, x[0]


def shares(rule: Any, x: Any, w: Any, b: Any) -> Any:
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
            sides = [torch.tensor(bound, dtype=x.dtype).repeat_interleave(len(x) // 3) for bound in (low, high)]
            terms = c - sides[0] * w.clamp(min=0) - sides[1] * w.clamp(max=0)
            return terms / terms.sum(1, keepdim=True)


def replica(network: Any, images: Any, targets: Any, rule_of: Any) -> Any:
    """rule_of(module, first) names the rule of a layer."""
    maps = []
    for image, target in zip(images, targets, strict=True):
        layers, scores = stages(network, image)
        relevance = torch.zeros_like(scores)
        relevance[target] = scores[target]
        for number, (x, w, b, module) in reversed(list(enumerate(layers))):
            relevance = relevance @ shares(rule_of(module, number == 0), x, w, b)
        maps.append(relevance.view_as(image))
    return torch.stack(maps)


def measured(network: Any, images: Any, targets: Any, rule: Any) -> Any:
    return Tape(Subject(network, images[:1]), images).gradients(targets, rule).pixels


EVERYWHERE = [Z(), Epsilon(1e-6), Epsilon(0.3), AlphaBeta(1, 0), AlphaBeta(2, 1), Gamma(0.25), Gamma(2.0)]


@pytest.mark.parametrize("rule", EVERYWHERE, ids=str)
def test_a_rule_in_every_layer_equals_its_definition(batch: Any, rule: Any) -> None:
    network, targets = small(), torch.tensor([0, 2])
    expected = replica(network, batch, targets, lambda *_: rule)
    torch.testing.assert_close(measured(network, batch, targets, Composite(rule, rule)), expected, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("entry", [Flat(), WSquare(), BOX], ids=str)
def test_the_rule_of_the_first_layer_equals_its_definition(batch: Any, entry: Any) -> None:
    network, targets = small(), torch.tensor([1, 1])
    dense, inner = Epsilon(0.1), AlphaBeta(1, 0)

    def rule_of(module: Any, first: Any) -> Any:
        return entry if first else inner if isinstance(module, nn.Conv2d) else dense

    expected = replica(network, batch, targets, rule_of)
    torch.testing.assert_close(
        measured(network, batch, targets, Composite(inner, dense, entry)), expected, rtol=1e-7, atol=1e-9
    )


@pytest.mark.parametrize("rule", [Flat(), WSquare()], ids=str)
def test_spreading_by_the_weights_equals_its_definition(batch: Any, rule: Any) -> None:
    network, targets = small(), torch.tensor([2, 0])
    expected = replica(network, batch, targets, lambda *_: rule)
    torch.testing.assert_close(measured(network, batch, targets, Spread(rule)), expected, rtol=1e-9, atol=1e-12)


class Branches(nn.Module):
    """A shortcut, a gate, a product without one, SiLU, layer norm and a linear layer over positions."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.inner = nn.Conv2d(6, 6, 3, padding=1, bias=False)
        self.gate = nn.Conv2d(6, 6, 1)
        self.norm = nn.LayerNorm(6, elementwise_affine=False)
        self.wide = nn.Linear(6, 8, bias=False)
        self.fc = nn.Linear(14, 4, bias=False)

    def forward(self, x: Any) -> Any:
        x = nn.functional.silu(self.stem(x))
        x = x + self.inner(x) * torch.sigmoid(self.gate(x.mean((2, 3), keepdim=True)))
        y = self.wide(self.norm(x.permute(0, 2, 3, 1)))
        y = (y * nn.functional.gelu(y)).mean((1, 2))
        return self.fc(torch.cat([nn.functional.hardswish(x).mean((2, 3)), y], 1))


@pytest.mark.parametrize(("rule", "tolerance"), [(Z(), 1e-9), (Epsilon(1e-9), 1e-4), (Gamma(0.25), 1e-9)], ids=str)
def test_nothing_is_lost_at_shortcuts_gates_and_smooth_activations(rule: Any, tolerance: float) -> None:
    network = seeded(Branches()).double().eval()
    images = torch.randn(3, 3, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    targets = torch.tensor([0, 1, 3])
    score = network(images).gather(1, targets[:, None])[:, 0].detach()
    actual = measured(network, images, targets, Composite(rule, rule)).sum((1, 2, 3))
    torch.testing.assert_close(actual, score, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("gated", "fractions"), [(True, (1.0, 0.0)), (False, (0.5, 0.5))], ids=["gate", "product"])
def test_a_gate_is_a_constant_and_a_plain_product_is_shared(gated: Any, fractions: Any) -> None:
    class Product(nn.Module):
        def __init__(self, gated: Any) -> None:
            super().__init__()
            self.gated = gated
            self.one, self.two = (nn.Conv2d(1, 1, 1, bias=False) for _ in range(2))

        def forward(self, x: Any) -> Any:
            a, b = self.one(x[:, :1]), self.two(x[:, 1:])
            return (a * (torch.sigmoid(b) if self.gated else b)).sum((2, 3))

    images = torch.tensor([2.0, 3.0], dtype=torch.float64).view(1, 2, 1, 1).expand(1, 2, 2, 2).contiguous()
    targets = torch.tensor([1])  # of a single score, the class that it speaks for
    network = seeded(Product(gated)).double()
    score = float(network(images).detach()[0, 0])
    relevance = measured(network, images, targets, Composite(Z(), Z()))[0].sum((1, 2)).tolist()
    assert relevance == pytest.approx([fraction * score for fraction in fractions])


def test_relevance_at_a_layer_is_a_multiplier(batch: Any) -> None:
    network, targets = small(), torch.tensor([0, 2])
    tape = Tape(Subject(network, batch[:1]), batch)
    rule = Composite(Z(), Z())
    multiplier, value = tape.gradients(targets, rule).layer("4"), tape.layer("4")
    logit = tape.logits.gather(1, targets[:, None])[:, 0]
    plain = tape.gradients(targets).layer("4")
    torch.testing.assert_close(multiplier, plain)
    assert not torch.equal((multiplier * value).sum((1, 2, 3)), logit), "biases behind the layer take their part"
