"""Convolutions and linear layers of a recorded pass as one thing: x, weight and bias, batch norm folded in."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.backward import Edge, inputs
from cnnvis_report.engine.graph.layer_inputs import LayerInputs, LinearCall, RecordedPass
from cnnvis_report.engine.graph.nodes import GEOMETRY, operation, output_shape, result_shape, saved
from cnnvis_report.engine.graph.ops import Kind, kind
from cnnvis_report.errors import NotApplicable

GATES = {Kind.SIGMOID, Kind.SOFTMAX, Kind.HARDTANH, Kind.CLAMP, Kind.TANH}


@dataclass(frozen=True)
class Affine:
    """z = forward(x, weight) + bias. The bias, zero where there is none, has z's number of dimensions.

    before: where x comes from. dense: whether it is a linear layer.
    """

    node: Node
    x: Tensor
    weight: Tensor
    bias: Tensor
    before: Edge
    dense: bool

    @cached_property
    def nonnegative(self) -> bool:
        """Whether no x is below 0, as behind a ReLU: then half of some rules' work can be left out."""
        return bool(self.x.min() >= 0)

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """The layer with another input and weight, without a bias."""
        if self.dense:
            return x @ weight.t()
        z: Tensor = torch.ops.aten.convolution(x, weight, None, *self.geometry)
        return z

    def back(self, signal: Tensor, weight: Tensor) -> Tensor:
        """The transposed layer: signals at z to signals at x."""
        if self.dense:
            return signal @ weight
        mask = [True, False, False]
        gradients = torch.ops.aten.convolution_backward(signal, self.x, weight, None, *self.geometry, mask)
        back: Tensor = gradients[0]
        return back

    def weights_back(self, signal: Tensor, x: Tensor, *, padded: bool = False) -> Tensor:
        """The sum over all positions of signal × x at the place of each weight; `padded` where x has its margin."""
        if self.dense:
            return signal.flatten(0, -2).t() @ x.flatten(0, -2)
        mask = [False, True, False]
        stride, padding, *rest = self.geometry
        padding = [0] * len(padding) if padded else padding
        gradients = torch.ops.aten.convolution_backward(signal, x, self.weight, None, stride, padding, *rest, mask)
        sums: Tensor = gradients[1]
        return sums

    def z(self) -> Tensor:
        """The pre-activation."""
        return self.forward(self.x, self.weight) + self.bias

    @property
    def geometry(self) -> list[Any]:
        """Of a convolution: stride, padding, dilation, whether it is transposed, output padding, groups."""
        return [saved(self.node, name) for name in GEOMETRY]


