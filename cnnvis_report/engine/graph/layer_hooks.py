"""The calls of a network's modules, noted by hooks while it runs, in this thread alone."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import get_ident
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.layouts import Layout


@dataclass(frozen=True)
class LayerCall:
    """One call of a module: the `count`-th of that module, from 1.

    result: the shape of what it gives for one image, the batch included. node, number: where that is in the graph.
    layout: how it is read as feature maps; None where it can't be.
    """

    path: str
    count: int
    module: nn.Module
    result: tuple[int, ...]
    node: Node | None
    number: int = 0
    layout: Layout | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Without the batch, and K×h×w where there are feature maps."""
        if self.layout is None:
            return self.result[1:]
        return (self.result[self.layout.channels], *self.layout.grid)


@contextmanager
def recorded_calls(network: nn.Module) -> Iterator[list[LayerCall]]:
    """The calls that are made while it is open, of modules that give a tensor."""
    calls: list[LayerCall] = []
    counts: Counter[str] = Counter()
    paths = {module: path for path, module in network.named_modules() if path}

    def hook(module: nn.Module, _: Any, output: Any) -> None:
        path = paths[module]
        counts[path] += 1
        if isinstance(output, Tensor):
            calls.append(LayerCall(path, counts[path], module, tuple(output.shape), output.grad_fn, output.output_nr))

    with hooked(paths, hook):
        yield calls


@contextmanager
def hooked(modules: Iterable[nn.Module], hook: Callable[[nn.Module, Any, Any], Tensor | None]) -> Iterator[None]:
    """A forward hook on each of the modules while it is open; what other threads run meanwhile is none of its."""
    owner = get_ident()

    def in_own_thread(module: nn.Module, inputs: Any, output: Any) -> Tensor | None:
        return hook(module, inputs, output) if get_ident() == owner else None

    handles = [module.register_forward_hook(in_own_thread) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
