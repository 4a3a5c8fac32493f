"""A network that is compiled, wrapped, checkpointed or counting gives the maps of the plain one, and is untouched."""

import copy
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.isolation.buffers import OwnState
from tests.networks import Tiny, seeded

CHECKPOINTING = torch.utils.checkpoint.CheckpointFunction
METHODS = ["grad_cam", "gradient", "guided_backprop", "lrp_composite", "smoothgrad", "rise", "score_cam"]
IMAGES = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(3))


def called(features: nn.Module, x: torch.Tensor) -> Any:
    return features(x)


class Body(nn.Module):
    """The tiny network, its features called by what `run` makes of them."""

    def __init__(self, run: Callable[[nn.Module, torch.Tensor], Any] = called) -> None:
        super().__init__()
        self.inner, self.run = seeded(Tiny()), run

    def forward(self, x: Any) -> Any:
        return self.inner.fc(self.inner.pool(self.run(self.inner.features, x)).flatten(1))


def maps(network: nn.Module, images: torch.Tensor = IMAGES, **options: Any) -> dict[str, torch.Tensor]:
    return explain(network, images, [1, 2], METHODS, n=3, **options)


@pytest.fixture(scope="module")
def wanted() -> dict[str, torch.Tensor]:
    return maps(Body())


def compiled_inside() -> Body:
    network = Body()
    compiled = torch.compile(network.inner.features, backend="eager")
    assert isinstance(compiled, nn.Module)
    network.inner.add_module("features", compiled)
    return network


def compiled_in_place() -> Body:
    network = Body()
    network.inner.features.compile(backend="eager")
    return network


OTHERWISE: dict[str, Callable[[], Any]] = {  # compiling a module is said to give a function
    "compiled": lambda: torch.compile(Body(), backend="eager"),
    "compiled inside": compiled_inside,
    "compiled in place": compiled_in_place,
    "compiled function": lambda: Body(torch.compile(called, backend="eager")),
    "parallel": lambda: nn.DataParallel(Body()),
    "averaged": lambda: torch.optim.swa_utils.AveragedModel(Body()),
    "parallel and compiled": lambda: torch.compile(nn.DataParallel(Body()), backend="eager"),
    "checkpointed, reentrant": lambda: Body(lambda features, x: checkpoint(features, x, use_reentrant=True)),
    "checkpointed": lambda: Body(lambda features, x: checkpoint(features, x, use_reentrant=False)),
}


@pytest.mark.parametrize("how", OTHERWISE)
def test_what_hides_the_operations_is_put_aside_for_a_while(how: Any, wanted: dict[str, torch.Tensor]) -> None:
    network = OTHERWISE[how]()
    kinds = [type(module).__name__ for module in network.modules()]
    actual = maps(network)
    for name, own in wanted.items():
        assert torch.equal(actual[name], own), name
    assert [type(module).__name__ for module in network.modules()] == kinds
    assert explain(network, IMAGES, [1, 2], layer="inner.features.3")["grad_cam"].shape == (2, 8, 8)
    assert torch.utils.checkpoint.CheckpointFunction is CHECKPOINTING


def test_autocasting_around_the_call_changes_nothing(wanted: dict[str, torch.Tensor]) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        actual = maps(Body())
        assert torch.is_autocast_enabled("cpu")
    for name, own in wanted.items():
        assert actual[name].dtype is torch.float32 and torch.equal(actual[name], own), name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_network_in_half_precision_has_maps_in_single(dtype: Any) -> None:
    network = Body().to(dtype)
    plain = copy.deepcopy(network).float()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    actual = maps(network, IMAGES.to(dtype))
    for name, own in maps(plain, IMAGES.to(dtype).float()).items():
        assert actual[name].dtype is torch.float32 and torch.equal(actual[name], own), name
    for key, value in network.state_dict().items():
        assert value.dtype == before[key].dtype and torch.equal(value, before[key])


def test_another_default_type_changes_nothing(wanted: dict[str, torch.Tensor]) -> None:
    network = Body()
    torch.set_default_dtype(torch.float64)
    try:
        actual = maps(network)
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(actual[name].dtype is torch.float32 and torch.equal(actual[name], own) for name, own in wanted.items())


class Moving(Body):
    """Counts its passes, adds the count to what it sees, and remembers the last picture."""

    calls: torch.Tensor
    mean: torch.Tensor
    twin: torch.Tensor
    last: torch.Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("twin", self.calls)
        self.times, self.last = 0, None

    def forward(self, x: Any) -> Any:
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.mean((0, 2, 3)).detach()
        self.times += 1
        self.last = x
        assert self.twin is self.calls
        return super().forward(x) * self.calls


def test_what_a_network_counts_in_is_left_as_it_was_and_each_pass_begins_with_it(
    wanted: dict[str, torch.Tensor],
) -> None:
    network = Moving()
    calls, mean = network.calls, network.mean
    actual = maps(network)
    assert network.calls is calls and network.mean is mean and network.twin is calls
    assert float(calls) == 0 and not mean.any() and network.times == 0 and network.last is None
    for name, own in wanted.items():  # the first pass multiplies by 1, and so do all others
        torch.testing.assert_close(actual[name], own, rtol=0, atol=0)


def test_only_what_moves_is_looked_after() -> None:
    subject = Subject(Moving(), IMAGES[:1])
    assert sorted(name for _, name in subject.state._slots) == ["calls", "last", "mean", "times", "twin"]
    still = OwnState(Body())
    with still.working_copies():
        pass
    still.keep_changed_only()
    assert still._slots == []


def test_the_callers_dice_are_left_alone() -> None:
    network = Body(lambda features, x: nn.functional.dropout(features(x), 0.5, training=True))
    before = torch.get_rng_state()
    maps(network)
    assert torch.equal(torch.get_rng_state(), before)


def test_maps_that_are_not_finite_are_warned_of_by_name_and_number() -> None:
    class Cut(Body):
        def forward(self, x: Any) -> Any:
            return super().forward(x) + (0 * x).abs().sum((1, 2, 3)).sqrt().unsqueeze(1)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        maps = explain(Cut(), IMAGES, [1, 2], ["gradient", "grad_cam"])
    assert [str(warning.message) for warning in caught] == ["gradient: 1536 of 1536 values aren't finite."]
    assert caught[0].filename == __file__ and bool(maps["grad_cam"].isfinite().all())
