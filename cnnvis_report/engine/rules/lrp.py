"""Layer-wise relevance propagation over a recorded pass: rules for convolutions, for linear layers, and to enter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.graph.attention import is_attentive
from cnnvis_report.engine.graph.backward import Sent, Signals, walk_back
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.ops import DATA_NORMS, SCALES, SUMS, Kind, kind
from cnnvis_report.engine.rules.activations import factor, known_layers, normalized, product
from cnnvis_report.engine.rules.affine import Affine, Layers, gate_of
from cnnvis_report.engine.rules.attention import ATTENTIVE, attended
from cnnvis_report.engine.rules.lrp_rules import Cache, EntryRule, LayerRule, ZBox
from cnnvis_report.errors import NotApplicable


@dataclass(frozen=True)
class Composite:
    """Relevance propagation with the score as relevance at the top, and relevance at the pixels at the end.

    convolution, dense: the rules of convolutions and of linear layers. entry: the rule of the layers that read the
    image; None leaves them theirs. attention: whether attention has rules, which are AttnLRP's. At a layer in between
    it gives m = R / x.
    """

    convolution: LayerRule
    dense: LayerRule
    entry: EntryRule | None = None
    attention: bool = False

    layer_inputs: ClassVar[bool] = True

    def coverage(self, recorded: RecordedPass) -> str:
        """How many layers the rules speak of.

        Raises:
            NotApplicable: an operation has no rule, or nothing is there that the rules of attention are for.
        """
        return self._layers(recorded).count

    def back(self, recorded: RecordedPass, start: Tensor, edges: Sequence[GradientEdge]) -> list[Tensor | None]:
        """Multipliers at layers, relevance at pixels."""
        walk = _Walk(self, self._layers(recorded), recorded.keep_for(self))
        return walk_back(recorded.nodes, start, edges, walk.visit)

    def _layers(self, recorded: RecordedPass) -> Layers:
        if self.attention and not any(map(is_attentive, recorded.nodes)):
            raise NotApplicable("the network has no attention; the other methods of relevance propagation are for it")
        return known_layers(self, recorded, ATTENTIVE if self.attention else frozenset())


@dataclass(frozen=True)
class _Walk:
    composite: Composite
    layers: Layers
    cache: Cache

    def visit(self, node: Node, signals: Signals) -> Sent | None:
        """What the node sends back: multipliers, and relevance itself below the first layers."""
        m = signals[0]
        if node in self.layers.layers and m is not None:
            layer = self.layers.layers[node]
            return [(layer.before, self._layer(layer, m))]
        if m is None:
            return None
        if node in self.layers.before:
            return passed(self.layers, node, m)
        if node in self.layers.folded:
            return [(self.layers.sources(node)[0], m)]
        if kind(node) in DATA_NORMS:
            return [(self.layers.sources(node)[0], normalized(node, m))]
        if kind(node) is Kind.MULTIPLY:
            return product(node, m)
        if self.composite.attention and (kind(node) in ATTENTIVE or gate_of(node) is not None):
            return attended(node, signals)
        scale = factor(node)
        return None if scale is None else [(self.layers.sources(node)[0], m * scale)]

    def _layer(self, layer: Affine, m: Tensor) -> Tensor:
        rule = self.composite.dense if layer.dense else self.composite.convolution
        if layer.node not in self.layers.first:
            return rule.back(layer, m, self.cache)
        if self.composite.entry is not None:
            return self.composite.entry.spread(layer, m * layer.z())
        return rule.back(layer, m, self.cache) * layer.x


def passed(layers: Layers, node: Node, relevance: Tensor) -> Sent | None:
    """Relevance itself through what shifts or scales values one by one: as it is; None for another operation."""
    if kind(node) in SUMS | SCALES or layers.is_norm(node):
        sources = layers.sources(node)
        return [(edge, relevance / len(sources)) for edge in sources]
    return None


def pixel_box(known: Preprocessing) -> ZBox:
    """The z^B rule between black and white, as the network reads them."""
    bounds = [(-mean / std, (1 - mean) / std) for mean, std in zip(known.mean, known.std, strict=True)]
    return ZBox(tuple(low for low, _ in bounds), tuple(high for _, high in bounds))
