"""Ways back by the patterns that layers answer to, in place of the weights that they read with."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.backward import Sent, Signals, walk_back
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.nodes import operation
from cnnvis_report.engine.graph.ops import DATA_NORMS, Kind, is_relu, kind, other_activation
from cnnvis_report.engine.rules.activations import known_layers, product
from cnnvis_report.engine.rules.affine import Layers
from cnnvis_report.engine.rules.lrp_rules import safe_divide
from cnnvis_report.errors import NotApplicable

Patterns = Sequence[Tensor]


@dataclass(frozen=True)
class PatternRule:
    """Every layer sends signals back through its pattern a, or through a * w; ReLUs by their gates, as they were.

    attribution: whether through a * w. patterns: of the layers in the order in which they run, shaped like their
    weights; None where only the passes are planned.

    Source: Kindermans et al. 2017, arXiv:1705.05598.
    """

    attribution: bool
    patterns: Patterns | None = field(default=None, compare=False)

    layer_inputs: ClassVar[bool] = True

    def coverage(self, recorded: RecordedPass) -> str:
        """How many layers have patterns.

        Raises:
            NotApplicable: an activation isn't a ReLU, or an operation has no rule.
        """
        return pattern_layers(recorded, self).count

    def back(self, recorded: RecordedPass, start: Tensor, edges: Sequence[GradientEdge]) -> list[Tensor | None]:
        """Signals at the edges, the score itself being the signal at the top."""
        if self.patterns is None:
            raise RuntimeError("no patterns were fitted")
        layers = pattern_layers(recorded, self)
        patterns = dict(zip(in_order(layers), self.patterns, strict=True))
        walk = _Walk(self.attribution, layers, patterns)
        # a negated score is a signal of the same things: its pattern is negated, too
        sent = start if self.attribution else start.abs()
        return walk_back(recorded.nodes, sent * recorded.output.detach(), edges, walk.visit)


@dataclass(frozen=True)
class _Walk:
    attribution: bool
    layers: Layers
    patterns: dict[Node, Tensor]

    def visit(self, node: Node, signals: Signals) -> Sent | None:
        """What the node sends back."""
        signal = signals[0]
        if signal is None:
            return None
        if node in self.layers.layers:
            layer, pattern = self.layers.layers[node], self.patterns[node]
            return [(layer.before, layer.back(signal, pattern * layer.weight if self.attribution else pattern))]
        if self.layers.is_norm(node):
            return [(self.layers.sources(node)[0], self._norm(node, signal))]
        return product(node, signal) if kind(node) is Kind.MULTIPLY else None

    def _norm(self, node: Node, signal: Tensor) -> Tensor:
        """A norm by itself weighs each channel alone, so its pattern is 1 / weight; a folded one has been counted."""
        if node in self.layers.folded or self.attribution:
            return signal
        scale = self.layers.scale(node).view(1, -1, *[1] * (signal.ndim - 2))
        return safe_divide(signal, scale)


def pattern_layers(recorded: RecordedPass, rule: Hashable = None) -> Layers:
    """The layers of a pass that patterns are defined for.

    Raises:
        NotApplicable: an activation isn't a ReLU, a convolution is transposed, or an operation has no rule.
    """
    layers = known_layers(rule, recorded)
    turned = sum(not layer.dense and layer.geometry[3] for layer in layers.layers.values())
    if turned:
        raise NotApplicable(f"patterns have no rule for {turned} transposed convolution{'s' * (turned > 1)}")
    others = Counter(name for name in map(other_activation, layers.nodes) if name)
    others += Counter(operation(node) for node in layers.nodes if kind(node) in DATA_NORMS)
    if others:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
        raise NotApplicable(f"patterns are defined for ReLU networks, and this one has {counts}")
    return layers


def in_order(layers: Layers) -> list[Node]:
    """The layers in the order in which they run."""
    return [node for node in reversed(layers.nodes) if node in layers.layers]


def rectified(layers: Layers, node: Node) -> bool:
    """Whether a ReLU, and nothing else, reads the layer's result, a norm that is folded into it aside."""
    readers = [reader for reader in layers.nodes if any(before is node for before, _ in layers.sources(reader))]
    if len(readers) == 1 and readers[0] in layers.folded:
        return rectified(layers, readers[0])
    return bool(readers) and all(map(is_relu, readers))
