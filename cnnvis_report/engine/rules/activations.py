"""What relevance does at everything that isn't a convolution or a linear layer.

With m = R / x, sums, reshaping, concatenation, pooling and ReLU have their ordinary way back. An activation
y = f(z) passes R on, so m is multiplied by f(z) / z, and a normalization by the data's own spread takes that spread
as a constant.
"""

from collections import Counter
from collections.abc import Callable, Hashable

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import functional

from cnnvis_report.engine.graph.attention import is_attentive, operation_name
from cnnvis_report.engine.graph.backward import inputs
from cnnvis_report.engine.graph.layer_inputs import RecordedPass
from cnnvis_report.engine.graph.nodes import keeps, operation, saved
from cnnvis_report.engine.graph.ops import DATA_NORMS, MOVES, POOLS, SCALES, SUMS, Kind, Kinds, is_relu, kind
from cnnvis_report.engine.rules.affine import Layers, gate_of
from cnnvis_report.errors import NotApplicable

CURVED: Kinds = frozenset({Kind.SMOOTH, Kind.TANH, Kind.HARDTANH, Kind.CLAMP})
# operations that every rule here knows a way back through
KNOWN: Kinds = MOVES | POOLS | SUMS | SCALES | CURVED | DATA_NORMS | {Kind.LEAKY_RELU}

NEAR = 1e-6  # f(z) / z is taken here where z is nearer to 0


def _gelu(z: Tensor, node: Node) -> Tensor:
    return functional.gelu(z, approximate=saved(node, "approximate"))


def _elu_numbers(node: Node) -> tuple[float, float, float]:
    return float(saved(node, "scale")), float(saved(node, "alpha")), float(saved(node, "input_scale"))


def _elu(z: Tensor, node: Node) -> Tensor:
    scale, low, slope = _elu_numbers(node)
    return scale * torch.where(z > 0, z, low * torch.expm1(z * slope))


FUNCTIONS: dict[str, Callable[[Tensor, Node], Tensor]] = {
    "Silu": lambda z, _: functional.silu(z),
    "Gelu": _gelu,
    "Hardswish": lambda z, _: functional.hardswish(z),
    "Mish": lambda z, _: functional.mish(z),
    "Elu": _elu,
    "Tanh": lambda z, _: torch.tanh(z),
    "Hardtanh": lambda z, node: z.clamp(saved(node, "min_val"), saved(node, "max_val")),
    "Clamp": lambda z, node: z.clamp(saved(node, "min"), saved(node, "max")),
}

# never passed by relevance, which has no limit at 0: f(0) isn't 0
OFFSET: dict[str, Callable[[Tensor, Node], Tensor]] = {
    "Sigmoid": lambda z, _: torch.sigmoid(z),
    "Hardsigmoid": lambda z, _: functional.hardsigmoid(z),
    "Softplus": lambda z, node: functional.softplus(z, saved(node, "beta"), saved(node, "threshold")),
}

# not needed by relevance, whose way back is the ordinary one there
PIECEWISE: dict[str, Callable[[Tensor, Node], Tensor]] = {
    "Relu": lambda z, _: z.relu(),
    "LeakyRelu": lambda z, node: functional.leaky_relu(z, saved(node, "negative_slope")),
    "PreluKernel": lambda z, node: torch.where(z > 0, z, z * saved(node, "weight")),
    "ClampMin": lambda z, node: z.clamp(min=saved(node, "min")),
    "ClampMax": lambda z, node: z.clamp(max=saved(node, "max")),
}

# whose slope changes nowhere at once, so that the mean of two near slopes is nearer to the slope of the line between
# them than rounding lets a ratio of differences come
SMOOTH = frozenset({"Silu", "Gelu", "Mish", "Tanh", "Sigmoid", "Softplus"})


def known_layers(rule: Hashable, recorded: RecordedPass, more: Kinds = frozenset()) -> Layers:
    """The layers of a pass that a rule speaks of, found once for all classes; `more` are operations that it knows too.

    Raises:
        NotApplicable: an operation has no rule, with the counts of such operations.
    """
    cache = recorded.keep_for(rule)
    layers: Layers | None = cache.get("layers")
    if layers is None:
        layers = Layers(recorded)
        _check(layers, KNOWN | more)
        cache["layers"] = layers
    return layers


