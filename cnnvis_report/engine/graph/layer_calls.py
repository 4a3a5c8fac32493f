"""What ran in one pass of a network: its modules' calls in order, and where in the graph their results are."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.dropout import _DropoutNd

from cnnvis_report.engine.graph.axes import Axes
from cnnvis_report.engine.graph.backward import Edge
from cnnvis_report.engine.graph.bottlenecks import bottlenecks
from cnnvis_report.engine.graph.default_layer import Candidate, default_edge
from cnnvis_report.engine.graph.layer_hooks import LayerCall, hooked
from cnnvis_report.engine.graph.layouts import Layout, layout_of
from cnnvis_report.engine.graph.ops import Kind, kind
from cnnvis_report.records.network import LayerRecord

Keep = Callable[[str, Tensor], None]


class LayerCalls:
    """The calls of one pass by their layers' names.

    A module that ran once goes by its path, one that ran often by path#1, path#2, …, and its path is the last.

    Args:
        calls: in order.
        axes: what the dimensions of their results stand for, as `followed` gives it.
        size: height and width of the image of the pass.
    """

    def __init__(self, calls: Sequence[LayerCall], axes: Mapping[Edge, Axes], size: tuple[int, int]) -> None:
        calls = _with_layouts(calls, axes, size)
        self._size, self.axes = size, axes
        self.scale = (1.0, 1.0)  # of the latest images, by the image of the pass
        self.branches = 1  # that meet behind the last stage, which is one of them, in no layer
        last = {call.path: call for call in calls}
        self._calls: dict[str, LayerCall] = {}
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
                _layer_kind(call, calls),
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
        self.axes = {}

    def layer_at(self, node: Node | None) -> str:
        """The outermost layer whose output is the result of `node`; empty where there is none.

        One that gives what it gets, such as dropout, comes last.
        """
        names = [name for name, call in self._calls.items() if node is not None and call.node is node]
        return min(names, key=lambda name: (self._gives_its_input(name), name.count(".")), default="")

    def _gives_its_input(self, name: str) -> bool:
        return isinstance(self._calls[name].module, nn.Identity | _DropoutNd)

    def find_default_layer(self, nodes: list[Node], outputs: Collection[int] = ()) -> str:
        """The outermost layer that holds the last features that reach the scores, before any pooling.

        Args:
            nodes: the operations of the pass, the latest first.
            outputs: how many channels the network's own outputs have, of which something else makes the scores.
        """
        candidates = [
            Candidate((call.node, call.number), call.shape[0], call.layout.grid)
            for call in self._calls.values()
            if call.node is not None and call.layout is not None
        ]
        default = default_edge(nodes, self.axes, candidates, outputs)
        self.branches = default[1] if default else 1
        return self.layer_at(default[0][0]) if default else ""

    def bottlenecks(self, nodes: list[Node]) -> tuple[str, ...]:
        """The layers whose N×K×h×w maps hold all that the scores depend on, in the order in which they run.

        Args:
            nodes: the operations of the pass, the latest first.
        """
        through = set(bottlenecks(nodes))
        calls = [(layer.name, self._calls[layer.name]) for layer in self.layers]
        return tuple(name for name, call in calls if call.layout and call.layout.is_plain and call.node in through)

    def layout(self, name: str) -> Layout:
        """How the layer called `name` is read, which has to be readable."""
        layout = self._calls[name].layout
        if layout is None:
            raise ValueError(f"{name} has no feature maps")
        return layout

    def as_feature_maps(self, name: str, values: Tensor) -> Tensor:
        """[N, K, h, w] of what the layer called `name` gives; as it is where it has no feature maps or is no layer."""
        call = self._calls.get(name)
        return values if call is None or call.layout is None else call.layout.as_feature_maps(values, self.scale)

    def averages(self, name: str, positions: frozenset[int] | None, channels: int) -> bool:
        """Whether a mean over these dimensions of a layer's result is one over all positions of its channels."""
        layout = self._calls[name].layout
        if layout is None or self._calls[name].shape[0] != channels or layout.before or layout.after:
            return False
        return layout.is_plain if positions is None else {layout.rows, layout.columns} == positions

    def set_image_size(self, size: tuple[int, int]) -> None:
        """Images of this height and width come next."""
        self.scale = (size[0] / self._size[0], size[1] / self._size[1])

    @contextmanager
    def watching(self, names: Sequence[str], keep: Keep, *, as_maps: bool = True) -> Iterator[None]:
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
                keep(name, self.as_feature_maps(name, output) if as_maps else output)

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

    def work_after(self, name: str) -> float:
        """What part of the network's multiplications comes after the layer called `name`."""
        works = self._works()
        names = list(self._calls)
        after = set(names[names.index(name) + 1 :])
        return sum(work for layer, work in works.items() if layer in after) / max(sum(works.values()), 1)

    def _works(self) -> dict[str, int]:
        """Multiplications of each call of a module that holds no others."""
        leaves = [layer for layer in self.layers if not list(self._calls[layer.name].module.children())]
        return {layer.name: layer.parameters * prod(layer.shape[1:]) for layer in leaves}


def _with_layouts(calls: Sequence[LayerCall], axes: Mapping[Edge, Axes], size: tuple[int, int]) -> list[LayerCall]:
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


def _layer_kind(call: LayerCall, calls: Sequence[LayerCall]) -> str:
    """What kind of layer a call is of, as `LayerRecord.kind` says it."""
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
