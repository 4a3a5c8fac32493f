"""What layers read and weigh with, noted while they run: autograd keeps only what its own way back needs.

A bias is not kept at all, nor the input of a linear layer whose weight has no gradient, nor a batch norm's shift.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node, get_gradient_edge
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from cnnvis_report.engine.graph.nodes import operation, recorded
from cnnvis_report.isolation.context import grad_mode

CONVOLUTIONS = {
    functional.conv1d,
    functional.conv2d,
    functional.conv3d,
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
    torch.conv1d,
    torch.conv2d,
    torch.conv3d,
}


NOTED = {functional.linear: "_linear", functional.batch_norm: "_norm"} | dict.fromkeys(CONVOLUTIONS, "_convolution")

# PyTorch hands the whole of its attention to an open mode, and the linear layers within it to none. The same code that
# doesn't look for modes runs as ever, and each of its linear layers is handed over.
_ATTENTION = functional.multi_head_attention_forward
_OPENED_ATTENTION = FunctionType(
    _ATTENTION.__code__,
    {**vars(functional), "has_torch_function": lambda _: False},
    _ATTENTION.__name__,
    _ATTENTION.__defaults__,
)
_OPENED_ATTENTION.__kwdefaults__ = _ATTENTION.__kwdefaults__


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
    """While it is open, notes the operands of the layers that run.

    biases: by the node of a convolution. linears, norms: by the node of the layer's result.
    """

    biases: dict[Node, Tensor | None] = field(default_factory=dict)
    linears: dict[Node, LinearCall] = field(default_factory=dict)
    norms: dict[Node, Norm] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Run the function, and note what it was called with."""
        keywords = kwargs or {}
        if function is _ATTENTION:
            with self:
                return _OPENED_ATTENTION(*args, **keywords)
        name = NOTED.get(function)
        if name is None:
            return function(*args, **keywords)
        x = args[0] if args else keywords["input"]
        edge = get_gradient_edge(x) if x.requires_grad else None
        output = function(*args, **keywords)
        if edge is not None and isinstance(output, Tensor) and output.grad_fn is not None:
            others = {key: value for key, value in keywords.items() if key != "input"}
            getattr(self, name)(output.grad_fn, edge, x, *args[1:], **others)
        return output

    def _convolution(
        self,
        node: Node,
        _: GradientEdge,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        *__: Any,
        **___: Any,
    ) -> None:
        if operation(node) == "Squeeze" and node.next_functions[0][0] is not None:  # a picture without a batch
            node = node.next_functions[0][0]
        self.biases[node] = bias

    def _linear(self, node: Node, edge: GradientEdge, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> None:
        self.linears[node] = LinearCall(x.detach(), x._version, weight.detach(), bias, edge)

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
        momentum: float = 0.1,
        eps: float = 1e-5,
    ) -> None:
        if training or running_mean is None or running_var is None:
            return
        scale = (running_var + eps).rsqrt()
        scale = scale if weight is None else scale * weight
        shift = -running_mean * scale
        self.norms[node] = Norm(scale.detach(), (shift if bias is None else shift + bias).detach())


@dataclass
class RecordedPass:
    """A recorded forward pass.

    output: [N, classes], with its graph. nodes: all operations, latest first. operands: None where nobody has asked.
    cache: what a rule has worked out of the pass for all classes; only the latest rule's is kept.
    """

    output: Tensor
    nodes: list[Node]
    layer_inputs: LayerInputs | None = None
    cache: dict[Any, Any] = field(default_factory=dict)
    _keeper: Any = None

    def gradients(self, start: Tensor, edges: Sequence[GradientEdge]) -> tuple[Tensor | None, ...]:
        """PyTorch's own backward pass from the scores to the edges; None where nothing arrives."""
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

    def gradients(self, start: Tensor, edges: Sequence[GradientEdge]) -> tuple[Tensor | None, ...]:
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
