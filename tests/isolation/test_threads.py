"""Passes of other threads: which wait, which are neither seen nor changed, and which are an error."""

import threading
from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report import explain
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, RunFailed
from cnnvis_report.isolation.eval_mode import eval_mode
from cnnvis_report.isolation.lock import exclusive
from tests.isolation.test_process_state import IMAGES, Drifting
from tests.networks import seeded


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
            results = []
            (x * 1.0).sigmoid().tanh().sum()
            thread = threading.Thread(target=lambda: results.append(self.conv(((x + 1) - 1) * 2).relu().mean((2, 3))))
            x = x.clone().sigmoid()
            thread.start()
            thread.join()
            return self.classifier(results[0]) + x.mean()

    network = seeded(Own(), 1)
    with pytest.raises(RunFailed, match="runs its layers in threads of its own"):
        explain(network, IMAGES, [0, 1], methods=["gradient"])
    with pytest.raises(BadRequest, match="runs its layers in threads of its own"):
        explain(network.eval().requires_grad_(False), IMAGES, [0, 1], methods=["gradient"])


def elsewhere(action: Any) -> Any:
    """What an action gives in another thread."""
    results = []
    thread = threading.Thread(target=lambda: results.append(action()), daemon=True)
    thread.start()
    thread.join(10)
    return results[0]


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
    ("training", "grad", "noticed"),
    [
        pytest.param(True, True, True, id="training"),
        pytest.param(True, False, True, id="training without gradients"),
        pytest.param(False, True, True, id="eval with gradients"),
        pytest.param(False, False, False, id="eval without gradients: the flags are the same"),
    ],
)
def test_another_network_that_shares_modules_is_found(training: bool, grad: bool, noticed: bool) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    other = nn.Sequential(network[0], nn.Flatten())
    network.train(training)

    def passes() -> Any:
        with torch.set_grad_enabled(grad):
            return other(IMAGES)

    def explained() -> None:
        with eval_mode(network):
            elsewhere(passes)

    if noticed:
        with pytest.raises(RunFailed, match=r"Another thread has run modules of Sequential.*copy"):
            explained()
    else:
        explained()
    assert network[0].training is training and network[0].weight.requires_grad
    assert not any(module._forward_pre_hooks for module in network.modules())
    with eval_mode(network):
        network(IMAGES)  # this thread's own passes are no strangers
