"""Relevance propagation on networks that people use: conservation, identities, and Zennit."""

from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.engine.rules.lrp import Composite
from cnnvis_report.engine.rules.lrp_rules import AlphaBeta, Epsilon, Z
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from tests.architectures import FAMILIES, architecture
from tests.benchmarks.passes import out_of_place
from tests.engine.rules.test_lrp_rules import small
from tests.exhaustive import represented
from tests.networks import Tiny, seeded

pytestmark = pytest.mark.numeric

# units with negative contributions only have nothing that could carry positive relevance
LOSSY = {"mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5", "mnasnet0_5", "convnext_tiny"}
SMOOTH = {"mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0", "regnet_y_400mf", "convnext_tiny"}


@pytest.fixture(scope="module")
def batch() -> Any:
    return torch.randn(2, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


REPRESENTATIVES = ("alexnet", "vgg11_bn", "resnet18", "squeezenet1_1", "densenet121", "mobilenet_v3_small")


@pytest.mark.parametrize("name", represented(FAMILIES, by=REPRESENTATIVES))
def test_relevance_is_conserved_without_biases(name: Any) -> None:
    network, images = architecture(name, biases=False)
    with torch.no_grad():
        scores = network(images)
    targets = scores.argmax(1)
    score = scores.gather(1, targets[:, None])[:, 0]
    tape = Tape(Subject(network, images[:1]), images)

    def share_kept(rule: Any) -> Any:
        return tape.gradients(targets, rule).pixels.sum((1, 2, 3)) / score

    one = torch.ones_like(score)
    torch.testing.assert_close(share_kept(Composite(Z(), Z())), one, rtol=1e-3, atol=0)
    torch.testing.assert_close(share_kept(Composite(Epsilon(1e-9), Epsilon(1e-9))), one, rtol=1e-3, atol=0)
    plus = share_kept(Composite(AlphaBeta(1, 0), Z()))
    if name in LOSSY:
        assert bool(((plus > 0.3) & (plus < 1.001)).all())
    else:
        torch.testing.assert_close(plus, one, rtol=1e-3, atol=0)
    product = tape.gradients(targets).pixels * images
    apart = (tape.gradients(targets, Composite(Z(), Z())).pixels - product).norm() / product.norm()
    assert (float(apart) < 1e-4) == (name not in SMOOTH)


def test_what_has_no_rule_is_said_with_its_count(batch: Any) -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 5)

        def forward(self, x: Any) -> Any:
            x = self.conv(x).flatten(2)
            return self.fc((x.softmax(2) * x).sum(2).cos())

    with pytest.raises(NotApplicable, match="relevance has no rule for 1 Cos"):
        explain(seeded(Attention()).double(), batch, [0, 1], ["lrp_z"])


def test_an_image_that_skips_the_first_layer_is_refused(batch: Any) -> None:
    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x: Any) -> Any:
            return (self.conv(x) + x).sum((2, 3))

    with pytest.raises(NotApplicable, match="the image itself reaches Add"):
        explain(seeded(Skip()).double(), batch, [0, 1], ["lrp_composite"])


def test_a_network_that_normalizes_by_itself_gives_the_same_map(batch: Any) -> None:
    class Inside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = small()

        def forward(self, x: Any) -> Any:
            channels = [x[:, k : k + 1] * (1 + k) - 0.3 for k in range(3)]
            return self.network(torch.cat(channels, 1))

    scale = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64).view(1, 3, 1, 1)
    outside = explain(small(), batch * scale - 0.3, [0, 2], ["lrp_composite"])["lrp_composite"]
    torch.testing.assert_close(explain(Inside(), batch, [0, 2], ["lrp_composite"])["lrp_composite"], outside)


def test_biases_count_when_the_layers_are_called_as_functions() -> None:
    class Functional(Tiny):
        def forward(self, x: Any) -> Any:
            for module in self.features:
                x = (
                    nn.functional.conv2d(x, module.weight, bias=module.bias, padding=1)
                    if isinstance(module, nn.Conv2d)
                    else module(x)
                )
            return nn.functional.linear(input=self.pool(x).flatten(1), weight=self.fc.weight, bias=self.fc.bias)

    images = torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    names = ["lrp_gamma", "lrp_alpha_beta"]
    plain, functional = (explain(seeded(kind()).double(), images, [1, 2], names) for kind in (Tiny, Functional))
    for name in names:
        torch.testing.assert_close(functional[name], plain[name])


@pytest.mark.parametrize("name", represented(["vgg11_bn", "resnet18"], by=("vgg11_bn",)))
def test_composites_equal_zennits(name: Any) -> None:
    zennit = pytest.importorskip("zennit.composites")
    from zennit.attribution import Gradient
    from zennit.torchvision import ResNetCanonizer, VGGCanonizer

    network, images = architecture(name, biases=True)
    network, images = out_of_place(network.double()), images[:1].double()
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
        actual = explain(network, images, targets, ["lrp_composite"], composite=composite)["lrp_composite"]
        both = torch.stack([actual.flatten(), expected.detach().flatten()])
        assert float(torch.corrcoef(both)[0, 1]) > 0.9999, composite
        assert float((actual - expected).norm() / expected.norm()) < 5e-3, composite
