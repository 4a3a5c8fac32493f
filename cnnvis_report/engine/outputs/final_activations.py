"""What a network does to its scores last: a softmax or a sigmoid, the logarithm of one, a tanh, however written.

A network is asked by its recorded graph, whatever it is written with: modules, functions, methods, views between and
behind them, a logarithm of a softmax, or a softmax written out. Gradients of probabilities say less than those of
logits, and mix the classes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import functional

from cnnvis_report.engine.graph.nodes import next_nodes, operation, reached, skip_while
from cnnvis_report.engine.graph.ops import FINAL_ACTIVATIONS, JOINS, POOLS, Kind, kind, kind_of

ENDINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "softmax": lambda x: x.softmax(1),
    "log-softmax": lambda x: x.log_softmax(1),
    "sigmoid": torch.sigmoid,
    "log-sigmoid": functional.logsigmoid,
    "tanh": lambda x: (x / 2).tanh(),
    "rounded sigmoid": lambda x: x.sigmoid(),
    "rounded softmax": lambda x: x.softmax(1),
}
ROUNDED = "rounded "
LOGARITHMS = {"softmax": "log-softmax", "sigmoid": "log-sigmoid"}
EXPONENTIALS = {name: plain for plain, name in LOGARITHMS.items()}
# They change neither what the numbers are nor, beyond rounding, their values.
SHAPES = frozenset({Kind.VIEW, Kind.PERMUTATION, Kind.COPY, Kind.CLAMP, Kind.CLAMP_ONE_SIDE})
# They take some of several numbers, or means of them.
TAKING = JOINS | POOLS | {Kind.PART, Kind.INDEX, Kind.SELECTION, Kind.MINIMUM, Kind.LARGER}
# They make one set of probabilities of several, or take some of them.
MIXING = SHAPES | TAKING | {Kind.ADD, Kind.COMPLEMENT, Kind.MULTIPLY, Kind.DIVIDE}
SHIFTS_AND_SCALES = frozenset({Kind.ADD, Kind.SUBTRACT, Kind.MULTIPLY, Kind.DIVIDE})
LOGISTIC = ("Reciprocal", "Add", "Exp", "Neg")  # a sigmoid written out, the last operation first
EXACT = 1e-3
RARE = 1e-4


@dataclass(frozen=True)
class Ending:
    """The end of a network: its name, and the operations whose result may be the logits, the likeliest first.

    factor: what their result is multiplied with to give the logits.
    """

    name: str
    before: tuple[Node, ...]
    factor: float = 1.0


def find_ending(node: Node | None) -> Ending | None:
    """What stands at the end of the graph; None where it is neither softmax nor sigmoid nor the logarithm of one."""
    node = behind_shapes(node)
    if node is None:
        return None
    name, sources = operation(node), [source for source, _ in node.next_functions]
    if name in FINAL_ACTIVATIONS:
        return Ending(FINAL_ACTIVATIONS[name], (sources[0],)) if sources[0] is not None else None
    if name == "Round":
        within = find_ending(sources[0])
        return replace(within, name=ROUNDED + within.name) if within and ROUNDED + within.name in ENDINGS else None
    if name in ("Log", "Exp"):
        within = find_ending(_behind_sums(sources[0]) if name == "Log" else sources[0])
        names = LOGARITHMS if name == "Log" else EXPONENTIALS
        return Ending(names[within.name], within.before) if within and within.name in names else None
    return _written_out(name, sources)


def _written_out(name: str, sources: Sequence[Node | None]) -> Ending | None:
    """A softmax as exp(x) / sum(exp(x)), its logarithm as x − logsumexp(x), a sigmoid as 1 / (1 + exp(−x))."""
    if match := _of_tanh(name, sources):
        return match
    if name in ("Mul", "Reciprocal"):
        return _logistic(sources[0])
    if name == "Neg" and (soft := behind_shapes(sources[0])) is not None and operation(soft) == "Softplus":
        before = soft.next_functions[0][0]  # −log(1 + exp(−z))
        return Ending("log-sigmoid", (before,), -1.0) if before is not None else None
    if name not in ("Div", "Sub") or len(sources) != 2 or sources[0] is None:
        return None
    first, other = behind_shapes(sources[0]), behind_shapes(sources[1])
    if name == "Div":
        if first is None or other is None or operation(first) != "Exp" or operation(other) != "Sum":
            return None
        return Ending("softmax", _shifted(first.next_functions[0][0]))
    if other is not None and operation(other) in ("Logsumexp", "Log"):
        return Ending("log-softmax", _shifted(sources[0]))
    return None


def _of_tanh(name: str, sources: Sequence[Node | None]) -> Ending | None:
    """The tanh of half a logit, which goes from −1 to 1, and (1 + tanh(z/2)) / 2, which is the sigmoid of z."""
    if name == "Tanh" and sources[0] is not None:
        return Ending("tanh", (sources[0],), 2.0)
    for _ in range(2):
        operands = [source for source in sources if source is not None]
        node = behind_shapes(operands[0]) if kind_of(name) in SHIFTS_AND_SCALES and len(operands) == 1 else None
        if node is None:
            return None
        name, sources = operation(node), [source for source, _ in node.next_functions]
        if name == "Tanh" and sources[0] is not None:
            return Ending("sigmoid", (sources[0],), 2.0)
    return None


def _logistic(node: Node | None) -> Ending | None:
    for name in LOGISTIC:
        if node is None or (operation(node) != name and name != "Reciprocal"):
            return None
        node = node.next_functions[0][0] if operation(node) == name else node
    return Ending("sigmoid", (node,)) if node is not None else None


def _shifted(node: Node | None) -> tuple[Node, ...]:
    """What is normalized; written out, the largest score is often taken off first."""
    if node is None:
        return ()
    before = node.next_functions[0][0] if operation(node) == "Sub" else None
    return (before, node) if before is not None else (node,)


def behind_shapes(node: Node | None) -> Node | None:
    """The operation that has made the numbers, where later ones have changed their shape alone."""
    return skip_while(node, lambda step: kind(step) in SHAPES)


def _behind_sums(node: Node | None) -> Node | None:
    """Behind the small number that is added before a logarithm."""
    node = behind_shapes(node)
    while node is not None and operation(node) == "Add" and [edge for edge, _ in node.next_functions][1:] == [None]:
        node = behind_shapes(node.next_functions[0][0])
    return node


def mixed_ending(node: Node | None) -> str:
    """The ending of every part that an output is put together of: an average of softmaxes, a slice; "" elsewhere."""
    names: set[str] = set()

    def onward(current: Node) -> list[Node]:
        ending = find_ending(current)
        name = ending.name.removeprefix(ROUNDED) if ending else ""
        if name in FINAL_ACTIVATIONS.values():
            names.add(name)
            return []
        parts = next_nodes(current) if kind(current) in MIXING else []
        if not parts:
            names.add("")  # it holds something else, too
        return parts

    reached([] if node is None else [node], onward)
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
    expected, actual = ENDINGS[name](logits.detach().double()), output.detach().double()
    if name.startswith(ROUNDED):
        return bool(((expected - actual).abs() <= 0.5 + EXACT).all())
    if name in EXPONENTIALS:
        expected, actual = expected.exp(), actual.exp()
    sides = ((expected, actual), (1 - expected, 1 - actual))
    return all(torch.allclose(a.clamp(min=RARE).log(), b.clamp(min=RARE).log(), rtol=0, atol=0.02) for a, b in sides)
