"""What a network adds of its own: the constant part of each operation, weighed by the gradient of the score.

Every operation is y = J x + c around its input. The score is then the input times its gradient plus all c times
theirs: biases, the shifts of batch norms, and what curved activations and products leave over. Source: Srinivas &
Fleuret 2019, arXiv:1905.00780, where the last kind are called implicit biases.
"""

from collections import Counter
from collections.abc import Callable

from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.attention import operation_name
from cnnvis_report.engine.graph.backward import Sent, Signals, inputs, walk_back
from cnnvis_report.engine.graph.layer_inputs import LayerInputs, RecordedPass
from cnnvis_report.engine.graph.nodes import next_nodes, operation, ordinary, reached, saved
from cnnvis_report.engine.graph.ops import MOVES, POOLS, SCALES, SUMS, Kind, Kinds, is_relu, kind
from cnnvis_report.engine.rules.activations import CURVED, FUNCTIONS, OFFSET, argument, is_curved
from cnnvis_report.errors import NotApplicable

KNOWN: Kinds = MOVES | POOLS | SUMS | SCALES | CURVED | {Kind.LEAKY_RELU, Kind.CONVOLUTION}

Take = Callable[[Tensor], None]


def send_constants(recorded: RecordedPass, start: Tensor, edge: GradientEdge, take: Take) -> None:
    """Walk back from the scores and hand over c times its gradient, operation by operation.

    Args:
        start: [N, classes]. edge: of the images, where the walk ends.
        take: called with [N, ...], the shape of the operation's result.

    Raises:
        NotApplicable: an operation whose constant part isn't known.
    """
    walk = _Walk(check_constants(recorded), take)
    walk_back(recorded.nodes, start, [edge], walk.visit)


class _Walk:
    def __init__(self, layer_inputs: LayerInputs, take: Take) -> None:
        self._operands, self._take = layer_inputs, take

    def visit(self, node: Node, signals: Signals) -> Sent | None:
        """Hand over the node's part, and leave its way back as it is."""
        signal = signals[0]
        if signal is None:
            return None
        if node in self._operands.linears:
            linear = self._operands.linears[node]
            if linear.bias is not None:
                self._take(signal * linear.bias.detach())
            return [((linear.before.node, linear.before.output_nr), signal @ linear.weight)]
        constant = self._constant(node)
        if node in self._operands.added:
            self._take(signal * self._operands.added[node])
        elif constant is not None:
            self._take(signal * constant.view(1, -1, *[1] * (signal.ndim - 2)))
        elif is_curved(node) or operation(node) in OFFSET:
            return self._curved(node, signal)
        elif kind(node) is Kind.MULTIPLY:
            self._product(node, signal)
        return None

    def _constant(self, node: Node) -> Tensor | None:
        """One number a channel, where the operation adds them."""
        if node in self._operands.norms:
            return self._operands.norms[node].shift
        bias = self._operands.biases.get(node)
        return None if bias is None else bias.detach()

    def _curved(self, node: Node, signal: Tensor) -> Sent:
        z = argument(node)
        (back, *_) = ordinary(node, [signal])
        edge = inputs(node)[0]
        if back is None or edge is None:
            return []
        function = OFFSET.get(operation(node)) or FUNCTIONS[operation(node)]
        self._take(signal * function(z, node) - back * z)
        return [(edge, back)]

    def _product(self, node: Node, signal: Tensor) -> None:
        if all(edge is not None for edge in inputs(node)):
            self._take(-signal * saved(node, "self") * saved(node, "other"))


def check_constants(recorded: RecordedPass) -> LayerInputs:
    """Refuse a pass that has an operation whose constant part isn't known.

    Raises:
        NotApplicable: with the counts of such operations.
    """
    layer_inputs = recorded.layer_inputs
    if layer_inputs is None:
        raise RuntimeError("constants need the operands of the pass")
    inner = _inside(layer_inputs)
    others = Counter(
        operation_name(node)
        for node in recorded.nodes
        if not (node in inner or node in layer_inputs.norms or node in layer_inputs.linears or is_relu(node))
        if kind(node) not in KNOWN and operation(node) not in OFFSET
    )
    if others:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
        raise NotApplicable(f"the constant part isn't known of {counts}")
    return layer_inputs


def _inside(layer_inputs: LayerInputs) -> set[Node]:
    """The operations that a call of a linear layer is made of, its result's apart."""
    nodes: set[Node] = set()
    for node, linear in layer_inputs.linears.items():

        def inner(later: Node, end: Node = linear.before.node) -> list[Node]:
            return [before for before in next_nodes(later) if before is not end]

        nodes.update(reached(inner(node), inner))
    return nodes
