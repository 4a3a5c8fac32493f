"""What a network does to its scores last, a softmax or a sigmoid or the logarithm of one, and where the logits are.

A network is asked by its recorded graph, whatever it is written with: modules, functions, methods, views between and
behind them, a logarithm of a softmax, or a softmax written out. Gradients of probabilities say less than those of
logits, and mix the classes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnnvis_report.graph import operation
from cnnvis_report.heads import SHAPE_ONLY

ENDINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda x: x.softmax(1),
    "log-softmax": lambda x: x.log_softmax(1),
    "sigmoid": torch.sigmoid,
    "log-sigmoid": functional.logsigmoid,
}
OPERATIONS = {"Softmax": "softmax", "LogSoftmax": "log-softmax", "Sigmoid": "sigmoid", "LogSigmoid": "log-sigmoid"}
LOGARITHMS = {"softmax": "log-softmax", "sigmoid": "log-sigmoid"}
EXPONENTIALS = {name: plain for plain, name in LOGARITHMS.items()}
# They change neither what the numbers are nor, beyond rounding, their values.
SHAPES = {
    *(name.rstrip("0123456789").removesuffix("Backward") for name in SHAPE_ONLY),
    *("Unsqueeze", "Transpose", "Permute", "ToCopy", "Clamp", "ClampMin", "ClampMax", "Contiguous", "T"),
}
# They make one set of probabilities of several, or take some of them.
MIXING = {*SHAPES, "Cat", "Stack", "Select", "Slice", "Index", "IndexSelect", "Unbind", "Split", "Mean", "Sum"} | {
    *("Add", "Div", "Mul", "Rsub"),
}
FUNCTIONS = {
    **dict.fromkeys(("softmax", "special_softmax"), "softmax"),
    **dict.fromkeys(("log_softmax", "special_log_softmax"), "log-softmax"),
    **dict.fromkeys(("sigmoid", "sigmoid_", "expit", "special_expit"), "sigmoid"),
    **dict.fromkeys(("logsigmoid", "log_sigmoid"), "log-sigmoid"),
}
EXACT = 1e-3
RARE = 1e-4
HIDING = {"CopySlices", "AsStrided"}  # what was done in place to a view of something
ENDINGS_TRIED = 3
Call = tuple[Callable[..., Any], int]  # a function, and which of its calls in a pass, from 1


@dataclass(frozen=True)
class Ending:
    """The end of a network: its name, and the operations whose result may be the logits, the likeliest first."""

    name: str
    before: tuple[Node, ...]


def find_ending(node: Node | None) -> Ending | None:
    """What stands at the end of the graph; None where it is neither softmax nor sigmoid nor the logarithm of one."""
    node = behind_shapes(node)
    if node is None:
        return None
    kind, sources = operation(node), [source for source, _ in node.next_functions]
    if kind in OPERATIONS:
        return Ending(OPERATIONS[kind], (sources[0],)) if sources[0] is not None else None
    if kind in ("Log", "Exp"):
        within = find_ending(_behind_sums(sources[0]) if kind == "Log" else sources[0])
        names = LOGARITHMS if kind == "Log" else EXPONENTIALS
        return Ending(names[within.name], within.before) if within and within.name in names else None
    return _written_out(kind, sources)


def _written_out(kind: str, sources: Sequence[Node | None]) -> Ending | None:
    """A softmax as exp(x) / sum(exp(x)), its logarithm as x − logsumexp(x), a sigmoid as 1 / (1 + exp(−x))."""
    if kind in ("Mul", "Reciprocal"):
        return _logistic(sources[0])
    if kind not in ("Div", "Sub") or len(sources) != 2 or sources[0] is None:
        return None
    first, other = behind_shapes(sources[0]), behind_shapes(sources[1])
    if kind == "Div":
        if first is None or other is None or operation(first) != "Exp" or operation(other) != "Sum":
            return None
        return Ending("softmax", _shifted(first.next_functions[0][0]))
    if other is not None and operation(other) in ("Logsumexp", "Log"):
        return Ending("log-softmax", _shifted(sources[0]))
    return None


def _logistic(node: Node | None) -> Ending | None:
    for kind in ("Reciprocal", "Add", "Exp", "Neg"):
        if node is None or (operation(node) != kind and kind != "Reciprocal"):
            return None
        node = node.next_functions[0][0] if operation(node) == kind else node
    return Ending("sigmoid", (node,)) if node is not None else None


def _shifted(node: Node | None) -> tuple[Node, ...]:
    """What is normalised; written out, the largest score is often taken off first."""
    if node is None:
        return ()
    before = node.next_functions[0][0] if operation(node) == "Sub" else None
    return (before, node) if before is not None else (node,)


def behind_shapes(node: Node | None) -> Node | None:
    """The operation that has made the numbers, where later ones have changed their shape alone."""
    while node is not None and operation(node) in SHAPES:
        node = node.next_functions[0][0]
    return node


def _behind_sums(node: Node | None) -> Node | None:
    """Behind the small number that is added before a logarithm."""
    node = behind_shapes(node)
    while node is not None and operation(node) == "Add" and [edge for edge, _ in node.next_functions][1:] == [None]:
        node = behind_shapes(node.next_functions[0][0])
    return node


def mixed_ending(node: Node | None) -> str:
    """The ending of every part that an output is put together of: an average of softmaxes, a slice; "" elsewhere."""
    names: set[str] = set()
    waiting, seen = [node], set()
    while waiting:
        current = waiting.pop()
        if current is None or current in seen:
            continue
        seen.add(current)
        ending = find_ending(current)
        if ending is not None:
            names.add(ending.name)
        elif operation(current) in MIXING and any(source is not None for source, _ in current.next_functions):
            waiting += [source for source, _ in current.next_functions]
        else:
            return ""
    return names.pop() if len(names) == 1 else ""


def looks_like(output: Tensor) -> str:
    """What scores [N, columns] are by their values alone: rows that sum to 1 are no logits; "" where they may be."""
    values = output.detach().double()
    if values.shape[1] < 2:
        return ""
    for name, rows in (("softmax", values), ("log-softmax", values.exp())):
        within = bool((rows >= 0).all()) and bool((rows <= 1 + EXACT).all())
        if within and bool(((rows.sum(dim=1) - 1).abs() < EXACT).all()):
            return name
    return ""


def agree(name: str, logits: Tensor, output: Tensor) -> bool:
    """Whether the logits are what the network has made its output of, to within what keeps a logarithm finite."""
    if logits.shape != output.shape:
        return False
    found, given = ENDINGS[name](logits.detach().double()), output.detach().double()
    if name in EXPONENTIALS:
        found, given = found.exp(), given.exp()
    sides = ((found, given), (1 - found, 1 - given))
    return all(torch.allclose(a.clamp(min=RARE).log(), b.clamp(min=RARE).log(), rtol=0, atol=0.02) for a, b in sides)


class NotedCalls(TorchFunctionMode):
    """While it is open, notes which call of which function has made each operation's result.

    endings: the calls of softmax, sigmoid and the like, by the name of what they do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_node: dict[Node, Call] = {}
        self.endings: list[tuple[str, Call]] = []
        self._counts: Counter[Callable[..., Any]] = Counter()

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Run the function, and note it."""
        output = function(*args, **(kwargs or {}))
        self._counts[function] += 1
        name = FUNCTIONS.get(getattr(function, "__name__", ""))
        if name is not None:
            self.endings.append((name, (function, self._counts[function])))
        if isinstance(output, Tensor) and output.grad_fn is not None:
            self.by_node.setdefault(output.grad_fn, (function, self._counts[function]))
        return output


class _Caught(TorchFunctionMode):
    def __init__(self, call: Call, reads: bool) -> None:
        super().__init__()
        self._function, self._left = call
        self._reads = reads
        self.value: Tensor | None = None

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        if function != self._function:
            return function(*args, **(kwargs or {}))
        self._left -= 1
        if self._left == 0 and self._reads:
            self.value = (args[0] if args else (kwargs or {})["input"]).clone()
        output = function(*args, **(kwargs or {}))
        if self._left == 0 and not self._reads:
            self.value = output.clone()  # a softmax in place may follow
        return output


@dataclass(frozen=True)
class Place:
    """Where the logits are: the output of a layer, or else of a call of a function, or what that `reads`."""

    layer: str
    call: Call | None
    reads: bool = False

    @contextmanager
    def watched(self, watching: Callable[..., AbstractContextManager[None]]) -> Iterator[Callable[[], Tensor | None]]:
        """While it is open the logits are kept as the network runs; gives what reads them."""
        if self.call is not None:
            with _Caught(self.call, self.reads) as mode:
                yield lambda: mode.value
            return
        kept: dict[str, Tensor] = {}

        def keep(name: str, value: Tensor) -> None:
            kept[name] = value.clone()  # a softmax in place may follow

        with watching([self.layer], keep):
            yield lambda: kept.get(self.layer)


def places(end: Node | None, layer_at: Callable[[Node], str], noted: NotedCalls) -> Iterator[tuple[str, Place]]:
    """Where the logits may be, the likeliest first, each with the name of the ending that would follow."""
    ending = find_ending(end)
    if ending is None and (end is None or operation(end) not in HIDING):
        return
    if ending is not None:
        for node in ending.before:
            layer = layer_at(node)
            if layer:
                yield ending.name, Place(layer, None)
            if node in noted.by_node:
                yield ending.name, Place("", noted.by_node[node])
    for name, call in noted.endings[:-ENDINGS_TRIED:-1]:
        if ending is None or ending.name == name:
            yield name, Place("", call, reads=True)
