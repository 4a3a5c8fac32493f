"""Scores of covered images by the part of a network that sees the cover, against whole passes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from cnnvis_report import explain
from cnnvis_report.engine import covering
from cnnvis_report.engine.covering import cut_for, grayed
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape

pytestmark = pytest.mark.numeric

PATCH = 12


@pytest.fixture(autouse=True)
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small networks are cut too."""
    monkeypatch.setattr(covering, "LEAST_WORK", 0)


class Residual(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.inner(x))


class Gate(nn.Module):
    """As in squeeze-and-excitation: every position sees the whole image."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(x.mean((2, 3), keepdim=True))


class Past(nn.Module):
    """The scores see the image past the layers."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Any:
        return self.inner(x) + x.amax((1, 2, 3), keepdim=False)[:, None]


class Sized(nn.Module):
    """Takes images of one size."""

    def __init__(self, inner: nn.Module, side: int) -> None:
        super().__init__()
        self.inner, self.side = inner, side

    def forward(self, x: Tensor) -> Any:
        assert x.shape[-1] == self.side, "images of another size are no good"
        return self.inner(x)


class Whole(nn.Module):
    """Refuses numbers that are none."""

    def forward(self, x: Tensor) -> Tensor:
        if not bool(x.isfinite().all()):
            raise ValueError("not finite")
        return x


def conv(before: int, after: int, kernel: Any = 3, **keywords: Any) -> nn.Module:
    return nn.Sequential(nn.Conv2d(before, after, kernel, **keywords), nn.ReLU())


def ended(*layers: nn.Module) -> nn.Module:
    """Such layers with 8 channels, more work behind them, and scores."""
    end = (nn.Conv2d(8, 8, 1), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 4))
    torch.manual_seed(1)
    network = nn.Sequential(*layers, *end)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, std=(2 / module.weight[0].numel()) ** 0.5)
    return network.double().eval()


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "padded": lambda: ended(conv(3, 8, padding=1), conv(8, 8, padding=1)),
    "not padded": lambda: ended(conv(3, 8), conv(8, 8)),
    "strides": lambda: ended(conv(3, 8, 7, stride=2, padding=3), conv(8, 8, padding=1)),
    "strides without padding": lambda: ended(conv(3, 8, stride=2), conv(8, 8, stride=2)),
    "pooling": lambda: ended(conv(3, 8, padding=1), nn.MaxPool2d(3, 2, ceil_mode=True), conv(8, 8, padding=1)),
    "pooling to the floor": lambda: ended(conv(3, 8), nn.MaxPool2d(3, 2), conv(8, 8, padding=1), nn.AvgPool2d(2)),
    "even kernels": lambda: ended(conv(3, 8, 4, stride=2, padding=1), conv(8, 8, 2)),
    "rows and columns": lambda: ended(conv(3, 8, (1, 7), padding=(0, 3)), conv(8, 8, (5, 1), padding=(2, 0))),
    "dilated": lambda: ended(conv(3, 8, padding=1), conv(8, 8, dilation=3, padding=3)),
    "residual": lambda: ended(conv(3, 8, padding=1), Residual(nn.Conv2d(8, 8, 3, padding=1)), nn.BatchNorm2d(8)),
    "reflected": lambda: ended(conv(3, 8, padding=1, padding_mode="reflect"), conv(8, 8, padding=1)),
}
SIZES = [(96, 96), (97, 110)]