class Layers:
    """The operations of a pass as relevance sees them: inner nodes of layers and gates left out.

    layers: every convolution and linear layer by the node of its result. folded: batch norms, and biases added by
    themselves, that are part of the layer before them. first: layers that read the image, through nothing but what
    `before` has.

    Raises:
        NotApplicable: a layer's operands aren't known.
    """

    def __init__(self, recorded: RecordedPass) -> None:
        if recorded.layer_inputs is None:
            raise RuntimeError("relevance needs the operands of the pass")
        self._operands = recorded.layer_inputs
        self.nodes = self._reachable(recorded.nodes)
        users = Counter(edge for node in self.nodes for edge in self.sources(node))
        self.folded: dict[Node, Node] = {}
        for node in reversed(self.nodes):
            if node in self._operands.norms or node in self._operands.added:
                source = self.sources(node)[0]
                layer = self._behind_sum(source[0])
                if users[source] == 1 and self.is_layer(layer) and self._foldable(node, layer):
                    self.folded[node] = layer
        self.layers = {node: self._layer(node) for node in self.nodes if self.is_layer(node)}
        self.before, self.first = self._ends()

    @property
    def count(self) -> str:
        """Such as "21 convolutions, 3 linear layers"."""
        dense = sum(layer.dense for layer in self.layers.values())
        parts = [(len(self.layers) - dense, "convolution"), (dense, "linear layer")]
        return ", ".join(f"{number} {noun}{'s' * (number > 1)}" for number, noun in parts if number)

    def is_layer(self, node: Node) -> bool:
        """Whether the node's result is a convolution's or a linear layer's."""
        return node in self._operands.linears or kind(node) is Kind.CONVOLUTION

    def is_norm(self, node: Node) -> bool:
        """Whether the node is a batch norm with running statistics."""
        return node in self._operands.norms

    def scale(self, node: Node) -> Tensor:
        """What a batch norm multiplies each channel by."""
        return self._operands.norms[node].scale

    def sources(self, node: Node) -> list[Edge]:
        """Where relevance goes from the node: its inputs that depend on the image, less a gate."""
        if node in self._operands.linears:
            edge = self._operands.linears[node].before
            return [(edge.node, edge.output_nr)]
        edges = [edge for edge in inputs(node) if edge is not None]
        return [edge for edge in edges if edge != gate_of(node)]

    def _reachable(self, nodes: Sequence[Node]) -> list[Node]:
        seen = {nodes[0]}
        for node in nodes:
            if node in seen:
                seen.update(before for before, _ in self.sources(node))
        return [node for node in nodes if node in seen]

    def _layer(self, node: Node) -> Affine:
        linear = self._operands.linears.get(node)
        layer = _linear(node, linear) if linear else _convolution(node, self._operands)
        for part in (part for part, folded_into in self.folded.items() if folded_into is node):  # in their order
            if part in self._operands.added:
                layer = replace(layer, bias=layer.bias + self._operands.added[part].reshape(layer.bias.shape))
                continue
            norm = self._operands.norms[part]
            scale = norm.scale.view(-1, *[1] * (layer.weight.ndim - 1))
            shift, factor = (numbers.view(layer.bias.shape) for numbers in (norm.shift, norm.scale))
            layer = replace(layer, weight=layer.weight * scale, bias=layer.bias * factor + shift)
        return layer

    def _behind_sum(self, node: Node) -> Node:
        """The layer whose bias the node adds; otherwise the node itself."""
        return self.folded.get(node, node) if node in self._operands.added else node

    def _foldable(self, node: Node, layer: Node) -> bool:
        """Whether a norm or a bias may be put into a layer: numbers of its channels, one for each."""
        if node in self._operands.added:
            return True
        if layer in self._operands.linears:
            return len(output_shape(layer)) == 2
        return not saved(layer, "transposed")

    def _ends(self) -> tuple[set[Node], set[Node]]:
        """What stands between the image and the first layers, and these layers."""
        weighed: set[Node] = set()
        first = set()
        for node in reversed(self.nodes):
            behind = [before in weighed for before, _ in self.sources(node)]
            if self.is_layer(node):
                weighed.add(node)
                if not all(behind):
                    first.add(node)
            elif any(behind):
                weighed.add(node)
                if not all(behind):
                    raise NotApplicable(f"the image itself reaches {operation(node)} beside a layer's result")
        return {node for node in self.nodes if node not in weighed}, first


def gate_of(node: Node) -> Edge | None:
    """Of a product of two things that depend on the image, the one that is a gate: smaller, or a sigmoid's result.

    Of a quotient, what the other is divided by: a spread or a length.
    """
    edges = inputs(node)
    if kind(node) not in (Kind.MULTIPLY, Kind.DIVIDE) or len(edges) != 2 or edges[0] is None or edges[1] is None:
        return None
    if kind(node) is Kind.DIVIDE:
        return edges[1]
    sizes = [torch.Size(result_shape(*edge)).numel() for edge in (edges[0], edges[1])]
    if sizes[0] != sizes[1]:
        return edges[int(sizes[1] < sizes[0])]
    gates = [_is_gate(edge[0]) for edge in (edges[0], edges[1])]
    return edges[gates.index(True)] if sum(gates) == 1 else None


def _is_gate(node: Node) -> bool:
    while kind(node) in (Kind.DIVIDE, Kind.MULTIPLY, Kind.ADD) and sum(edge is not None for edge in inputs(node)) == 1:
        node = next(edge[0] for edge in inputs(node) if edge is not None)
    return kind(node) in GATES


def _linear(node: Node, linear: LinearCall) -> Affine:
    if not linear.intact:
        raise NotApplicable("the input of a linear layer was changed in place after it")
    bias = linear.weight.new_zeros(1) if linear.bias is None else linear.bias.detach()
    shape = [*[1] * (linear.x.ndim - 1), -1]
    return Affine(
        node,
        linear.x,
        linear.weight,
        bias.expand(len(linear.weight)).view(shape),
        (linear.before.node, linear.before.output_nr),
        dense=True,
    )


def _convolution(node: Node, layer_inputs: LayerInputs) -> Affine:
    x, weight = saved(node, "input").detach(), saved(node, "weight").detach()
    bias = layer_inputs.biases.get(node)
    if node not in layer_inputs.biases and any(saved(node, "bias_sym_sizes_opt") or ()):
        raise NotApplicable("a convolution's bias can't be seen (is the network compiled?)")
    edge = inputs(node)[0]
    if edge is None:
        raise NotApplicable("a convolution's kernel depends on the image")
    channels = output_shape(node)[1]
    bias = weight.new_zeros(channels) if bias is None else bias.detach()
    return Affine(node, x, weight, bias.view(1, -1, *[1] * (x.ndim - 2)), edge, dense=False)
