"""Passes over one image are compared: what differs is said, and cured where going one by one cures it."""

import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn
from torch.nn import functional as F

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.pipeline.repeatability.check import check_passes, difference
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.networks import Tiny, seeded


class Between(nn.Module):
    """A small network with something of its own between features and classes."""

    def __init__(self, between: Any) -> None:
        super().__init__()
        self.inner, self.between = seeded(Tiny()), between

    def forward(self, x: Any) -> Any:
        return self.inner.fc(self.between(self.inner.pool(self.inner.features(x)).flatten(1)))


class Counts(nn.Module):
    """Remembers in a list what nobody can give back."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: list[int] = []

    def forward(self, x: Any) -> Any:
        self.counts.append(len(x))
        return x * (1 + len(self.counts) / 10)


class Follows(nn.Module):
    """A moving average that goes on in eval mode."""

    mean = 0.0

    def forward(self, x: Any) -> Any:
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return x - self.mean


RESTLESS = {
    "dropout": lambda: F.dropout,
    "noise": lambda: lambda x: x + 0.3 * torch.randn_like(x),
    "counter": Counts,
    "average": Follows,
}
AMONG = {
    "batch mean": lambda: lambda x: x + 0.5 * x.mean(0),
    "batch norm": lambda: (
        lambda x: F.batch_norm(torch.cat([x, -x[:1], 3 * x[:1]]), None, None, training=True)[: len(x)]
    ),
    "place": lambda: lambda x: x * torch.arange(1, len(x) + 1, dtype=x.dtype)[:, None],
    "size": lambda: lambda x: x / len(x),
    "later ones": lambda: lambda x: x + x.cumsum(0) - x,
}
SINGLE = {
    "view": lambda: lambda x: x.view(1, 8),
    "first row": lambda: lambda x: x[:1] * 1.0,
    "rows in one": lambda: lambda x: x.reshape(1, -1)[:, :8],
}


def told(network: Any, *given: Any, **options: Any) -> tuple[dict[str, torch.Tensor], list[str]]:
    """Maps, and what was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        maps = explain(network, *given, **options)
    return maps, [str(warning.message) for warning in caught]


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("between", RESTLESS.values(), ids=RESTLESS)
def test_a_network_that_does_not_repeat_itself_is_named_with_the_size_of_it(
    between: Any, count: Any, images: torch.Tensor, targets: torch.Tensor
) -> None:
    torch.manual_seed(0)
    _, (warning,) = told(Between(between()).double(), images[:count], targets[:count])
    assert "doesn't repeat itself" in warning and "one by one" not in warning
    assert float(warning.partition("differ by ")[2].partition("%")[0]) > 0


def test_the_size_is_that_of_the_difference(images: torch.Tensor) -> None:
    class Flips(nn.Module):
        signs = itertools.cycle([1.0, -1.0])

        def forward(self, x: Any) -> Any:
            return x * next(self.signs)

    network = nn.Sequential(Between(nn.Identity()), Flips()).double()
    with torch.no_grad():
        logits = network(images[:1])
    expected = 2 * float(logits.abs().max() / (logits.max() - logits.min()))
    actual = check_passes(Subject(network, images[:1]))
    assert actual.again == pytest.approx(expected, rel=1e-6) and actual.logits is None


@pytest.mark.parametrize("between", [*AMONG.values(), *SINGLE.values()], ids=[*AMONG, *SINGLE])
def test_images_that_matter_to_each_other_are_explained_one_by_one(
    between: Any, images: torch.Tensor, targets: torch.Tensor
) -> None:
    network = Between(between()).double()
    names = ["grad_cam", "gradient", "ablation_cam"]
    maps, (warning,) = told(network, images, targets, names)
    assert "one by one" in warning and "repeat" not in warning
    for index in range(3):
        single, _ = told(network, images[index : index + 1], targets[index : index + 1], names)
        for name in names:
            torch.testing.assert_close(maps[name][index : index + 1], single[name], rtol=1e-9, atol=1e-12)


def test_masked_copies_of_a_single_image_do_not_matter_to_each_other(
    images: torch.Tensor, targets: torch.Tensor
) -> None:
    network = Between(lambda x: x - 0.5 * x.mean(0)).double()
    maps, (warning,) = told(network, images[:1], targets[:1], ["ablation_cam", "grad_cam"])
    assert "one by one" in warning
    plain = Between(lambda x: 0.5 * x).double()  # what that is for an image alone
    expected, nothing = told(plain, images[:1], targets[:1], ["ablation_cam", "grad_cam"])
    assert nothing == []
    for name, actual in maps.items():
        torch.testing.assert_close(actual, expected[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("tail", [nn.Identity(), nn.Softmax(1), nn.LogSoftmax(1)])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16])
