"""FullGrad: the score is the input times its gradient and everything that the network adds by itself."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.nn.functional import interpolate

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from tests.architectures import architecture
from tests.exhaustive import represented
from tests.networks import Awkward, Tiny, seeded

pytestmark = pytest.mark.numeric


@pytest.fixture
def pictures() -> torch.Tensor:
    return torch.randn(6, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(8))


def parts_of(network: Any, images: Any, targets: Any) -> Any:
    """The sum of all constant parts, and of the input times its gradient."""
    tape, sums = Tape(Subject(network, images[:1]), images), []
    tape.bias_terms(targets, lambda part: sums.append(part.flatten(1).sum(1)))
    pixels = (tape.gradients(targets).pixels * images).sum((1, 2, 3))
    return torch.stack(sums).sum(0), pixels, tape.logits.gather(1, targets[:, None])[:, 0]


class Curved(nn.Module):
    """SiLU, ELU, GELU, ReLU6, a gate, a product, a shortcut and a norm by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 6, 3, stride=2), nn.Conv2d(6, 6, 3, padding=1)
        self.norm, self.fc = nn.BatchNorm2d(6), nn.Linear(6, 4)

    def forward(self, x: Any) -> Any:
        x = functional.silu(self.one(x))
        x = x + functional.relu6(3 * self.two(functional.relu(self.norm(x))))
        x = functional.elu(x, alpha=0.7, inplace=True) * functional.gelu(x)
        x = x * functional.hardswish(x.mean((2, 3), keepdim=True))
        return self.fc(x.mean((2, 3)))


@pytest.mark.parametrize("factory", [Tiny, Awkward, Curved])
def test_the_parts_of_a_score_add_up_to_it(factory: Any, pictures: torch.Tensor) -> None:
    network = seeded(factory()).double().eval()
    constants, pixels, score = parts_of(network, pictures, torch.tensor([0, 1, 2, 3, 0, 1]))
    torch.testing.assert_close(constants + pixels, score, rtol=1e-9, atol=1e-9)
    assert float(constants.abs().min()) > 1e-3, "the constants matter here"


USED = ("vgg11_bn", "resnet18", "densenet121", "googlenet", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0")


@pytest.mark.parametrize("name", represented(USED, by=("vgg11_bn", "resnet18", "mobilenet_v3_small")))
def test_full_grad_is_complete_on_what_people_use(name: Any) -> None:
    network, images = architecture(name, biases=True)
    constants, pixels, score = parts_of(network.double(), images[:1].double(), torch.tensor([3]))
    torch.testing.assert_close(constants + pixels, score, rtol=1e-4, atol=0)


def test_full_grad_by_hand(pictures: torch.Tensor) -> None:
    """One convolution with a bias, ReLU, mean: two parts, each scaled to its own largest value."""
    conv = nn.Conv2d(3, 2, 3, padding=1)
    network = seeded(nn.Sequential(conv, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())).double()
    assert conv.bias is not None
    image, bias = pictures[:1], conv.bias.detach()
    z = conv(image).detach()
    gates = (z > 0).double() / 256
    gates[:, 0] = 0  # the score of class 1
    gradient = functional.conv_transpose2d(gates, conv.weight.detach(), padding=1)
    expected = torch.zeros(16, 16, dtype=torch.float64)
    for part in (image * gradient, gates * bias.view(1, 2, 1, 1)):
        strength = part[0].abs()
        strength = (strength - strength.min()) / (strength.max() - strength.min())
        expected += strength.sum(0)
    torch.testing.assert_close(explain(network, image, [1], ["full_grad"])["full_grad"][0], expected)


def test_coarse_parts_are_brought_to_the_image(pictures: torch.Tensor) -> None:
    network = seeded(Tiny()).double()
    actual = explain(network, pictures[:1], [1], ["full_grad"])["full_grad"]
    tape = Tape(Subject(network, pictures[:1]), pictures[:1])
    terms: list[torch.Tensor] = []
    tape.bias_terms(torch.tensor([1]), terms.append)
    parts = [part for part in terms if part.ndim == 4] + [pictures[:1] * tape.gradients(torch.tensor([1])).pixels]
    assert sorted(part.shape[2] for part in parts) == [8, 16, 16]
    expected = torch.zeros_like(actual)
    for part in parts:
        strength = part.abs()
        strength = (strength - strength.min()) / (strength.max() - strength.min())
        expected += interpolate(strength.sum(1, keepdim=True), (16, 16), mode="bilinear", align_corners=False)[:, 0]
    torch.testing.assert_close(actual, expected)


class Hidden(Tiny):
    """Adds a constant that no operation shows."""

    def forward(self, x: Any) -> Any:
        return super().forward(x) + 5


class CosineOfScores(Tiny):
    def forward(self, x: Any) -> Any:
        return super().forward(x).cos()


class CosineBeforeScores(Tiny):
    """An operation without a known constant part, ahead of a linear layer."""

    def forward(self, x: Any) -> Any:
        return self.fc(self.pool(self.features(x)).flatten(1).cos())


@pytest.mark.parametrize(
    ("factory", "reason"), [(Hidden, "miss the score"), (CosineOfScores, "1 Cos"), (CosineBeforeScores, "1 Cos")]
)
def test_constants_that_nobody_can_see_are_noticed(pictures: torch.Tensor, factory: Any, reason: Any) -> None:
    with pytest.raises(NotApplicable, match=reason):
        explain(seeded(factory()).double(), pictures, [0] * 6, ["full_grad"])
