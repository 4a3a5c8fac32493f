"""Passes of a run are compared as it goes on: what the comparison at its start can't see is said, and cured."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnvis_report.engine.subject import Subject
from cnnvis_report.inspection.activation_maximization import maximize_activations
from cnnvis_report.inspection.inversion import invert
from cnnvis_report.inspection.objectives import Objective
from cnnvis_report.pipeline.repeatability.check import check_passes
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor
from cnnvis_report.pipeline.repeatability.random_draws import watched
from cnnvis_report.store import load_arrays, load_run
from tests.conftest import command
from tests.pipeline.repeatability.test_check import Between, sized


class Batches(nn.Module):
    """Does something to batches of at least so many."""

    def __init__(self, least: Any, act: Any) -> None:
        super().__init__()
        self.least, self.act = least, act

    def forward(self, x: Any) -> Any:
        return x if len(x) < self.least else self.act(x)


class Passes(nn.Module):
    """Does something to some of its passes, which it counts where nobody sees it."""

    def __init__(self, act: Any) -> None:
        super().__init__()
        self.act = act
        self.passes: list[int] = []

    def forward(self, x: Any) -> Any:
        self.passes.append(1)
        return self.act(x, len(self.passes))


def large() -> nn.Module:
    return sized(Between(Batches(5, lambda x: x + x.mean(0))))


def largest() -> nn.Module:
    return sized(Between(Batches(5, lambda x: torch.maximum(x, x.amax(0)))))


def rare() -> nn.Module:
    return sized(Between(Passes(lambda x, count: x * (1 if count % 3 else 2))))


def drifting() -> nn.Module:
    return sized(Between(Passes(lambda x, count: x * (1 + 2e-6 * count))))


def drawing() -> nn.Module:
    return sized(Between(lambda x: x + 0.3 * (torch.rand(()) < 1e-6)))


def quiet() -> nn.Module:
    return sized(Between(nn.Identity()))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for number in range(12):
        values = np.random.default_rng(number).integers(0, 255, (32, 32, 3), np.uint8)
        Image.fromarray(values).save(tmp_path / "photos" / f"{number:02d}.png")
    return tmp_path / "photos"


def run(factory: str, photos: Path, folder: Any, inside: str = "none", size: str = "6") -> tuple[str, tuple[str, ...]]:
    """What is said on the terminal, and the notices of the report."""
    words = (
        *("-m", "grad_cam,occlusion", "-O", "occlusion.patch=16", "--device", "cpu", "--batch-size", size),
        *("--limit", "12" if inside == "none" else "4", "--inspect", inside),
    )
    result = command("run", f"tests.pipeline.repeatability.test_pass_monitor:{factory}", photos, "-o", folder, *words)
    return result.stderr, load_run(folder).record.notices


@pytest.mark.parametrize("factory", ["large", "largest"])
def test_what_only_happens_in_larger_batches_is_seen_and_cured(factory: str, photos: Path, tmp_path: Path) -> None:
    printed, notices = run(factory, photos, tmp_path / "all")
    (notice,) = notices
    assert (
        "depend on the other images of its batch" in notice
        and "one by one" in notice
        and f"Warning: {notice}" in printed
    )
    _, nothing = run(factory, photos, tmp_path / "single", size="1")
    assert nothing == () and load_run(tmp_path / "all").record.images == 12
    ids = [image.id for image in load_run(tmp_path / "all").images()]
    for image in (ids[0], ids[5], ids[11]):
        actual, expected = (load_arrays(tmp_path / name, image) for name in ("all", "single"))
        assert actual.keys() == expected.keys() and actual
        assert all(np.allclose(actual[key], expected[key], atol=1e-6) for key in actual)


def test_noise_that_strikes_rarely_is_seen_in_later_passes(photos: Path, tmp_path: Path) -> None:
    printed, notices = run("rare", photos, tmp_path / "r", inside="standard")
    assert any("doesn't repeat itself" in notice or "in a later pass" in notice for notice in notices), notices
    assert "Warning: rare" in printed


def test_images_that_are_looked_at_again_are_compared(images: torch.Tensor) -> None:
    subject = Subject(Between(nn.Identity()).double(), images[:1])
    assert subject.first_pass is not None
    monitor = PassMonitor.of(subject, images[:1], subject.first_pass.logits, check_passes(subject))
    logits = subject.forward(images)
    assert not monitor.check_batch(["a", "b", "c"], images, logits)
    monitor.check_again(["a", "b", "c", "d"], torch.cat([logits * (1 + 1e-11), logits[:1]]))
    assert monitor.notices() == []
    off = logits.clone()
    off[1, 2] += 0.1 * (logits[1].max() - logits[1].min())
    monitor.check_again(["b"], off[1:2])
    (notice,) = monitor.notices()
    assert "gave 1 of 3 images other logits in a later pass" in notice


def test_a_state_that_moves_on_slowly_is_seen_at_the_end(photos: Path, tmp_path: Path) -> None:
    _, notices = run("drifting", photos, tmp_path / "r", size="2")
    assert any("a state that moves on" in notice for notice in notices), notices


def test_a_network_that_draws_random_numbers_is_named_although_its_passes_agree(photos: Path, tmp_path: Path) -> None:
    printed, (notice,) = run("drawing", photos, tmp_path / "r")
    assert "draws random numbers in its passes; 16 passes over one image agreed" in notice and notice in printed


def test_nothing_is_said_of_a_network_that_repeats_itself(photos: Path, tmp_path: Path) -> None:
    printed, notices = run("quiet", photos, tmp_path / "r")
    assert notices == () and "Warning" not in printed


class WithGenerators(nn.Linear):
    """Has generators of its own, of PyTorch, Python and NumPy."""

    def __init__(self) -> None:
        super().__init__(2, 2)
        self.torch, self.python, self.numpy = torch.Generator(), random.Random(0), np.random.default_rng(0)


@pytest.mark.parametrize(
    "draw",
    [
        pytest.param(lambda network: torch.rand(2), id="PyTorch"),
        pytest.param(lambda network: random.random(), id="Python"),
        pytest.param(lambda network: np.random.rand(2), id="NumPy"),
        pytest.param(lambda network: torch.rand(2, generator=network.torch), id="own of PyTorch"),
        pytest.param(lambda network: network.python.random(), id="own of Python"),
        pytest.param(lambda network: network.numpy.random(), id="own of NumPy"),
    ],
)
def test_every_generator_that_a_network_may_draw_from_is_watched(draw: Callable[[WithGenerators], object]) -> None:
    network = WithGenerators()
    with watched(network) as draws:
        draw(network)
    assert draws


def test_a_pass_that_draws_nothing_is_no_draw() -> None:
    network = WithGenerators()
    with watched(network) as draws:
        network(torch.ones(1, 2))
    assert not draws


def test_few_passes_are_made_for_it(images: torch.Tensor) -> None:
    runs = []
    network = Between(nn.Identity()).double()
    network.register_forward_pre_hook(lambda module, given: runs.append(len(given[0])))
    check_passes(Subject(network, images[:1]))
    assert runs == [1, 3]


def test_preferred_inputs_and_inversions_have_no_part_in_each_other(images: torch.Tensor) -> None:
    network = Between(lambda x: x + x.mean(0)).double()
    subject = Subject(network, images[:1])
    subject.one_by_one = True
    goals = [Objective("", (0,)), Objective("", (3,))]
    both = maximize_activations(subject, goals, steps=3, size=(16, 16))
    for goal, maximized in zip(goals, both, strict=True):
        (alone,) = maximize_activations(subject, [goal], steps=3, size=(16, 16))
        torch.testing.assert_close(maximized.image, alone.image)
    names = ["inner.features.0", "inner.features"]
    for name, inverted in zip(names, invert(subject, images[0], names, steps=3), strict=True):
        torch.testing.assert_close(inverted.image, invert(subject, images[0], [name], steps=3)[0].image)
