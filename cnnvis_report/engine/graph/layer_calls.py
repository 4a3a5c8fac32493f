"""What ran in one pass of a network: its modules' calls in order, and where in the graph their results are."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from threading import get_ident
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.dropout import _DropoutNd

from cnnvis_report.engine.graph.axes import Axes
from cnnvis_report.engine.graph.backward import Edge
from cnnvis_report.engine.graph.default_layer import Place, last_place
from cnnvis_report.engine.graph.layouts import Layout, layout_of
from cnnvis_report.engine.graph.ops import Kind, kind
from cnnvis_report.records.network import LayerRecord

Keep = Callable[[str, Tensor], None]


@dataclass(frozen=True)
class Call:
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


class Calls:
    """The calls of one pass by their layers' names.

    A module that ran once goes by its path, one that ran often by path#1, path#2, …, and its path is the last.

    Args:
        calls: in order.
        axes: what the dimensions of their results stand for, as `followed` gives it.
        size: height and width of the image of the pass.
    """

    def __init__(self, calls: Sequence[Call], axes: Mapping[Edge, Axes], size: tuple[int, int]) -> None:
        calls = _read(calls, axes, size)
        self._size, self._axes = size, axes
        self._scale = (1.0, 1.0)
        self.branches = 1  # that meet behind the last stage, which is one of them, in no layer
        last = {call.path: call for call in calls}
        self._calls: dict[str, Call] = {}
        self.records: dict[str, LayerRecord] = {}
        for call in calls:
            name = call.path if last[call.path].count == 1 else f"{call.path}#{call.count}"
            count = sum(parameter.numel() for parameter in call.module.parameters())
            self._calls[name] = call
            self.records[name] = LayerRecord(
                name,
                type(call.module).__name__,
                call.shape,
                count,
                _stage(call, calls),
                layout=call.layout.describe() if call.layout else "",
                readable=call.layout is not None,
            )
        self.layers = tuple(self.records.values())
        for path, call in last.items():
            if path not in self._calls:
                self._calls[path] = call
                self.records[path] = self.records[f"{path}#{call.count}"]

    def forget_graph(self) -> None:
        """Let go of the pass: its nodes hold the activations of the whole network."""
        self._calls = {name: replace(call, node=None) for name, call in self._calls.items()}
        self._axes = {}

    def at(self, node: Node | None) -> str:
        """The outermost layer whose output is the result of `node`; empty where there is none.

        One that gives what it gets, such as dropout, comes last.
        """
        names = [name for name, call in self._calls.items() if node is not None and call.node is node]
        return min(names, key=lambda name: (self._gives_its_input(name), name.count(".")), default="")

    def _gives_its_input(self, name: str) -> bool:
        return isinstance(self._calls[name].module, nn.Identity | _DropoutNd)

    def last_stage(self, nodes: list[Node]) -> str:
        """The outermost layer that holds the last features that reach the scores, before any pooling.

        Args:
            nodes: the operations of the pass, the latest first.
        """
        places = [
            Place((call.node, call.number), call.shape[0], call.layout.grid)
            for call in self._calls.values()
            if call.node is not None and call.layout is not None
        ]
        found = last_place(nodes, self._axes, places)
        self.branches = found[1] if found else 1
        return self.at(found[0][0]) if found else ""

    def layout(self, name: str) -> Layout:
        """How the layer called `name` is read, which has to be readable."""
        layout = self._calls[name].layout
        if layout is None:
            raise ValueError(f"{name} has no feature maps")
        return layout

    def lay(self, name: str, values: Tensor) -> Tensor:
        """[N, K, h, w] of what the layer called `name` gives; as it is where it has no feature maps or is no layer."""
        call = self._calls.get(name)
        return values if call is None or call.layout is None else call.layout.lay(values, self._scale)

    def averages(self, name: str, positions: frozenset[int] | None, channels: int) -> bool:
        """Whether a mean over these dimensions of a layer's result is one over all positions of its channels."""
        layout = self._calls[name].layout
        if layout is None or self._calls[name].shape[0] != channels or layout.before or layout.after:
            return False
        return layout.is_plain if positions is None else {layout.rows, layout.columns} == positions

    def see(self, size: tuple[int, int]) -> None:
        """Images of this height and width come next."""
        self._scale = (size[0] / self._size[0], size[1] / self._size[1])

    @contextmanager
    def watching(self, names: Sequence[str], keep: Keep, *, laid: bool = True) -> Iterator[None]:
        """While it is open, call `keep(name, output)` as each of the layers called `names` runs."""
        wanted: dict[nn.Module, dict[int, str]] = defaultdict(dict)
        for name in names:
            call = self._calls[name]
            wanted[call.module][call.count] = name
        runs: Counter[nn.Module] = Counter()

        def hook(module: nn.Module, _: Any, output: Tensor) -> None:
            runs[module] += 1
            if runs[module] in wanted[module]:
                name = wanted[module][runs[module]]
                keep(name, self.lay(name, output) if laid else output)

        with hooked(wanted, hook):
            yield

    @contextmanager
    def replacing(self, name: str, value: Tensor) -> Iterator[None]:
        """While it is open, the layer called `name` has these maps [M, K, h, w], whatever it has computed."""
        call, layout = self._calls[name], self.layout(name)
        runs: Counter[nn.Module] = Counter()

        def hook(module: nn.Module, _: Any, output: Tensor) -> Tensor | None:
            runs[module] += 1
            return layout.put(value.to(output.dtype), output) if runs[module] == call.count else None

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


def _read(calls: Sequence[Call], axes: Mapping[Edge, Axes], size: tuple[int, int]) -> list[Call]:
    """The calls with their layouts; of one that doesn't depend on the image, if others or the image have its size."""
    seen = [
        replace(call, layout=layout_of(call.result, axes.get((call.node, call.number)) if call.node else None))
        for call in calls
    ]
    grids = {size, *(call.layout.grid for call in seen if call.layout and call.node is not None)}
    return [
        replace(call, layout=None) if call.node is None and call.layout and call.layout.grid not in grids else call
        for call in seen
    ]


def _stage(call: Call, calls: Sequence[Call]) -> str:
    """What kind of step a call is, as `LayerRecord.kind` says it."""
    module = call.module
    if call.layout is None:
        return ""
    if isinstance(module, _ConvNd):
        return "convolution"
    if list(module.children()):
        within = {inner.node for inner in calls if inner.path.startswith(f"{call.path}.")}
        beside = call.node is not None and kind(call.node) is Kind.CONCATENATION  # its maps have been shown one by one
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
            calls.append(Call(path, counts[path], module, tuple(output.shape), output.grad_fn, output.output_nr))

    with hooked(paths, hook):
        yield calls


@contextmanager
def hooked(modules: Iterable[nn.Module], hook: Callable[[nn.Module, Any, Any], Tensor | None]) -> Iterator[None]:
    """A forward hook on each of the modules while it is open; what other threads run meanwhile is none of its."""
    owner = get_ident()

    def own(module: nn.Module, given: Any, output: Any) -> Tensor | None:
        return hook(module, given, output) if get_ident() == owner else None

    handles = [module.register_forward_hook(own) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
