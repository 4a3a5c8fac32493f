"""Nobody's network is harmed: weights that drift, dice, late changes, flags and gates, whatever ends a call."""

import random
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.isolation.eval_mode import eval_mode
from cnnvis_report.isolation.lock import exclusive
from tests.networks import seeded
from tests.robustness.interrupted import Sensitive, differences, state_of

IMAGES = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Drifting(nn.Module):
    """Each pass changes a weight in a way of its own."""

    def __init__(self, drift: Callable[[nn.Linear], object]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.classifier = nn.Linear(4, 3)
        self.drift = drift

    def forward(self, x: Any) -> Any:
        with torch.no_grad():
            self.drift(self.classifier)
        return self.classifier(self.conv(x).relu().mean((2, 3)))


def stepped(layer: nn.Linear) -> None:
    layer.weight.grad = torch.ones_like(layer.weight)
    torch.optim.SGD([layer.weight], 0.1).step()
    layer.weight.grad = None


def replaced(layer: nn.Linear) -> None:
    layer.weight.data = torch.renorm(layer.weight.data, 2, 0, 0.1)


DRIFTS: dict[str, Callable[[nn.Linear], object]] = {
    "in place": lambda layer: layer.bias.add_(0.5),
    "operator": lambda layer: layer.bias.__iadd__(0.5),
    "item": lambda layer: layer.weight.__setitem__(0, 1.0),
    "data": lambda layer: layer.weight.data.mul_(0.5),
    "view": lambda layer: layer.weight[1:].zero_(),
    "out": lambda layer: torch.add(layer.bias, 0.5, out=layer.bias.data),
    "optimizer": stepped,
    "another tensor": replaced,
    "init": lambda layer: nn.init.constant_(layer.bias, 0.3),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_weights_that_passes_change_are_as_before_and_each_pass_begins_with_them(drift: Any) -> None:
    network = seeded(Drifting(DRIFTS[drift]), 1)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    addresses = [parameter.data_ptr() for parameter in network.parameters()]
    found = explain(network, IMAGES, [0, 1], methods=["gradient", "occlusion"])
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert [parameter.data_ptr() for parameter in network.parameters()] == addresses
    # the map of the network as it is after the change of a single pass
    once = seeded(Drifting(lambda layer: None), 1)
    with torch.no_grad():
        DRIFTS[drift](once.classifier)
    wanted = explain(once, IMAGES, [0, 1], methods=["gradient", "occlusion"])
    for name, values in found.items():
        torch.testing.assert_close(values, wanted[name], rtol=1e-4, atol=1e-6)


def test_a_weight_that_is_only_read_by_an_operation_in_place_is_not_looked_after() -> None:
    class Scaled(Drifting):
        def forward(self, x: Any) -> Any:
            x = self.conv(x).mean((2, 3))
            return self.classifier(x.mul_(self.classifier.bias.sum()))

    assert Subject(seeded(Scaled(lambda layer: None), 1), IMAGES[:1]).state.drifting == []


def test_everything_is_as_before_and_so_is_the_state_after_an_error() -> None:
    network = Sensitive()
    before = state_of(network)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        explain(network, IMAGES, [0, 1], methods=["gradient"])
        assert not differences(before, state_of(network), "")
        with pytest.raises(BadRequest):
            explain(network, IMAGES[..., :2], [0, 1], methods=["gradient"])
    assert not differences(before, state_of(network), "")


def numpy_state() -> np.ndarray:
    _, words, *_ = np.random.get_state(legacy=True)
    return np.array(words)


def test_all_dice_are_left_alone() -> None:
    class Draws(Drifting):
        def forward(self, x: Any) -> Any:
            torch.rand(3), np.random.rand(), random.random()
            return super().forward(x)

    network = seeded(Draws(lambda layer: None), 1)
    states = torch.get_rng_state(), numpy_state(), random.getstate()
    explain(network, IMAGES, [0, 1], methods=["gradient"])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(numpy_state(), states[1])
    assert random.getstate() == states[2]


def test_weights_that_somebody_else_changes_meanwhile_are_an_error() -> None:
    network = seeded(Drifting(lambda layer: None), 1)
    passes = []

    def meddle(module: Any, given: Any) -> None:
        passes.append(1)
        if len(passes) == 3:  # after the passes that are looked at
            with torch.no_grad():
                network.conv.weight.add_(1)

    network.classifier.register_forward_pre_hook(meddle)
    with pytest.raises(RunFailed, match="have changed while it was explained"):
        explain(network, IMAGES, [0, 1], methods=["gradient", "smoothgrad"])


def test_another_thread_waits_where_flags_would_matter_to_it_and_only_there() -> None:
    network = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Dropout(0.5)).train()
    done = []

    def run(recording: Any) -> None:
        with torch.set_grad_enabled(recording):
            done.append(network(IMAGES).requires_grad)

    def started(recording: Any) -> Any:
        thread = threading.Thread(target=run, args=(recording,), daemon=True)
        thread.start()
        return thread

    with exclusive(), eval_mode(network):
        waiting = started(True)
        waiting.join(0.2)
        assert waiting.is_alive()
    waiting.join(10)
    assert done == [True]
    with exclusive(), eval_mode(network.eval()):
        started(False).join(10)
        assert done == [True, False]


def test_layers_in_threads_of_their_own_are_said() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.classifier = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

        def forward(self, x: Any) -> Any:
            found = []
            (x * 1.0).sigmoid().tanh().sum()
            thread = threading.Thread(target=lambda: found.append(self.conv(((x + 1) - 1) * 2).relu().mean((2, 3))))
            x = x.clone().sigmoid()
            thread.start()
            thread.join()
            return self.classifier(found[0]) + x.mean()

    network = seeded(Own(), 1)
    with pytest.raises(RunFailed, match="runs its layers in threads of its own"):
        explain(network, IMAGES, [0, 1], methods=["gradient"])
    with pytest.raises(BadRequest, match="runs its layers in threads of its own"):
        explain(network.eval().requires_grad_(False), IMAGES, [0, 1], methods=["gradient"])


def test_a_network_that_ends_the_program_is_an_error_of_its_own() -> None:
    for end in (SystemExit(0), GeneratorExit()):

        def ends(layer: Any, end: Any = end) -> None:
            raise end

        with pytest.raises(BadRequest, match="ends the program"):
            explain(seeded(Drifting(ends), 1), IMAGES, [0, 1], methods=["gradient"])


def elsewhere(action: Any) -> Any:
    """What an action gives in another thread."""
    found = []
    thread = threading.Thread(target=lambda: found.append(action()), daemon=True)
    thread.start()
    thread.join(10)
    return found[0]


def test_what_other_threads_run_is_neither_seen_nor_changed() -> None:
    network = seeded(Drifting(lambda layer: None), 1).eval()
    subject = Subject(network, IMAGES[:1])
    seen = []
    with torch.no_grad():
        wanted = network(IMAGES)
        with subject.watching(["conv"], lambda name, output: seen.append(name)):
            elsewhere(lambda: network(IMAGES))
            assert not seen
            network(IMAGES)
            assert seen == ["conv"]
        with subject._calls.replacing("conv", torch.zeros(2, 4, 6, 6)):
            assert torch.equal(elsewhere(lambda: network(IMAGES).detach()), wanted)
            assert not torch.equal(network(IMAGES), wanted)


def test_a_pass_that_another_thread_is_in_ends_with_the_flags_that_it_began_with() -> None:
    class Slow(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.inside, self.go_on = nn.Conv2d(3, 2, 3), threading.Event(), threading.Event()

        def forward(self, x: Any) -> Any:
            self.inside.set()
            self.go_on.wait(10)
            return self.conv(x), self.training

    network = Slow()
    order: list[str | tuple[bool, bool]] = []

    def freeze() -> None:
        with eval_mode(network):
            order.append("frozen")

    def run() -> None:
        scores, training = network(IMAGES)
        order.append((scores.requires_grad, training))

    threads = [threading.Thread(target=target, daemon=True) for target in (run, freeze)]
    threads[0].start()
    network.inside.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    network.go_on.set()
    for thread in threads:
        thread.join(10)
    assert order == [(True, True), "frozen"]


@pytest.mark.parametrize(
    ("training", "grad", "found"),
    [
        pytest.param(True, True, True, id="training"),
        pytest.param(True, False, True, id="training without gradients"),
        pytest.param(False, True, True, id="eval with gradients"),
        pytest.param(False, False, False, id="eval without gradients: the flags are the same"),
    ],
)
def test_another_network_that_shares_modules_is_found(training: Any, grad: Any, found: Any) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    other = nn.Sequential(network[0], nn.Flatten())
    network.train(training)

    def passes() -> Any:
        with torch.set_grad_enabled(grad):
            return other(IMAGES)

    def explained() -> None:
        with eval_mode(network):
            elsewhere(passes)

    if found:
        with pytest.raises(RunFailed, match=r"Another thread has run modules of Sequential.*copy"):
            explained()
    else:
        explained()
    assert network[0].training is training and network[0].weight.requires_grad
    assert not any(module._forward_pre_hooks for module in network.modules())
    with eval_mode(network):
        network(IMAGES)  # this thread's own passes are no strangers
