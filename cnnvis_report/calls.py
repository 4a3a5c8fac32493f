"""What ran in one pass of a network: its modules' calls in order, and where in the graph their results are."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.modules.conv import _ConvNd

from cnnvis_report.graph import last_convolution, operation, order, output_shape
from cnnvis_report.records import LayerRecord

Keep = Callable[[str, Tensor], None]


@dataclass(frozen=True)
class Call:
    """One call of a module: the `count`-th of that module, from 1; the shape is without the batch."""

    path: str
    count: int
    module: nn.Module
    shape: tuple[int, ...]
    node: Node | None


class Calls:
    """The calls of one pass by their layers' names.

    A module that ran once goes by its path, one that ran often by path#1, path#2, …, and its path is the last.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        last = {call.path: call for call in calls}
        self._calls: dict[str, Call] = {}
        self.records: dict[str, LayerRecord] = {}
        for call in calls:
            name = call.path if last[call.path].count == 1 else f"{call.path}#{call.count}"
            size = sum(parameter.numel() for parameter in call.module.parameters())
            self._calls[name] = call
            stage = _stage(call, calls)
            self.records[name] = LayerRecord(name, type(call.module).__name__, call.shape, size, stage)
        self.layers = tuple(self.records.values())
        for path, call in last.items():
            if path not in self._calls:
                self._calls[path] = call
                self.records[path] = self.records[f"{path}#{call.count}"]

    def forget_graph(self) -> None:
        """Let go of the pass: its nodes hold the activations of the whole network."""
        self._calls = {name: replace(call, node=None) for name, call in self._calls.items()}

    def at(self, node: Node | None) -> str:
        """The outermost layer whose output is the result of `node`; empty where there is none."""
        names = [name for name, call in self._calls.items() if node is not None and call.node is node]
        return min(names, key=lambda name: name.count("."), default="")

    def last_stage(self, nodes: list[Node], scoring: Node | None) -> str:
        """The outermost layer that holds the result of the last convolution at its size, before any pooling.

        Args:
            nodes: the operations of the pass, the latest first.
            scoring: a convolution that gives the class scores themselves; it and all after it don't count.
        """
        last = last_convolution(nodes, scoring)
        if last is None:
            return ""
        size = output_shape(last)[2:]
        end = order(scoring) if scoring is not None else order(nodes[0]) + 1
        at_size = [
            call.node
            for call in self._calls.values()
            if call.node is not None and len(call.shape) == 3 and call.shape[1:] == size
            if order(last) <= order(call.node) < end
        ]
        return self.at(max(at_size, key=order, default=None))

    @contextmanager
    def watching(self, names: Sequence[str], keep: Keep) -> Iterator[None]:
        """While it is open, call `keep(name, output)` as each of the layers called `names` runs."""
        wanted: dict[nn.Module, dict[int, str]] = defaultdict(dict)
        for name in names:
            call = self._calls[name]
            wanted[call.module][call.count] = name
        runs: Counter[nn.Module] = Counter()

        def hook(module: nn.Module, _: Any, output: Tensor) -> None:
            runs[module] += 1
            if runs[module] in wanted[module]:
                keep(wanted[module][runs[module]], output)

        with hooked(wanted, hook):
            yield

    @contextmanager
    def replacing(self, name: str, value: Tensor) -> Iterator[None]:
        """While it is open, the layer called `name` gives `value`, whatever it has computed."""
        call = self._calls[name]
        runs: Counter[nn.Module] = Counter()

        def hook(module: nn.Module, _: Any, __: Tensor) -> Tensor | None:
            runs[module] += 1
            return value.clone() if runs[module] == call.count else None  # it may be worked on in place

        with hooked([call.module], hook):
            yield

    def convolutions(self) -> Iterator[tuple[str, _ConvNd]]:
        """The convolutions among the calls, in order."""
        for layer in self.layers:
            module = self._calls[layer.name].module
            if isinstance(module, _ConvNd):
                yield layer.name, module

    def work(self) -> float:
        """Multiplications an image, of layers that are modules of their own."""
        return float(sum(self._works().values()))

    def behind(self, name: str) -> float:
        """What part of the network's multiplications comes after the layer called `name`."""
        works = self._works()
        names = list(self._calls)
        after = set(names[names.index(name) + 1 :])
        return sum(work for each, work in works.items() if each in after) / max(sum(works.values()), 1)

    def _works(self) -> dict[str, int]:
        """Multiplications of each call of a module that holds no others."""
        leaves = [layer for layer in self.layers if not list(self._calls[layer.name].module.children())]
        return {layer.name: layer.parameters * prod(layer.shape[1:]) for layer in leaves}


def _stage(call: Call, calls: Sequence[Call]) -> str:
    """What kind of step a call is, as `LayerRecord.stage` says it."""
    module = call.module
    if len(call.shape) != 3:
        return ""
    if isinstance(module, _ConvNd):
        return "convolution"
    if list(module.children()):
        within = {inner.node for inner in calls if inner.path.startswith(f"{call.path}.")}
        beside = call.node is not None and operation(call.node) == "Cat"  # its maps have been shown one by one
        return "" if beside or call.node in within else "block"
    if type(module).__module__ == nn.modules.activation.__name__:
        return "activation"
    return "pooling" if type(module).__module__ == nn.modules.pooling.__name__ else ""


@contextmanager
def recorded_calls(network: nn.Module) -> Iterator[list[Call]]:
    """The calls that are made while it is open, of modules that give a tensor."""
    calls: list[Call] = []
    counts: Counter[str] = Counter()
    paths = {module: path for path, module in network.named_modules() if path}

    def hook(module: nn.Module, _: Any, output: Any) -> None:
        path = paths[module]
        counts[path] += 1
        if isinstance(output, Tensor):
            calls.append(Call(path, counts[path], module, tuple(output.shape[1:]), output.grad_fn))

    with hooked(paths, hook):
        yield calls


@contextmanager
def hooked(modules: Iterable[nn.Module], hook: Callable[[nn.Module, Any, Any], Tensor | None]) -> Iterator[None]:
    """A forward hook on each of the modules while it is open."""
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
