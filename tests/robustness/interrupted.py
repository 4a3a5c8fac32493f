"""Ctrl-C at any line of explain(): the network and what is the process's are as before, and the next call is right."""

import gc
import random
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils import checkpoint

from cnnvis_report import explain
from cnnvis_report.isolation.lock import LOCK
from tests.robustness.attack import Attack

METHODS = (
    ("gradient", "grad_cam"),
    ("lrp_composite", "smoothgrad"),
    ("score_cam", "occlusion"),
    ("guided_backprop", "integrated_gradients"),
)
CHANGING = (
    "restore.py",
    "eval_mode.py",
    "isolation/context.py",
    "eager.py",
    "buffers.py",
    "layer_calls.py",
    "isolation/lock.py",
    "contextlib.py",
)
OPTIONS: dict[str, Any] = {"smoothgrad": {"n": 2}, "occlusion": {"patch": 6}, "integrated_gradients": {"steps": 4}}
IMAGES = torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0))


class Sensitive(nn.Module):
    """Training, with gradients, hooks, a frozen part; each pass counts, draws, and writes to a weight and to a list."""

    passes: torch.Tensor
    last: torch.Tensor | None

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU())
        self.classifier = nn.Linear(4, 3)
        self.register_buffer("passes", torch.zeros(()))
        self.last, self.seen = None, list[int]()
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / 3)
                parameter.grad = torch.randn(parameter.shape, generator=generator)
        next(self.parameters()).requires_grad_(False)
        self.features[3].register_forward_hook(lambda module, given, output: None)
        self.train()
        self.classifier.eval()

    def forward(self, x: torch.Tensor) -> Any:
        self.passes += 1
        self.seen.append(len(x))
        with torch.no_grad():
            self.classifier.bias.add_(0.01)
        torch.rand(1), np.random.rand(), random.random()
        self.last = activations = checkpoint.checkpoint(self.features, x, use_reentrant=False)
        return self.classifier(activations.mean((2, 3)))


def state_of(network: Sensitive) -> dict[str, Any]:
    """All that has to be as before, as what can be compared."""
    found: dict[str, Any] = {
        "values": [value.tolist() for value in network.state_dict().values()],
        "places": [id(value) for value in (*network.parameters(), *network.buffers())],
        "gradients": [None if each.grad is None else each.grad.tolist() for each in network.parameters()],
        "trainable": [each.requires_grad for each in network.parameters()],
        "training": [module.training for module in network.modules()],
        "attributes": [sorted(vars(module)) for module in network.modules()],
        "hooks": [
            [len(value) for name, value in sorted(vars(module).items()) if name.endswith(("_hooks", "_kwargs"))]
            for module in network.modules()
        ],
        "own": [network.last, list(network.seen)],
    }
    return found | switches()


def switches() -> dict[str, Any]:
    """What is the thread's and the process's."""
    return {
        "random numbers": [torch.get_rng_state().tolist(), _numpy_state(), random.getstate()],
        "recording": [torch.is_grad_enabled(), torch.is_inference_mode_enabled()],
        "casting": [torch.is_autocast_enabled("cpu"), torch.autocast_increment_nesting() - 1],
        "nesting": torch.autocast_decrement_nesting(),
        "precision": [torch.get_float32_matmul_precision(), torch.get_default_dtype(), torch.backends.cudnn.allow_tf32],
        "modes": [torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack()],
        "stand-ins": [checkpoint.CheckpointFunction, torch.autocast.__enter__],
        "locked": free(),
    }  # fmt: skip


def _numpy_state() -> list[int]:
    state: list[int] = np.random.get_state(legacy=False)["state"]["key"].tolist()
    return state


def free() -> bool:
    """Whether another thread could have the lock."""
    free: list[bool] = []

    def ask() -> None:
        free.append(LOCK.acquire(blocking=False))
        if free[0]:
            LOCK.release()

    asking = threading.Thread(target=ask)
    asking.start()
    asking.join()
    return free[0]


class Interruption:
    """Raises KeyboardInterrupt at the n-th line that runs in this thread, of whatever file; counts them all."""

    def __init__(self, line: int) -> None:
        self.line, self.count, self.place = line, 0, ""
        self.changing: list[int] = []  # the lines that change, or put back, what is somebody else's

    def __call__(self, frame: FrameType, event: str, _: object) -> "Interruption":
        if event == "line":
            self.count += 1
            if self.line < 0 and frame.f_code.co_filename.endswith(CHANGING):
                self.changing.append(self.count)
            if self.count == self.line:
                self.place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                raise KeyboardInterrupt
        return self


def lines_of(action: Callable[[], object], line: int = -1) -> Interruption:
    """The action, interrupted at a line; the exception lives until all is looked at."""
    tracer = Interruption(line)
    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        action()
    finally:
        sys.settrace(before)
    return tracer


def call(network: nn.Module, methods: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """The maps; the network says of itself that it doesn't repeat itself, which is no news here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return explain(network, IMAGES, [0, 1], methods=methods, **(OPTIONS.get(methods[-1], {})))


def tried(methods: tuple[str, ...], line: int, wanted: dict[str, torch.Tensor]) -> str:
    """What isn't as before after an interruption at a line, at once and when everything is collected."""
    network = Sensitive()
    tracer, changed = Interruption(line), list[str]()
    # what surrounds the call in one that is interrupted isn't the call's own
    around = warnings.catch_warnings()
    with around:
        warnings.simplefilter("ignore")
        before = state_of(network)
        try:
            sys.settrace(tracer)
            explain(network, IMAGES, [0, 1], methods=methods, **(OPTIONS.get(methods[-1], {})))
        except KeyboardInterrupt:
            sys.settrace(None)
            changed += differences(before, state_of(network), "at once")
        finally:
            sys.settrace(None)
        gc.collect()
        changed += differences(before, state_of(network), "later")
    again = call(network, methods)
    changed += [f"{name}: another map" for name, values in again.items() if not torch.equal(values, wanted[name])]
    return f"{'+'.join(methods)}, line {line} ({tracer.place}): {'; '.join(changed)}" if changed else ""


def differences(before: dict[str, Any], after: dict[str, Any], when: str) -> list[str]:
    return [f"{name} {when}" for name in before if before[name] != after[name]]


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Lines spread over whole calls, every other one of those that change what is somebody else's."""
    wanted = [call(Sensitive(), methods) for methods in METHODS]  # what is imported then is imported once
    whole = [lines_of(partial(call, Sensitive(), methods)) for methods in METHODS]
    for trial in numbers:
        which, turn = trial % len(METHODS), trial // len(METHODS)
        share = turn * 0.6180339887498949 % 1  # spread evenly, wherever one stops
        changing = whole[which].changing
        line = changing[int(share * len(changing))] if turn % 2 else 1 + int(share * whole[which].count)
        yield tried(METHODS[which], line, wanted[which])


INTERRUPTED = Attack(
    name="interrupted at any line",
    survived="The network's values, gradients, flags, hooks and attributes, the random numbers and PyTorch's global "
    "options are as before, and the next call gives the right maps.",
    trials=trials,
    few=4,
    quick=10,
    full=2000,
)
