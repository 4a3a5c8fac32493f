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

    Passes that other threads are in the middle of end before; others wait if the flags would matter to them. A pass
    of another network that shares modules with this one isn't held up, but found.

    Raises:
        RunFailed: another thread's pass doesn't end, or has met modules of this network with the flags set here.
    """
    training = [(module, module.training) for module in network.modules()]
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    gate = _Gate(trains=any(flag for _, flag in training), learns=bool(trainable))
    handles = [network.register_forward_pre_hook(gate)]
    try:
        if active_count() > 1 and (gate.trains or gate.learns):
            _await(network)
        network.eval()
        for parameter in trainable:
            parameter.requires_grad_(False)
        if gate.trains or gate.learns:
            shared = [module for module in network.modules() if module is not network]
            handles += [module.register_forward_pre_hook(gate.note) for module in shared]
        yield
        gate.check(network)
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
        for module, flag in training:
            module.training = flag
        for handle in handles:
            handle.remove()


class _Gate:
    """A hook that lets other threads in when the thread that has made it is done.

    Args:
        trains: whether the network was in training mode. learns: whether parameters had gradients.
    """

    def __init__(self, *, trains: bool, learns: bool) -> None:
        self.trains, self.learns = trains, learns
        self._owner = get_ident()
        self._strangers = False

    def __call__(self, *_: object) -> None:
        if self._matters():
            _waiting.add(get_ident())
            try:
                with exclusive():
                    pass
            finally:
                _waiting.discard(get_ident())

    def note(self, *_: object) -> None:
        """A hook of the modules within: another thread that comes here has come by another network."""
        self._strangers = self._strangers or self._matters()

    def check(self, network: nn.Module) -> None:
        """Refuse to go on where another thread has met flags that aren't its own."""
        if self._strangers:
            raise RunFailed(
                f"Another thread has run modules of {type(network).__name__} while it was explained, and met them in "
                f"eval mode without gradients. Where it runs a network that shares them, explain a copy: "
                f"copy.deepcopy(network). Where the network runs its layers in threads of its own, let its forward run "
                f"in one thread."
            )

    def _matters(self) -> bool:
        """Whether this is another thread, to which the flags make a difference."""
        return get_ident() != self._owner and (self.trains or (self.learns and torch.is_grad_enabled()))


def _await(network: nn.Module) -> None:
    """Return when no pass of another thread is left that began before the gate was there."""
    frames = list(_calls(network))
    until = time.monotonic() + PATIENCE
    while any(frame is other for frame in _calls(network, _waiting) for other in frames):
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
