"""A network in eval mode, without parameter gradients, for a while; other threads that run it aren't disturbed."""

import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from threading import active_count, get_ident
from types import FrameType

import torch
from torch import nn

from cnnvis_report.errors import RunFailed
from cnnvis_report.isolation.lock import exclusive

PATIENCE = 60.0  # seconds that a pass of another thread may take
_waiting: set[int] = set()  # threads that a gate holds up, by their identities


@contextmanager
def eval_mode(network: nn.Module) -> Iterator[None]:
    """Eval mode and no parameter gradients while it is open; afterwards every flag is as it was.

    Passes that other threads are in the middle of end before; others wait if the flags would matter to them.

    Raises:
        RunFailed: another thread's pass doesn't end.
    """
    training = [(module, module.training) for module in network.modules()]
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    gate = _Gate(trains=any(flag for _, flag in training), learns=bool(trainable))
    handle = network.register_forward_pre_hook(gate)
    try:
        if active_count() > 1 and (gate.trains or gate.learns):
            _await(network)
        network.eval()
        for parameter in trainable:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
        for module, flag in training:
            module.training = flag
        handle.remove()


class _Gate:
    """A hook that lets other threads in when the thread that has made it is done.

    Args:
        trains: whether the network was in training mode. learns: whether parameters had gradients.
    """

    def __init__(self, *, trains: bool, learns: bool) -> None:
        self.trains, self.learns = trains, learns
        self._owner = get_ident()

    def __call__(self, *_: object) -> None:
        me = get_ident()
        if me != self._owner and (self.trains or (self.learns and torch.is_grad_enabled())):
            _waiting.add(me)
            try:
                with exclusive():
                    pass
            finally:
                _waiting.discard(me)


def _await(network: nn.Module) -> None:
    """Return when no pass of another thread is left that began before the gate was there."""
    begun = list(_calls(network))
    until = time.monotonic() + PATIENCE
    while any(frame is other for frame in _calls(network, _waiting) for other in begun):
        if time.monotonic() > until:
            raise RunFailed(
                f"Another thread has been running {type(network).__name__} for {PATIENCE:.0f} seconds. "
                f"Explain a copy: copy.deepcopy(network)."
            )
        time.sleep(0.0005)


def _calls(network: nn.Module, but: Collection[int] = ()) -> Iterator[FrameType]:
    """The calls of the network that other threads are in, by their frames."""
    code: Callable[..., object] = nn.Module._call_impl
    for thread, top in sys._current_frames().items():
        frame: FrameType | None = top
        while frame is not None and thread != get_ident() and thread not in but:
            if frame.f_code is code.__code__ and frame.f_locals.get("self") is network:
                yield frame
            frame = frame.f_back
