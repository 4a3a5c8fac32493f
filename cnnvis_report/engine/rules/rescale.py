"""DeepLIFT's way back: through what isn't linear, by how much it differs from a reference pass."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.attention import operation_name
from cnnvis_report.engine.graph.backward import Sent, Signals, inputs, walk_back
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.nodes import keeps, operation, ordinary, result_shape, saved
from cnnvis_report.engine.graph.ops import DATA_NORMS, MOVES, SUMS, Kind, Kinds, kind
from cnnvis_report.engine.rules.activations import FUNCTIONS, OFFSET, PIECEWISE, SMOOTH, argument
from cnnvis_report.errors import NotApplicable

# whose own way back is the same whatever they read, where one of their inputs alone depends on the image
LINEAR: Kinds = (
    MOVES
    | SUMS
    | {
        *(Kind.CONVOLUTION, Kind.LINEAR, Kind.MATRIX_PRODUCT, Kind.BATCH_NORM, Kind.MULTIPLY, Kind.DIVIDE),
        *(Kind.NEGATE, Kind.MEAN, Kind.UPSAMPLING, Kind.POOLING, Kind.ADAPTIVE_POOLING, Kind.ADAPTIVE_POOLING_3D),
    }
)
MANY_INPUTS: Kinds = MOVES | SUMS
MAX_POOLS = ("MaxPool2DWithIndices", "AdaptiveMaxPool2D")
OTHER_MAX_POOLS = ("MaxPool3DWithIndices",)
ROUNDING = 16  # steps, by which sums in another order differ
ACTIVATIONS = {**FUNCTIONS, **OFFSET, **PIECEWISE}


@dataclass(frozen=True, eq=False)
class Rescale:
    """Multipliers dy/dx of finite differences to a reference pass: the Rescale rule of DeepLIFT.

    An activation y = f(z) sends back m (y - y') / (z - z'), y' and z' those of the reference, or its slope where z is
    z'. The rise of a maximum counts at the position that has it, its fall at the one that has it in the reference. In
    a product of two things that depend on the image, each counts with the mean of the other's two values; a layer or
    group norm is such a product, of the deviations from a mean by the reciprocal of their spread. All else is linear.
    So the multipliers times the differences of the pixels sum to the difference of the scores.

    reference: the pass of other images, one for each, recorded like the one that it is compared with.

    Shrikumar et al. 2017, arXiv:1704.02685, sect. 3.5 (linear and rescale rules).
    """

    reference: RecordedPass

    layer_inputs: ClassVar[bool] = False

    def coverage(self, recorded: RecordedPass) -> str:
        """How many operations aren't linear, such as "17 activations, 1 max pooling".

        Raises:
            NotApplicable: an operation has no rule, with the counts of such operations.
        """
        others = Counter(operation_name(node) for node in recorded.nodes if not _is_known(node))
        if others:
            counts = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
            raise NotApplicable(f"the Rescale rule has no way through {counts}")
        activations = sum(operation(node) in ACTIVATIONS for node in recorded.nodes)
        pools = sum(operation(node) in MAX_POOLS for node in recorded.nodes)
        parts = [(activations, "activation"), (pools, "max pooling")]
        return ", ".join(f"{count} {noun}{'s' * (count > 1)}" for count, noun in parts if count) or "all linear"

    def back(self, recorded: RecordedPass, start: Tensor, edges: Sequence[GradientEdge]) -> list[Tensor | None]:
        """Multipliers at the edges.

        Raises:
            NotApplicable: the reference took another way through the network, or an activation's input isn't known.
        """
        walk = _Walk(_pairs(recorded.nodes, self.reference.nodes), recorded, self.reference)
        return walk_back(recorded.nodes, start, edges, walk.visit)


@dataclass(frozen=True)
class _Walk:
    """pairs: the operation of the reference pass by that of the pass."""

    pairs: Mapping[Node, Node]
    recorded: RecordedPass
    reference: RecordedPass

    def visit(self, node: Node, signals: Signals) -> Sent | None:
        """What the node sends back; None for its own way."""
        m = signals[0]
        if m is None:
            return None
        if operation(node) in ACTIVATIONS:
            return self._to_first(node, self._activation(node, m))
        if operation(node) in MAX_POOLS:
            return self._to_first(node, _shared_maximum(node, self.pairs[node], m))
        if kind(node) in DATA_NORMS:
            return self._to_first(node, _normalized(node, self.pairs[node], m))
        if kind(node) is Kind.MULTIPLY and _dependent(node) == 2:
            return self._product(node, m)
        return None

    def _to_first(self, node: Node, m: Tensor) -> Sent:
        edge = inputs(node)[0]
        return [] if edge is None else [(edge, m)]

    def _activation(self, node: Node, m: Tensor) -> Tensor:
        other = self.pairs[node]
        z, z0 = _read(node, self.recorded), _read(other, self.reference)
        function = ACTIVATIONS[operation(node)]
        if operation(node) == "Relu":  # without the rounding of a difference where both are above 0
            apart = (z > 0) != (z0 > 0)
            ratio = torch.where(apart, torch.maximum(z, z0) / (z - z0).abs(), (z > 0).to(z.dtype))
            return m * ratio.to(m.dtype)
        near = (z - z0).abs() <= (torch.finfo(z.dtype).eps ** (1 / 3) if operation(node) in SMOOTH else 0)
        ratio = (function(z, node) - function(z0, other)) / torch.where(near, 1, z - z0)
        slopes = [ordinary(either, [m])[0] for either in (node, other)]
        assert slopes[0] is not None and slopes[1] is not None  # the image is behind them
        return torch.where(near, (slopes[0] + slopes[1]) / 2, m * ratio.to(m.dtype))

    def _product(self, node: Node, m: Tensor) -> Sent:
        means = [(saved(node, name) + saved(self.pairs[node], name)) / 2 for name in ("other", "self")]
        return [(edge, m * mean) for edge, mean in zip(inputs(node), means, strict=True) if edge is not None]


def _is_known(node: Node) -> bool:
    """Whether the operation is linear in the one input that depends on the image, or has a rule."""
    name, dependent = operation(node), _dependent(node)
    by_batch = kind(node) is Kind.BATCH_NORM and keeps(node, "training") and saved(node, "training")
    if name in OTHER_MAX_POOLS or by_batch:
        return False
    if name in ACTIVATIONS or name in MAX_POOLS or kind(node) in MANY_INPUTS | DATA_NORMS:
        return True
    if kind(node) is Kind.MULTIPLY:
        return dependent <= 2
    divisor = kind(node) is Kind.DIVIDE and len(inputs(node)) == 2 and inputs(node)[1] is not None
    return kind(node) in LINEAR and dependent == 1 and not divisor


def _dependent(node: Node) -> int:
    """How many of the operation's inputs depend on the image."""
    return sum(edge is not None for edge in inputs(node))