def _check(layers: Layers, known: Kinds) -> None:
    others = Counter(
        operation_name(node)
        for node in layers.nodes
        if not (layers.is_layer(node) or layers.is_norm(node) or is_relu(node) or kind(node) in known)
    )
    if Kind.ATTENTION not in known:
        others += Counter("Div" for node in layers.nodes if kind(node) is Kind.DIVIDE and gate_of(node) is not None)
    if others:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(others.items()))
        hinted = Kind.ATTENTION not in known and any(map(is_attentive, layers.nodes))
        hint = "; attn_lrp has rules for attention" if hinted else ""
        raise NotApplicable(f"relevance has no rule for {counts}{hint}")


def factor(node: Node) -> Tensor | None:
    """f(z) / z of an activation, its limit f'(0) at 0; None where the ordinary way back is the same."""
    if not is_curved(node):
        return None
    z = argument(node)
    apart = torch.where(z.abs() < NEAR, NEAR, z)
    return value(node, apart) / apart


def is_curved(node: Node) -> bool:
    """Whether f(z) isn't f'(z) z everywhere: smooth activations, and ReLUs with a ceiling."""
    return kind(node) in CURVED and (not is_relu(node) or kind(node) in (Kind.HARDTANH, Kind.CLAMP))


def argument(node: Node) -> Tensor:
    """Z of an activation f(z); worked out from f(z) where only that was kept."""
    name = operation(node)
    if name == "Sigmoid":
        y: Tensor = saved(node, "result")
        return torch.logit(y, eps=torch.finfo(y.dtype).eps)  # where it is saturated z isn't known, and doesn't matter
    if name == "Tanh":
        y = saved(node, "result")
        return torch.atanh(y.clamp(*_short_of_one(y)))
    if name == "Elu":
        scale, low, slope = _elu_numbers(node)
        if keeps(node, "result"):  # in place
            y = saved(node, "result")
            inner = torch.log1p((y / (scale * low)).clamp(min=_short_of_one(y)[0])) / slope
            return torch.where(y > 0, y / scale, inner)
    z: Tensor = saved(node, "self")
    return z


def _short_of_one(y: Tensor) -> tuple[float, float]:
    eps = float(torch.finfo(y.dtype).eps)
    return -1 + eps, 1 - eps


def value(node: Node, z: Tensor) -> Tensor:
    """f(z) of the node's activation."""
    return FUNCTIONS[operation(node)](z, node)


def normalized(node: Node, m: Tensor) -> Tensor:
    """M behind a layer or group norm whose spread is a constant: y = (x - mean x) scale + shift."""
    x, weight = saved(node, "input"), saved(node, "weight")
    if kind(node) is Kind.LAYER_NORM:
        dims = tuple(range(x.ndim - len(saved(node, "normalized_shape")), x.ndim))
        scaled: Tensor = m * saved(node, "result2")
        scaled = scaled if weight is None else scaled * weight
        return scaled - scaled.mean(dims, keepdim=True)
    groups, spread = saved(node, "group"), saved(node, "result2")
    channels = (1, -1, *[1] * (x.ndim - 2))
    scaled = m if weight is None else m * weight.view(channels)
    grouped = scaled.reshape(len(x), groups, -1) * spread.view(len(x), groups, 1)
    centered: Tensor = grouped - grouped.mean(2, keepdim=True)
    return centered.view_as(m)


def product(node: Node, m: Tensor) -> list[tuple[tuple[Node, int], Tensor]] | None:
    """M behind a product of two things that depend on the image; None where one of them is a constant.

    A gate takes nothing, it is a constant; without a gate each gets half.
    """
    edges = inputs(node)
    if len(edges) != 2 or edges[0] is None or edges[1] is None:
        return None
    gate = gate_of(node)
    share = 1.0 if gate is not None else 0.5
    pairs = ((edges[0], saved(node, "other")), (edges[1], saved(node, "self")))
    return [(edge, share * m * other) for edge, other in pairs if edge != gate]
