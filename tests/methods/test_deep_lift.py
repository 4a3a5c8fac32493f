"""DeepLIFT by hand, layer by layer in double precision, and as Captum has it; nothing of a score is lost."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnnvis_report.errors import NotApplicable
from tests.architectures import architecture
from tests.exhaustive import represented
from tests.methods.maps import noted, only, scores
from tests.networks import Awkward, Tiny, seeded

pytestmark = pytest.mark.numeric

GRAY = {"mean": (-0.25, 0.1, 0.4), "std": (1.0, 1.0, 1.0)}  # black is read as these numbers with another sign
LINEAR = (nn.Conv2d, nn.Linear, nn.BatchNorm2d, nn.AvgPool2d, nn.Flatten)


def black(images: torch.Tensor) -> torch.Tensor:
    return -torch.tensor(GRAY["mean"], dtype=images.dtype).view(3, 1, 1).expand_as(images)


def assert_complete(network: Any, images: Any, targets: Any, maps: Any) -> None:
    """The maps sum to the difference of the scores, but for the rounding of what they add up."""
    rise = (scores(network, images) - scores(network, black(images))).gather(1, targets[:, None])[:, 0]
    missed = (maps.sum((1, 2, 3)) - rise).abs() / maps.abs().sum((1, 2, 3))
    assert float(missed.max()) < 1e-12, missed


class Saturated(nn.Module):
    """1 - relu(1 - the sum of the pixels): flat at an image of ones, where every gradient is 0."""

    def forward(self, x: Any) -> Any:
        score = 1 - functional.relu(1 - x.sum((1, 2, 3)))
        return torch.stack([score, -2 * score], 1)


def test_a_saturated_score_is_shared_where_the_gradient_is_zero() -> None:
    ones = torch.ones(1, 3, 1, 1, dtype=torch.float64)
    assert float(only(Saturated(), ones, [0], "gradient").abs().max()) == 0
    torch.testing.assert_close(only(Saturated(), ones, [0], "deep_lift"), ones / 3)
    torch.testing.assert_close(only(Saturated(), ones, [1], "deep_lift"), -2 * ones / 3)


ACTIVATIONS = {
    "relu": nn.ReLU(),
    "relu in place": nn.ReLU(inplace=True),
    "relu6": nn.ReLU6(inplace=True),
    "hardtanh": nn.Hardtanh(-0.1, 0.2),
    "leaky": nn.LeakyReLU(0.2),
    "leaky in place": nn.LeakyReLU(0.3, inplace=True),
    "prelu": nn.PReLU(4),
    "elu": nn.ELU(0.7),
    "elu in place": nn.ELU(0.7, inplace=True),
    "selu": nn.SELU(inplace=True),
    "silu": nn.SiLU(inplace=True),
    "gelu": nn.GELU(),
    "tanh gelu": nn.GELU(approximate="tanh"),
    "mish": nn.Mish(),
    "hardswish": nn.Hardswish(inplace=True),
    "sigmoid": nn.Sigmoid(),
    "hardsigmoid": nn.Hardsigmoid(),
    "tanh": nn.Tanh(),
    "softplus": nn.Softplus(2.0),
}


def by_layers(layers: nn.Sequential, images: torch.Tensor, target: int) -> torch.Tensor:
    """The rule as it is written: Jacobians of linear layers, ratios of differences of activations."""
    values, others = [images[None]], [black(images)[None]]
    for layer in layers:
        values.append(layer(values[-1].clone()).detach())
        others.append(layer(others[-1].clone()).detach())
    m = torch.zeros_like(values[-1])
    m[0, target] = 1
    for layer, x, x0, y, y0 in reversed([*zip(layers, values, others, values[1:], others[1:], strict=False)]):
        if isinstance(layer, LINEAR):
            jacobian = torch.autograd.functional.jacobian(layer, x)
            m = (m.flatten() @ jacobian.reshape(y.numel(), x.numel())).view_as(x)
        else:
            m = m * (y - y0) / (x - x0)
    return ((images - black(images)) * m)[0]


def sequence(activation: nn.Module) -> nn.Sequential:
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), activation, nn.AvgPool2d(2), nn.Conv2d(4, 4, 2), activation]
    return seeded(nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 5))).double().eval()


@pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=ACTIVATIONS)
def test_each_activation_passes_on_its_ratio(activation: Any) -> None:
    images = torch.randn(2, 3, 12, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    network = sequence(activation)
    maps = only(network, images, [1, 4], "deep_lift", **GRAY)
    for image, target, actual in zip(images, (1, 4), maps, strict=True):
        torch.testing.assert_close(actual, by_layers(network, image, target), rtol=1e-8, atol=1e-12)
    assert_complete(network, images, torch.tensor([1, 4]), maps)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "silu", "gelu", "mish", "softplus"])
def test_a_ratio_of_small_differences_is_the_slope_between(name: Any) -> None:
    function = getattr(functional, name)

    class Sum(nn.Module):
        def forward(self, x: Any) -> Any:
            score = function(x).sum((1, 2, 3))
            return torch.stack([score, -score], 1)

    near = torch.tensor([1e-6, -3e-6, 5e-6], dtype=torch.float64).view(1, 3, 1, 1)
    between = (black(near) + near / 2).requires_grad_()
    (slopes,) = torch.autograd.grad(function(between).sum(), between)
    maps = only(Sum(), black(near) + near, [0], "deep_lift", **GRAY)
    torch.testing.assert_close(maps, near * slopes, rtol=1e-9, atol=0)


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ELU(), nn.LeakyReLU(), nn.Sigmoid(), nn.Tanh(), nn.Softplus()])
def test_captum_has_the_same_multipliers(activation: Any, images: Any, targets: Any) -> None:
    attr = pytest.importorskip("captum.attr")
    layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), activation, nn.AvgPool2d(2), nn.Conv2d(4, 4, 2)]
    network = seeded(nn.Sequential(*layers, type(activation)(), nn.Flatten(), nn.Linear(144, 5))).double().eval()
    with pytest.warns(UserWarning):  # that it sets hooks
        expected = attr.DeepLift(network).attribute(images, baselines=black(images), target=targets).detach()
    torch.testing.assert_close(only(network, images, targets, "deep_lift", **GRAY), expected, rtol=1e-9, atol=1e-12)


def pooled(values: Any, before: Any, kernel: Any, stride: int = 1, dtype: Any = torch.float64) -> Any:
    """The map of the sum of a row's maxima, less the one before; the last two channels are empty."""
    rows = [torch.tensor([[numbers, [0] * 5, [0] * 5]], dtype=dtype).view(1, 3, 1, 5) for numbers in (values, before)]

    class Rows(nn.Module):
        def forward(self, x: Any) -> Any:
            score = functional.max_pool2d(x + rows[1], (1, kernel), stride).sum((1, 2, 3))
            return torch.stack([score, -score], 1)

    return only(Rows(), rows[0] - rows[1], [0], "deep_lift")[0, 0, 0].tolist()