def images_of(size: tuple[int, int]) -> Tensor:
    return torch.randn(2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def all_corners(size: tuple[int, int]) -> list[tuple[int, int]]:
    """A grid of them that isn't that of any stride, the last ones over the edge."""
    return [(top, left) for top in range(0, size[0] - 3, 17) for left in range(0, size[1] - 3, 19)]


def whole_passes(network: nn.Module, images: Tensor, corners: list[tuple[int, int]]) -> Tensor:
    with torch.no_grad():
        return torch.stack([network(views) for views in grayed(images, corners, PATCH)])


@pytest.mark.parametrize("size", SIZES, ids=["96x96", "97x110"])
@pytest.mark.parametrize("name", NETWORKS)
def test_scores_are_those_of_whole_passes(name: str, size: tuple[int, int]) -> None:
    network, images = NETWORKS[name](), images_of(size)
    subject, corners = Subject(network, images[:1]), all_corners(size)
    assert cut_for(subject, images, PATCH, 16) is not None
    scores = Tape(subject, images, capacity=16).covered_scores(corners, PATCH)
    torch.testing.assert_close(scores, whole_passes(network, images, corners), rtol=1e-9, atol=1e-10)


REFUSED: dict[str, Callable[[], nn.Module]] = {
    "every position sees all": lambda: ended(Gate(), conv(3, 8, padding=1), conv(8, 8, padding=1)),
    "past the layers": lambda: Past(ended(conv(3, 8, padding=1), conv(8, 8, padding=1))),
    "one size": lambda: Sized(ended(conv(3, 8, padding=1), conv(8, 8, padding=1)), 96),
    "numbers that are none": lambda: ended(Whole(), conv(3, 8, padding=1), conv(8, 8, padding=1)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_network_that_can_not_be_cut_runs_as_a_whole(name: str) -> None:
    network, images = REFUSED[name](), images_of((96, 96))
    subject, corners = Subject(network, images[:1]), all_corners((96, 96))
    assert cut_for(subject, images, PATCH, 16) is None
    scores = Tape(subject, images, capacity=16).covered_scores(corners, PATCH)
    torch.testing.assert_close(scores, whole_passes(network, images, corners), rtol=1e-9, atol=1e-10)


def test_a_cut_saves_what_it_says_and_the_plan_counts_it() -> None:
    network, images = NETWORKS["pooling"](), images_of((96, 96))
    subject, corners = Subject(network, images[:1]), all_corners((96, 96))
    cut = cut_for(subject, images, PATCH, 16)
    assert cut is not None and cut.share(PATCH) < 0.6
    tape = Tape(subject, images, capacity=16)
    with Multiplied() as ours, tape.costs.measure() as account:
        tape.covered_scores(corners, PATCH)
    with Multiplied() as theirs:
        whole_passes(network, images, corners)
    assert account.forward == pytest.approx(cut.passes(len(corners), PATCH))
    assert ours.count / theirs.count == pytest.approx(account.forward / len(corners), rel=0.1)
    dry = DryRunTape(subject, subject.take_first_pass(), capacity=16)
    dry.covered_scores(corners, PATCH)
    assert dry.passes()[0] == pytest.approx(1 + account.forward)


def test_layers_beside_another_way_are_no_bottlenecks() -> None:
    subject = Subject(NETWORKS["residual"](), images_of((32, 32))[:1])
    assert subject.bottlenecks == ("0.0", "0.1", "0", "1", "2", "3", "4")


def test_large_patches_and_small_networks_gain_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = images_of((96, 96))
    subject = Subject(NETWORKS["padded"](), images[:1])
    assert cut_for(subject, images, 90, 16) is None
    monkeypatch.setattr(covering, "LEAST_WORK", 1e12)
    assert cut_for(subject, images, PATCH + 1, 16) is None


def test_room_for_one_image_is_kept_to() -> None:
    network, images = NETWORKS["pooling"](), images_of((96, 96))
    subject = Subject(network, images[:1])
    cut = cut_for(subject, images, PATCH, 3)
    assert cut is None or cut.at_a_time == 3
    assert cut_for(subject, images, PATCH, 1) is None, "what leads to the layer would run once a patch"


def test_images_that_change_each_others_scores_are_not_cut_any_more() -> None:
    network, images = NETWORKS["pooling"](), images_of((96, 96))
    subject = Subject(network, images[:1])
    assert cut_for(subject, images, PATCH, 16) is not None
    subject.one_by_one = True
    assert cut_for(subject, images, PATCH, 16) is None


class Multiplied(TorchDispatchMode):
    """How many multiplications convolutions make."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        if function.overloadpacket is torch.ops.aten.convolution:
            self.count += result.numel() * args[1][0].numel()
        return result


def test_occlusion_is_the_same_by_a_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    network, images = NETWORKS["residual"](), images_of((97, 81))
    targets = torch.tensor([[0, 1], [2, 3]])
    images, targets = images.repeat(4, 1, 1, 1), targets.repeat(4, 1)  # room for eight
    with Multiplied() as by_parts:
        by_cut = explain(network, images, targets, ["occlusion"], effort="low")["occlusion"]
    monkeypatch.setattr(covering, "LEAST_WORK", 1e12)
    with Multiplied() as all_of_it:
        whole = explain(network, images, targets, ["occlusion"], effort="low")["occlusion"]
    torch.testing.assert_close(by_cut, whole, rtol=1e-9, atol=1e-10)
    assert by_parts.count < all_of_it.count / 2
