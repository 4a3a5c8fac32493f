"""Where the logits are that a network does something to last, and how they are had from another pass."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.autograd.graph import Node
from torch.overrides import TorchFunctionMode

from cnnvis_report.engine.graph.nodes import next_nodes, operation
from cnnvis_report.engine.graph.ops import SCALES, kind
from cnnvis_report.engine.outputs.final_activations import Ending, find_ending

FUNCTIONS = {
    **dict.fromkeys(("softmax", "special_softmax"), "softmax"),
    **dict.fromkeys(("log_softmax", "special_log_softmax"), "log-softmax"),
    **dict.fromkeys(("sigmoid", "sigmoid_", "expit", "special_expit"), "sigmoid"),
    **dict.fromkeys(("logsigmoid", "log_sigmoid"), "log-sigmoid"),
}
HIDING = {"CopySlices", "AsStrided"}  # what was done in place to a view of something
ENDINGS_TRIED = 3
SMALL = 1 << 12  # numbers in a result whose values are noted
Call = tuple[Callable[..., Any], int]  # a function, and which of its calls in a pass, from 1


class NotedCalls(TorchFunctionMode):
    """While it is open, notes which call of which function has made each operation's result.

    endings: the calls of softmax, sigmoid and the like, by the name of what they do. values: of small results.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_node: dict[Node, Call] = {}
        self.values: dict[Node, Tensor] = {}
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
            if output.numel() <= SMALL:
                self.values[output.grad_fn] = output.detach().clone()  # of its own, as it may be changed in place
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
class LogitsSource:
    """Where the logits are: the output of a layer, or else of a call of a function, or what that `reads`.

    factor: what that is multiplied with to give the logits.
    """

    layer: str
    call: Call | None
    reads: bool = False
    factor: float = 1.0

    @contextmanager
    def watched(self, watching: Callable[..., AbstractContextManager[None]]) -> Iterator[Callable[[], Tensor | None]]:
        """While it is open the logits are kept as the network runs; gives what reads them."""
        if self.call is not None:
            with _Caught(self.call, self.reads) as mode:
                yield lambda: self._scaled(mode.value)
            return
        outputs: dict[str, Tensor] = {}

        def keep(name: str, value: Tensor) -> None:
            outputs[name] = value.clone()  # a softmax in place may follow

        with watching([self.layer], keep):
            yield lambda: self._scaled(outputs.get(self.layer))

    def _scaled(self, value: Tensor | None) -> Tensor | None:
        return value if value is None or self.factor == 1 else value * self.factor


def _before(ending: Ending) -> Iterator[tuple[Node, float]]:
    """The operations whose result may be the logits, each with what it is multiplied with to give them."""
    for node in ending.before:
        sources = next_nodes(node)
        if ending.factor != 1 and kind(node) in SCALES and len(sources) == 1:
            yield sources[0], 1.0  # the network itself may undo the factor: tanh(z / 2)
        yield node, ending.factor


def logits_sources(
    end: Node | None, layer_at: Callable[[Node], str], noted: NotedCalls
) -> Iterator[tuple[str, LogitsSource]]:
    """Where the logits may be, the likeliest first, each with the name of the ending that would follow."""
    ending = find_ending(end)
    if ending is None and (end is None or operation(end) not in HIDING):
        return
    if ending is not None:
        for node, factor in _before(ending):
            layer = layer_at(node)
            if layer:
                yield ending.name, LogitsSource(layer, None, factor=factor)
            if node in noted.by_node:
                yield ending.name, LogitsSource("", noted.by_node[node], factor=factor)
    for name, call in noted.endings[:-ENDINGS_TRIED:-1]:
        if ending is None or ending.name == name:
            yield name, LogitsSource("", call, reads=True)