def test_maxima_rise_where_they_are_and_fall_where_they_were() -> None:
    """Black is the row before; what counts is the change from it."""
    assert pooled([1, 5, 2, 0, 0], [3, 1, 2, 0, 0], 5) == [0, 2, 0, 0, 0]  # from 3 to 5: a rise at the second
    assert pooled([1, 2, 0, 0, 0], [1, 1, 0, 6, 0], 5) == [0, 0, 0, -4, 0]  # from 6 to 2: a fall at the fourth
    assert pooled([0, 4, 0, 0, 0], [1, 1, 1, 1, 1], 5) == [0, 3, 0, 0, 0]  # a uniform reference: at the maximum itself
    assert pooled([0, 0.5, 0, 0, 0], [1, 1, 1, 1, 1], 5) == [0, -0.5, 0, 0, 0]
    assert pooled([2, 2, 2, 2, 2], [0, 0, 7, 0, 0], 5) == [0, 0, -5, 0, 0]  # a uniform image: where it was
    assert pooled([1, 2, 3, 0, 0], [1, 2, 3, 0, 0], 5) == [0, 0, 0, 0, 0]


def test_windows_that_overlap_add_up() -> None:
    assert pooled([0, 0, 4, 0, 0], [1, 0, 0, 0, 3], 3) == [0, 0, 8, 0, 0]
    assert pooled([1, 0, 2, 0, 1], [0, 5, 0, 3, 0], 3) == [0, -6, 0, -1, 0]


def test_a_rounding_of_a_uniform_reference_moves_nothing() -> None:
    almost = 1 + torch.finfo(torch.float64).eps
    maps = pooled([0, 0, 0.5, 0, 0], [almost, 1, 1, 1, almost], 5)
    assert maps[2] == pytest.approx(-0.5) and maps[:2] + maps[3:] == [0, 0, 0, 0]


class Gated(nn.Module):
    """A gate from the averages of the channels, a square, a part of the picture left out and a difference."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.squeeze, self.fc = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 6, 1), nn.Linear(6, 4)

    def forward(self, x: Any) -> Any:
        x = self.conv(x[:, :, 2:]).relu()
        x = x * torch.sigmoid(self.squeeze(x.mean((2, 3), keepdim=True)))
        return self.fc((x * x - x / 3).mean((2, 3)))


class Norms(nn.Module):
    """Layer norms over channels, positions and both, with weights and without, and group norms."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.over = nn.Conv2d(3, 6, 3, stride=2), nn.LayerNorm([6, 7, 7])
        self.groups, self.plain, self.last = nn.GroupNorm(2, 6), nn.GroupNorm(1, 6, affine=False), nn.LayerNorm(6)
        self.fc = nn.Linear(6, 4)
        for norm in (self.over, self.groups, self.last):
            nn.init.uniform_(norm.weight, 0.5, 2, generator=torch.Generator().manual_seed(2))

    def forward(self, x: Any) -> Any:
        x = functional.gelu(self.over(self.conv(x)))
        x = self.plain(self.groups(x).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) * 2)
        return self.fc(functional.layer_norm(self.last(x.permute(0, 2, 3, 1)).mean((1, 2)), [6]))