def test_nothing_is_said_of_a_network_that_repeats(
    kind: Any, tail: Any, images: torch.Tensor, targets: torch.Tensor
) -> None:
    network = nn.Sequential(seeded(Tiny()), tail).to(kind)
    for given in (images, images[:1]):
        assert told(network, given.to(kind), targets[: len(given)], ["grad_cam", "ablation_cam"])[1] == []


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1"])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
def test_rounding_is_no_difference(name: Any, kind: Any) -> None:
    torch.manual_seed(0)
    network = torchvision.models.get_model(name, weights=None).to(kind)
    actual = check_passes(Subject(network, torch.randn(1, 3, 64, 64).to(kind)))
    assert (actual.again, actual.among, actual.refusal) == (0, 0, "")
    assert actual.logits is not None and actual.logits.shape == (2, 1000)


def test_half_precision_within_is_rounding_and_neighbors_are_not() -> None:
    class Rough(nn.Module):
        """As a kernel that is chosen by the batch's size may round."""

        def forward(self, x: Any) -> Any:
            return x * (1 + 0.004 * (len(x) > 1))

    image = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert check_passes(Subject(Between(Rough()), image)).among == 0
    near = check_passes(Subject(Between(lambda x: x + 0.05 * x.mean(0)), image))
    assert 0 < near.among < 0.02


def test_differences_are_told_of_the_range() -> None:
    one = torch.tensor([[1.0, 3.0, 5.0]])
    assert difference(one, torch.tensor([[1.0, 3.0, 5.4]])) == pytest.approx(0.1, rel=1e-6)
    assert difference(one, one + 1e-5) == 0
    assert difference(torch.zeros(1, 3), torch.zeros(1, 3)) == 0
    assert difference(torch.tensor([[2.0]]), torch.tensor([[3.0]])) == pytest.approx(0.5)
    assert difference(one, torch.full((1, 3), float("nan"))) == float("inf")


def test_a_single_image_is_not_looked_at_more_often_than_before(images: torch.Tensor, targets: torch.Tensor) -> None:
    network, runs = seeded(Tiny()).double(), []
    network.register_forward_pre_hook(lambda module, given: runs.append(len(given[0])))
    explain(network, images[:1], targets[:1])
    assert runs == [1, 1], "once over the example, once to explain"
    runs.clear()
    explain(network, images, targets)
    assert runs == [1, 3]


def noisy() -> nn.Module:
    return sized(Between(F.dropout))


def neighborly() -> nn.Module:
    return sized(Between(lambda x: x + x.mean(0)))


def single() -> nn.Module:
    return sized(Between(lambda x: x.view(1, 8)))


def sized(network: nn.Module) -> nn.Module:
    setattr(network, "size", 32)  # noqa: B010 - a module in general has no such attribute
    return network


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for number in range(3):
        Image.fromarray(random.integers(0, 255, (40, 40, 3), np.uint8)).save(tmp_path / "photos" / f"{number}.png")
    return tmp_path / "photos"


def run(factory: str, photos: Path, folder: Any, *words: Any) -> str:
    names = ("-m", "grad_cam,occlusion", "-O", "occlusion.patch=16", "--device", "cpu", "--inspect", "none")
    result = command("run", f"tests.pipeline.repeatability.test_check:{factory}", photos, "-o", folder, *names, *words)
    return str(result.stderr)


@pytest.mark.parametrize("factory", ["neighborly", "single"])
def test_a_run_goes_one_by_one_where_neighbors_matter(factory: str, photos: Path, tmp_path: Path) -> None:
    printed = run(factory, photos, tmp_path / "all")
    assert "3 images, batch size 1" in printed and "note: " in printed and "one by one" in printed
    record = load_run(tmp_path / "all").record
    assert any("one by one" in notice for notice in record.notices)
    assert "one by one" in (tmp_path / "all" / "index.html").read_text()
    run(factory, photos / "2.png", tmp_path / "last")
    image = next(load_run(tmp_path / "last").images()).id
    whole, alone = (load_arrays(tmp_path / name, image) for name in ("all", "last"))
    assert whole.keys() == alone.keys() and all(np.allclose(whole[key], alone[key], atol=1e-6) for key in whole)


def test_a_run_says_that_a_network_does_not_repeat_itself(photos: Path, tmp_path: Path) -> None:
    printed = run("noisy", photos, tmp_path / "r")
    assert "3 images, batch size 3" in printed and "doesn't repeat itself" in printed
    record = load_run(tmp_path / "r").record
    assert any("doesn't repeat itself" in notice for notice in record.notices) and record.identity.logits == ()
    assert "all images were explained already" in run("noisy", photos, tmp_path / "r"), "its logits tell nothing"
