"""Several threads on one network at once: the maps of one thread alone, and the network as it was."""

import threading
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from cnnvis_report import explain
from tests.narrow import layer, present
from tests.robustness.attack import Attack

METHODS = ("gradient", "grad_cam", "score_cam", "lrp_composite", "ablation_cam", "integrated_gradients")
TARGETS = [0, 1]
BATCHES = [torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
LOCKED = 20.0  # seconds after which threads have locked each other out


class Small(nn.Module):
    """A network with everything that a call changes for a while: flags, hooks' places, buffers, gradients."""

    def __init__(self, body: nn.Sequential | None = None) -> None:
        super().__init__()
        self.features = body or nn.Sequential(
            nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.Conv2d(6, 6, 3), nn.ReLU(inplace=True)
        )
        self.dropout = nn.Dropout(0.5)
        self.classifier = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.classifier(self.dropout(self.features(x).mean((2, 3))))
        return scores


def made(body: nn.Sequential | None = None) -> Small:
    """A network with the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Small(body)


def maps(network: nn.Module, batch: int, method: str) -> Tensor:
    return explain(network, BATCHES[batch], TARGETS, methods=[method])[method]


def at_once(*actions: Callable[[], object]) -> list[object]:
    """What each action gives, or raises, in a thread of its own, all of them let go together."""
    outcomes: list[object] = [None] * len(actions)
    start = threading.Barrier(len(actions))

    def run(index: int) -> None:
        start.wait()
        try:
            outcomes[index] = actions[index]()
        except Exception as error:
            outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LOCKED)
    return ["locked" if thread.is_alive() else outcome for thread, outcome in zip(threads, outcomes, strict=True)]


def wrong(outcome: object, right: Tensor) -> str:
    if not isinstance(outcome, Tensor):
        return f"{type(outcome).__name__}: {outcome}"
    return "" if torch.allclose(outcome, right, rtol=1e-3, atol=1e-5) else "a wrong map"


def left(network: nn.Module, before: nn.Module) -> str:
    """What of a network isn't as in its copy."""
    values = zip(network.state_dict().items(), before.state_dict().values(), strict=True)
    changed = [name for (name, value), other in values if not torch.equal(value, other)]
    if any(one.training != two.training for one, two in zip(network.modules(), before.modules(), strict=True)):
        changed.append("training flags")
    if not all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters()):
        changed.append("gradients")
    if any(module._forward_hooks or module._forward_pre_hooks for module in network.modules()):
        changed.append("hooks")
    return ", ".join(changed)


def one_network(method: str, trains: bool) -> list[str]:
    """Two calls on a network."""
    network = made().train(trains)
    before = deepcopy(network)
    outcomes = at_once(*(partial(maps, network, batch, method) for batch in (0, 1)))
    return [
        *(wrong(outcome, maps(made().eval(), batch, method)) for batch, outcome in enumerate(outcomes)),
        left(network, before),
    ]


def shared_modules(method: str, trains: bool) -> list[str]:
    """A call each on two networks with the same body."""
    one = made().train(trains)
    two = made(one.features).train(trains)
    right = [maps(deepcopy(network).eval(), batch, method) for batch, network in enumerate((one, two))]
    before = deepcopy(one)
    outcomes = at_once(lambda: maps(one, 0, method), lambda: maps(two, 1, method))
    return [*map(wrong, outcomes, right), left(one, before)]


def beside_inference(method: str, trains: bool) -> list[str]:
    """A call, and plain passes in another thread, with gradients where the network trains."""
    network = made().train(trains)
    network.dropout.p = 0.0
    norm = layer(network, "features.1", nn.BatchNorm2d)
    norm.momentum = 0.0
    before = deepcopy(network)
    right = maps(deepcopy(network).eval(), 0, method)

    def passes() -> str:
        for _ in range(10):
            with torch.set_grad_enabled(trains):
                scores = network(BATCHES[1])
            if not torch.allclose(scores, wanted, rtol=1e-4, atol=1e-5) or scores.requires_grad != trains:
                return "another output"
        return ""

    with torch.no_grad():
        wanted = deepcopy(network)(BATCHES[1])
    outcomes = at_once(lambda: maps(network, 0, method), passes)
    present(norm.num_batches_tracked).copy_(before.get_buffer("features.1.num_batches_tracked"))
    return [wrong(outcomes[0], right), str(outcomes[1]), left(network, before)]


WAYS = (one_network, shared_modules, beside_inference)


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Each method in each way, in eval mode and in training mode in turn; two calls or more a trial."""
    combinations = [(way, method, trains) for trains in (False, True) for method in METHODS for way in WAYS]
    for trial in numbers:
        way, method, trains = combinations[trial % len(combinations)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            faults = [fault for fault in way(method, trains) if fault]
        yield f"{way.__name__}, {method}, training={trains}: {'; '.join(faults)}" if faults else ""


THREADS = Attack(
    name="two threads on one network",
    survived="Both have the maps of one thread alone, plain passes beside them their outputs, and the network is as "
    "it was.",
    trials=trials,
    few=6,
    quick=18,
    full=600,
)
