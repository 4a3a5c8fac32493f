"""What layers read and weigh with, noted while they run: autograd keeps only what its own way back needs.

A bias is not kept at all, nor the input of a linear layer whose weight has no gradient, nor a batch norm's shift.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge
from torch.overrides import TorchFunctionMode

from cnnvis_report.engine.graph.layer_functions import ATTENTION, LAYERS, open_attention
from cnnvis_report.engine.graph.nodes import operation, recorded
from cnnvis_report.engine.graph.overwriting import GradientWalk
from cnnvis_report.isolation.context import grad_mode


@dataclass(frozen=True)
class LinearCall:
    """A call of a linear layer: x [..., features], weight [out, features], where x came from."""

    x: Tensor
    version: int
    weight: Tensor
    bias: Tensor | None
    before: GradientEdge

    @property
    def intact(self) -> bool:
        """Whether nothing has worked on x in place since."""
        return bool(self.x._version == self.version)


@dataclass(frozen=True)
class Norm:
    """A batch norm with running statistics, as y = scale x + shift with one number a channel."""

    scale: Tensor
    shift: Tensor


@dataclass
class LayerInputs(TorchFunctionMode):
    """While it is open, notes the operands of the layers that run, whatever they are written with.

    biases: by the node of a convolution. linears, norms: by the node of the layer's result. added: by the node of a
    sum, the constant that was added to a layer's result as a bias is, one number a channel or an output.
    """

    biases: dict[Node, Tensor | None] = field(default_factory=dict)
    linears: dict[Node, LinearCall] = field(default_factory=dict)
    norms: dict[Node, Norm] = field(default_factory=dict)
    added: dict[Node, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Run the function, and note what it was called with."""
        keywords = kwargs or {}
        if function is ATTENTION:
            with self:
                return open_attention(*args, **keywords)
        layer = LAYERS.get(function)
        if layer is None:
            return function(*args, **keywords)
        operands = {**dict(zip(layer.parameters, args, strict=False)), **keywords}
        x = layer.image_operand(operands)
        edge = None if x is None else get_gradient_edge(x)
        output = function(*args, **keywords)
        result = output[0] if isinstance(output, tuple) else output
        if edge is not None and x is not None and isinstance(result, Tensor) and result.grad_fn is not None:
            getattr(self, f"_{layer.kind}")(result.grad_fn, edge, x, **operands)
        return output

    def _convolution(self, node: Node, _: GradientEdge, x: Tensor, bias: Tensor | None = None, **__: Any) -> None:
        if operation(node) == "Squeeze" and node.next_functions[0][0] is not None:  # a picture without a batch
            node = node.next_functions[0][0]
        self.biases[node] = bias

    def _linear(
        self, node: Node, edge: GradientEdge, x: Tensor, weight: Tensor, bias: Tensor | None = None, **_: Any
    ) -> None:
        self.linears[node] = LinearCall(x.detach(), x._version, weight.detach(), bias, edge)

    def _addmm(
        self,
        node: Node,
        edge: GradientEdge,
        x: Tensor,
        input: Tensor,
        mat2: Tensor,
        beta: float = 1,
        alpha: float = 1,
        **_: Any,
    ) -> None:
        if not (input.requires_grad or mat2.requires_grad) and beta == alpha == 1 and _is_bias(input, len(mat2.t()), 0):
            self._linear(node, edge, x, mat2.t(), input.reshape(-1))

    def _product(self, node: Node, edge: GradientEdge, x: Tensor, other: Tensor | None = None, **keywords: Any) -> None:
        matrix = keywords.get("mat2") if other is None else other
        if isinstance(matrix, Tensor) and matrix.ndim == 2 and x.ndim > 1 and not matrix.requires_grad:
            self._linear(node, edge, x, matrix.t())

    def _sum(
        self, node: Node, edge: GradientEdge, x: Tensor, input: Any, other: Any, alpha: float = 1, **_: Any
    ) -> None:
        constant = other if x is input else input
        if not isinstance(constant, Tensor) or constant.requires_grad or alpha != 1:
            return
        dense = edge.node in self.linears
        if dense or edge.node in self.biases:
            channels = x.shape[-1 if dense else 1]
            if _is_bias(constant, channels, 0 if dense else x.ndim - 2) and constant.ndim <= x.ndim:
                self.added[node] = constant.detach()

    def _norm(
        self,
        node: Node,
        _: GradientEdge,
        x: Tensor,
        running_mean: Tensor | None,
        running_var: Tensor | None,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        training: bool = False,
        eps: float = 1e-5,
        **__: Any,
    ) -> None:
        if training or running_mean is None or running_var is None:
            return
        scale = (running_var + eps).rsqrt()
        scale = scale if weight is None else scale * weight
        shift = -running_mean * scale
        self.norms[node] = Norm(scale.detach(), (shift if bias is None else shift + bias).detach())


def _is_bias(constant: Tensor, channels: int, positions: int) -> bool:
    """Whether a tensor is broadcast as one number a channel, the positions being the last dimensions."""
    behind = constant.shape[constant.ndim - positions :] if positions else ()
    before = constant.ndim - positions - 1
    return before >= 0 and constant.numel() == constant.shape[before] == channels and all(side == 1 for side in behind)


@dataclass
class RecordedPass:
    """A recorded forward pass.

    output: [N, classes], with its graph. nodes: all operations, latest first. operands: None where nobody has asked.
    cache: what a rule has worked out of the pass for all classes; only the latest rule's is kept. walk: what works out
    gradients; None where that is for PyTorch, since code of the network takes part in it. activation_inputs: what
    activations read, by their nodes; empty where nobody has asked.
    """

    output: Tensor
    nodes: list[Node]
    layer_inputs: LayerInputs | None = None
    cache: dict[Any, Any] = field(default_factory=dict)
    walk: GradientWalk | None = None
    activation_inputs: Mapping[Node, Tensor] = field(default_factory=dict)
    _keeper: Any = None

    def gradients(self, start: Tensor, edges: Sequence[GradientEdge]) -> Sequence[Tensor | None]:
        """The backward pass from the scores to the edges; None where nothing arrives."""
        if self.walk is not None:
            return self.walk.back(start, edges)
        with grad_mode():
            return torch.autograd.grad(
                self.output, list(edges), grad_outputs=start, retain_graph=True, allow_unused=True
            )

    def keep_for(self, rule: Any) -> dict[Any, Any]:
        """A place for what a rule works out once; what another rule has put there is let go."""
        if self._keeper != rule:
            self.cache, self._keeper = {}, rule
        return self.cache


class RecordedPassTo(RecordedPass):
    """A recorded pass as far as one edge, from which signals start."""

    def __init__(self, edge: GradientEdge, whole: RecordedPass) -> None:
        super().__init__(whole.output, recorded(edge.node), whole.layer_inputs)
        self._edge = edge

    def gradients(self, start: Tensor, edges: Sequence[GradientEdge]) -> Sequence[Tensor | None]:
        """As `RecordedPass.gradients`, from the place."""
        with grad_mode():
            return torch.autograd.grad(
                self._edge, list(edges), grad_outputs=start, retain_graph=True, allow_unused=True
            )


@dataclass(frozen=True)
class FirstPass:
    """The pass over the example: images [1, C, H, W], the scores [1, classes], and what was recorded of it."""

    images: Tensor
    logits: Tensor
    recorded: RecordedPass