def test_near_the_reference_multipliers_are_gradients(images: Any, targets: Any) -> None:
    network = seeded(Norms()).double().eval()
    near = (black(images) + 1e-7 * images).detach().requires_grad_()
    (slopes,) = torch.autograd.grad(network(near).gather(1, targets[:, None] % 4).sum(), near)
    expected = slopes * (near - black(images))
    actual = only(network, near.detach(), targets % 4, "deep_lift", **GRAY)
    torch.testing.assert_close(actual, expected.detach(), rtol=1e-4, atol=1e-6 * float(expected.detach().abs().max()))


class Pooled(Tiny):
    """Windows with margins, holes and parts beyond the edge, of values below 0, and windows of several sizes."""

    def forward(self, x: Any) -> Any:
        x = functional.max_pool2d(self.features[0](x) - 9, 3, 2, 1, dilation=2, ceil_mode=True)
        x = functional.max_pool2d(self.features[3](x), 3, 1, 1).relu()
        return self.fc(functional.adaptive_max_pool2d(x, (3, 2)).mean((2, 3)))


class Decomposed(Tiny):
    """Its batch norm is called as an exported program calls it that was taken to pieces."""

    def forward(self, x: Any) -> Any:
        numbers = [torch.linspace(low, 2, 6, dtype=x.dtype) for low in (0.5, -1, -0.3, 0.1)]
        x = torch.ops.aten._native_batch_norm_legit_no_training(self.features[0](x), *numbers, 0.1, 1e-5)[0]
        return self.fc(self.pool(self.features[3](x.relu()).relu()).flatten(1))


@pytest.mark.parametrize("factory", [Tiny, Awkward, Gated, Norms, Pooled, Decomposed])
def test_nothing_of_a_score_is_lost(factory: Any, images: Any) -> None:
    network, targets = seeded(factory()).double().eval(), torch.tensor([1, 3, 0])
    _, notes, _ = noted(network, images, targets[:, None], "deep_lift")
    assert float(notes["residual"].max()) < 1e-9
    assert_complete(network, images, targets, only(network, images, targets, "deep_lift", **GRAY))


USED = (
    "vgg11_bn",
    "resnet18",
    "densenet121",
    "googlenet",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "convnext_tiny",
)


@pytest.mark.parametrize("name", represented(USED, by=("vgg11_bn", "resnet18", "convnext_tiny")))
def test_nothing_is_lost_on_what_people_use(name: Any) -> None:
    network, images = architecture(name, biases=True)
    network, images, targets = network.double(), images.double(), torch.tensor([3, 7])
    assert_complete(network, images, targets, only(network, images, targets, "deep_lift", **GRAY))


def test_a_product_counts_each_factor_with_the_mean_of_the_other() -> None:
    class Product(nn.Module):
        def forward(self, x: Any) -> Any:
            score = (x[:, 0] * x[:, 1]).sum((1, 2))
            return torch.stack([score, -score], 1)

    image = torch.tensor([3.0, 5.0, 1.0], dtype=torch.float64).view(1, 3, 1, 1)
    maps = only(Product(), image, [0], "deep_lift", mean=(-1, -1, 0), std=(1, 1, 1))  # black is 1, 1, 0
    assert maps.flatten().tolist() == [(3 - 1) * 3.0, (5 - 1) * 2.0, 0]


class Softened(Tiny):
    def forward(self, x: Any) -> Any:
        return self.fc(self.pool(self.features(x)).flatten(1).softmax(1))


class Undecided(Tiny):
    """Takes another way for dark pictures."""

    def forward(self, x: Any) -> Any:
        scores = super().forward(x)
        return 2 * scores if float(x.detach().abs().sum()) else scores


class Traced(Tiny):
    """Its last activation runs where no mode of PyTorch's is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = torch.jit.trace(torch.relu, torch.zeros(1))

    def forward(self, x: Any) -> Any:
        return self.fc(self.relu(self.pool(self.features(x)).flatten(1) - 0.1))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("factory", "reason"),
    [(Softened, "1 Softmax"), (Undecided, "something else"), (Traced, "can't be seen")],
)
def test_a_network_without_a_way_back_says_why(factory: Any, reason: Any, images: Any, targets: Any) -> None:
    with pytest.raises(NotApplicable, match=reason):
        only(seeded(factory()).eval(), images.float(), targets, "deep_lift")
