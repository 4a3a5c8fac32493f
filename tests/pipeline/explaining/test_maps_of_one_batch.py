"""Maps that `explain` hands over: nobody else's memory, and warned of where they aren't finite, and only there."""

import warnings

import pytest
import torch
from torch import Tensor

from cnnvis_report import explain
from cnnvis_report.plugin import Kind, Sign, Tape, method
from tests.conftest import forget_methods
from tests.factories import tiny

HUGE = 3e38  # of which a few come to more than float32 can say


@pytest.fixture(autouse=True)
def methods(monkeypatch: pytest.MonkeyPatch) -> None:
    forget_methods(monkeypatch)
    for function in (seen, seen_again, huge, holed):
        method(
            title=function.__name__,
            family="planted",
            source="no source: planted",
            sign=Sign.SIGNED,
            kind=Kind.PIXEL,
            batched_targets=True,
        )(function)


def seen(tape: Tape, targets: Tensor) -> Tensor:
    """The image itself."""
    return tape.images.unsqueeze(1).expand(-1, targets.shape[1], -1, -1, -1)


def seen_again(tape: Tape, targets: Tensor) -> Tensor:
    """The image itself."""
    return seen(tape, targets)


def huge(tape: Tape, targets: Tensor) -> Tensor:
    """Numbers that are finite, and whose sum isn't."""
    return torch.full_like(seen(tape, targets), HUGE)


def holed(tape: Tape, targets: Tensor) -> Tensor:
    """Two numbers that aren't finite, whose sum isn't a number, among others."""
    maps = seen(tape, targets).clone()
    maps[0, 0, 0, 0, :2] = torch.tensor([torch.inf, -torch.inf])
    return maps


def test_maps_share_no_memory_with_others() -> None:
    images = torch.rand(2, 3, 40, 40, generator=torch.Generator().manual_seed(0))
    before = images.clone()
    maps = explain(tiny(), images, [[0], [1]], ["seen", "seen_again"])
    maps["seen"].zero_()
    assert torch.equal(maps["seen_again"][:, 0], before) and torch.equal(images, before)


def test_values_that_are_not_finite_are_counted_whatever_their_sum() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        explain(tiny(), torch.ones(1, 3, 40, 40), [0], ["huge", "holed"])
    assert [str(warning.message) for warning in caught] == ["holed: 2 of 4800 values aren't finite."]
