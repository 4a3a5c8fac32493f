"""Relevance that is spread by the weights alone, whatever the activations: the flat and the w² rule in every layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.backward import Sent, Signals, walk_back
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.nodes import operation, ordinary, result_shape
from cnnvis_report.engine.graph.ops import DATA_NORMS, SCALES, SUMS, Kind, Kinds, is_relu, kind
from cnnvis_report.engine.rules.activations import CURVED, known_layers
from cnnvis_report.engine.rules.affine import Layers
from cnnvis_report.engine.rules.lrp_rules import EntryRule

PASSED: Kinds = SUMS | SCALES | CURVED | DATA_NORMS | {Kind.LEAKY_RELU, Kind.SIGMOID}


@dataclass(frozen=True)
class Spread:
    """One entry rule in every layer. Activations pass relevance on, of closed units too; sums share it equally.

    Relevance itself goes back, from the score down: where units are closed there is nothing to multiply it with.
    """

    rule: EntryRule

    layer_inputs: ClassVar[bool] = True

    def coverage(self, recorded: RecordedPass) -> str:
        """How many layers the rules speak of.

        Raises:
            NotApplicable: an operation has no rule.
        """
        return known_layers(self, recorded, PASSED).count

    def back(self, recorded: RecordedPass, start: Tensor, edges: Sequence[GradientEdge]) -> list[Tensor | None]:
        """Relevance at the edges."""
        layers = known_layers(self, recorded, PASSED)
        walk = _Walk(self.rule, layers)
        return walk_back(recorded.nodes, start * recorded.output.detach(), edges, walk.visit)


@dataclass(frozen=True)
class _Walk:
    rule: EntryRule
    layers: Layers

    def visit(self, node: Node, signals: Signals) -> Sent | None:
        """What the node sends back."""
        relevance = signals[0]
        if relevance is None:
            return None
        if node in self.layers.layers:
            layer = self.layers.layers[node]
            return [(layer.before, self.rule.spread(layer, relevance))]
        if is_relu(node) or self.layers.is_norm(node) or kind(node) in PASSED:
            sources = self.layers.sources(node)
            return [(edge, relevance / len(sources)) for edge in sources]
        if operation(node) == "Sum":
            (gradient,) = ordinary(node, signals)
            source = self.layers.sources(node)[0]
            shape = torch.Size(result_shape(*source))
            return None if gradient is None else [(source, gradient.expand(shape) * relevance.numel() / shape.numel())]
        return None
