"""A network as its own Python code runs it: what compiles, wraps, hides or moves it on is put aside for a while."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import checkpoint

# wrappers that only pass on to the module within, and where they keep it; their layers then have the usual names
WRAPPERS = {
    "OptimizedModule": "_orig_mod",
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "AveragedModel": "module",
}


# of torch.utils.checkpoint, while networks run
REPLACED = (
    "CheckpointFunction",
    "_checkpoint_without_reentrant_generator",
    "_checkpoint_without_reentrant_generator_impl",
)


def unwrapped(network: nn.Module) -> nn.Module:
    """The network within torch.compile, DataParallel and their like."""
    while type(network).__module__.startswith("torch.") and type(network).__name__ in WRAPPERS:
        inner: nn.Module = getattr(network, WRAPPERS[type(network).__name__])
        network = inner
    return network


def unwrap_inside(network: nn.Module) -> Callable[[], None]:
    """Put the modules within wrappers in the wrappers' places, at any depth; gives what undoes it."""
    changed: list[tuple[dict[str, Any], str, nn.Module]] = []
    for module in list(network.modules()):
        for name, child in list(module._modules.items()):
            if child is not None and unwrapped(child) is not child:
                changed.append((module._modules, name, child))
                module._modules[name] = unwrapped(child)

    def undo() -> None:
        for children, name, child in changed:
            children[name] = child

    return undo


@contextmanager
def eager(network: nn.Module) -> Iterator[None]:
    """While it is open, every operation of the network is run, and recorded, one by one.

    Compiled parts run as they are written, and activation checkpointing, which hides what it will run again, is off.
    Where the network casts automatically to half precision, it doesn't: its gradients need their digits.
    """
    with ExitStack() as stack:
        stack.callback(unwrap_inside(network))
        stack.enter_context(_no_checkpointing())
        stack.enter_context(_no_casting())
        if "torch._dynamo" in sys.modules:  # nothing is compiled before it is imported, which takes a second
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        yield


class _Direct:
    """Stands in for `torch.utils.checkpoint.CheckpointFunction`, which runs its function unrecorded."""

    @staticmethod
    def apply(function: Callable[..., Any], _: bool, *args: Any) -> Any:
        """Run the function in the open."""
        return function(*args)


def _unhooked(*_: Any, **__: Any) -> Iterator[None]:
    """Stands in for what checkpointing does before and after a function: nothing."""
    yield


@contextmanager
def _no_checkpointing() -> Iterator[None]:
    """`torch.utils.checkpoint.checkpoint` looks these names up when it is called, so that every import of it obeys."""
    stand_ins: dict[str, Any] = dict.fromkeys(REPLACED, _unhooked) | {"CheckpointFunction": _Direct}
    before = {name: getattr(checkpoint, name) for name in stand_ins if hasattr(checkpoint, name)}
    for name in before:
        setattr(checkpoint, name, stand_ins[name])
    try:
        yield
    finally:
        for name, original in before.items():
            setattr(checkpoint, name, original)


ENTER = torch.autocast.__enter__


class Casting(torch.autocast):
    """`torch.autocast` that also counts while networks may not switch it on."""

    def __enter__(self) -> Any:
        """As its parent does when nothing stands in for that."""
        return ENTER(self)  # type: ignore[no-untyped-call]


@contextmanager
def _no_casting() -> Iterator[None]:
    """A network's own `torch.autocast`, as a block or a decorator, leaves casting as it is around it."""

    def entered(self: torch.autocast) -> Any:
        enabled = self._enabled
        self._enabled = enabled and torch.is_autocast_enabled(self.device)
        try:
            return ENTER(self)  # type: ignore[no-untyped-call]
        finally:
            self._enabled = enabled  # a decorator uses the same one again

    before = torch.autocast.__enter__
    torch.autocast.__enter__ = entered  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.autocast.__enter__ = before  # type: ignore[method-assign]


@contextmanager
def single_precision(network: nn.Module, images: torch.dtype) -> Iterator[None]:
    """Lend a network of half precision float32 values, where the images are of that precision, too.

    The values are the same; what is worked out from them has the digits that gradients need.
    """
    before: list[tuple[nn.Parameter, Tensor]] = []
    buffers: list[tuple[dict[str, Any], str, Tensor]] = []
    if images in (torch.float16, torch.bfloat16):
        before = [(parameter, parameter.data) for parameter in network.parameters() if parameter.dtype == images]
        for module in network.modules():
            buffers += [(module._buffers, name, buffer) for name, buffer in module.named_buffers(recurse=False)]
    try:
        for parameter, value in before:
            parameter.data = value.float()
        for tensors, name, value in buffers:
            tensors[name] = value.float() if value.dtype == images else value
        yield
    finally:
        for parameter, value in before:
            parameter.data = value
        for tensors, name, value in buffers:
            tensors[name] = value