def _pairs(nodes: Sequence[Node], others: Sequence[Node]) -> dict[Node, Node]:
    """The operations of one pass with those of another, which have to be the same ones."""
    steps = [[(operation(node), result_shape(node, 0)) for node in ran] for ran in (nodes, others)]
    if steps[0] != steps[1]:
        raise NotApplicable("the network computes something else for the reference than for the image")
    return dict(zip(nodes, others, strict=True))


def _read(node: Node, recorded: RecordedPass) -> Tensor:
    """What an activation read."""
    z = recorded.activation_inputs.get(node)
    if z is not None:
        return z
    if operation(node) == "Relu":
        raise NotApplicable("what a ReLU reads can't be seen (is the network compiled?)")
    return argument(node).detach()


def _shared_maximum(node: Node, other: Node, m: Tensor) -> Tensor:
    """Multipliers behind a maximum over windows: a rise counts where it is now, a fall where it was before.

    A position that has both maxima has the whole difference. In a uniform picture, such as a black one, all positions
    have the same value; which of them the reference calls its maximum must not matter, nor must a rounding.
    """
    x, x0 = (saved(either, "self").detach().flatten(-2) for either in (node, other))
    at, at0 = (saved(either, "result1").flatten(-2) for either in (node, other))
    y, y0 = x.gather(-1, at), x0.gather(-1, at0)
    now_has_both, then_has_both = _same(x0.gather(-1, at), y0), _same(x.gather(-1, at0), y)
    most, signal, difference = torch.maximum(y, y0), m.flatten(-2), x - x0
    rise = torch.where(now_has_both, difference.gather(-1, at), torch.where(then_has_both, 0, most - y0))
    fall = torch.where(now_has_both, 0, torch.where(then_has_both, difference.gather(-1, at0), y - most))
    sums = torch.zeros_like(x)
    sums.scatter_add_(-1, at, signal * rise).scatter_add_(-1, at0, signal * fall)
    slope = ordinary(node, [m])[0]
    assert slope is not None  # the image is behind it
    same = difference == 0
    return torch.where(same, slope.flatten(-2), sums / torch.where(same, 1, difference)).view_as(slope)


def _normalized(node: Node, other: Node, m: Tensor) -> Tensor:
    """Multipliers behind y = u r, u what x has beyond its mean, r = 1 / spread of the layer or group.

    r - r' is a ratio, without a difference's rounding, of the variances' difference, and that is the mean of
    (u + u') (u - u').
    """
    weight = saved(node, "weight")
    if weight is not None:
        m = m * (weight if kind(node) is Kind.LAYER_NORM else weight.view(-1, *[1] * (m.ndim - 2)))
    r, r0 = (saved(either, "result2").reshape(-1, 1) for either in (node, other))
    x, x0 = (saved(either, "input").detach().reshape(len(r), -1) for either in (node, other))
    grouped, u = m.reshape(len(r), -1), ((x - x.mean(1, keepdim=True)) + (x0 - x0.mean(1, keepdim=True))) / 2
    of_spread = (grouped * u).sum(1, keepdim=True) * -((r * r0) ** 2) / (r + r0)
    signals = grouped * (r + r0) / 2 + of_spread * 2 * u / u.shape[1]
    centered: Tensor = signals - signals.mean(1, keepdim=True)
    return centered.view_as(m)


def _same(values: Tensor, others: Tensor) -> Tensor:
    """Where numbers differ by no more than rounding."""
    return (values - others).abs() <= ROUNDING * torch.finfo(values.dtype).eps * others.abs()
