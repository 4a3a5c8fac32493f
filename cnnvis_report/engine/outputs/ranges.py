"""Which numbers an output can hold, by the operations that end it: some of them are no logits, whatever they are.

Where an output is made of bounded parts by sums, means, differences and constant factors, its slopes are the same
everywhere, so the slopes at one image and the parts' own bounds give the bounds of the whole.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, Node

from cnnvis_report.engine.graph.nodes import keeps, next_nodes, operation, saved
from cnnvis_report.engine.graph.ops import SCALES, SUMS, Kind, kind
from cnnvis_report.engine.outputs.bounds import HELD, INF, Bounds
from cnnvis_report.engine.outputs.final_activations import EXACT, SHAPES, TAKING, behind_shapes

CLAMPS = frozenset({Kind.CLAMP, Kind.CLAMP_ONE_SIDE, Kind.HARDTANH})
STEPS = {"Round": "a rounding", "Floor": "a floor", "Ceil": "a ceiling", "Trunc": "a rounding", "Sign": "a sign"}
LINEAR = (SHAPES - CLAMPS) | TAKING | SUMS | SCALES
LOOKED_AT = 8  # columns of an output
DEEPEST = 4  # bounded parts within bounded parts


def bounds_of(output: Tensor, values: Mapping[Node, Tensor]) -> Bounds | None:
    """The bounds of an output [1, columns]; None where there are none that the graph tells.

    Args:
        values: of operations' results, where they are known.
    """
    if output.grad_fn is None:
        return None
    try:
        return _Looking(values).bounds(output.grad_fn, output.detach(), DEEPEST)
    except RuntimeError:  # something was changed in place since
        return None


@dataclass(frozen=True)
class _Looking:
    values: Mapping[Node, Tensor]

    def bounds(self, node: Node, value: Tensor, depth: int) -> Bounds | None:
        """Of a result, or of some of its numbers where there are many."""
        if not depth:
            return None
        parts: dict[Node, Bounds] = {}
        if not self._parts(node, parts, depth):
            return None
        known = {part: self._value(part, node, value) for part in parts}
        if list(parts) == [node]:
            return parts[node]
        count = value.numel()
        indices = {number * (count - 1) // max(1, min(LOOKED_AT, count) - 1) for number in range(min(LOOKED_AT, count))}
        bounds = [self._of_number(node, value, index, parts, known) for index in sorted(indices)]
        whole = [bound for bound in bounds if bound is not None]
        if len(whole) < len(bounds) or not whole:
            return None
        return replace(
            max(whole, key=lambda bound: len(bound.source)),
            low=min(bound.low for bound in whole),
            high=max(bound.high for bound in whole),
        )

    def _parts(self, end: Node, parts: dict[Node, Bounds], depth: int) -> bool:
        """Fill in the bounded operations that a result is made of; False where it isn't made of such alone."""
        waiting, seen = [end], set()
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            sources = next_nodes(node)
            if kind(node) in LINEAR and sources and self._keeps_slopes(node):
                waiting += sources
                continue
            bounds = self._own(node, depth)
            if bounds is None:
                return False
            parts[node] = bounds
        return bool(parts)

    def _keeps_slopes(self, node: Node) -> bool:
        has_source = [source is not None for source, _ in node.next_functions]
        if operation(node) == "Mul":
            return sum(has_source) == 1
        return operation(node) != "Div" or not any(has_source[1:])

    def _own(self, node: Node, depth: int) -> Bounds | None:
        """Of an operation that is bounded itself, or where what it reads is."""
        name = operation(node)
        sources = next_nodes(node)
        if name in HELD:
            return Bounds(*HELD[name])
        if name in ("Elu", "Celu"):
            return Bounds(
                -abs(saved(node, "alpha") * (saved(node, "scale") if keeps(node, "scale") else 1)), INF, "an ELU"
            )
        if name == "Pow" and keeps(node, "exponent") and _is_even(saved(node, "exponent")):
            return Bounds(0.0, INF, "an even power")
        if name == "Mul" and len(sources) == 2 and sources[0] is sources[1]:
            return Bounds(0.0, INF, "a square")
        inner = [self._inner(source, depth) for source in dict.fromkeys(sources)]
        if kind(node) in CLAMPS:
            return _clamped(node, inner[0] if inner else None)
        if name in STEPS and inner:
            return _stepped(name, inner[0])
        bounded = [bound for bound in inner if bound is not None]
        if name == "Reciprocal" and bounded and bounded[0].low > 0:
            return Bounds(1 / bounded[0].high, 1 / bounded[0].low, "a reciprocal")
        if name == "Log1P" and bounded and bounded[0].low > -1:
            return Bounds(math.log1p(bounded[0].low), math.log1p(bounded[0].high), "a logarithm")
        if name == "Div" and _is_softsign(node):
            return Bounds(-1.0, 1.0, "a softsign")
        if name == "Mul" and len(bounded) == 2:
            ends = [a * b for a in (bounded[0].low, bounded[0].high) for b in (bounded[1].low, bounded[1].high)]
            return None if any(map(math.isnan, ends)) else Bounds(min(ends), max(ends), "a product")
        if name == "Prod" and bounded and bounded[0].within_one:
            return Bounds(0.0, 1.0, "a product")
        return None

    def _inner(self, node: Node, depth: int) -> Bounds | None:
        value = self._value(node)
        return self.bounds(node, value, depth - 1) if value is not None else self._bare(node, depth)

    def _bare(self, node: Node, depth: int) -> Bounds | None:
        """Of a result whose values nobody has noted."""
        behind = behind_shapes(node) if kind(node) not in CLAMPS else node
        return self._own(behind, depth - 1) if behind is not None and depth > 1 else None

    def _value(self, part: Node, end: Node | None = None, value: Tensor | None = None) -> Tensor | None:
        if part is end:
            return value
        if part in self.values:
            return self.values[part]
        return saved(part, "result") if keeps(part, "result") else None

    def _of_number(
        self, end: Node, value: Tensor, index: int, parts: dict[Node, Bounds], known: dict[Node, Tensor | None]
    ) -> Bounds | None:
        """Of one number of a result, by its slopes in what it is made of."""
        start = torch.zeros_like(value).flatten()
        start[index] = 1
        slopes = _slopes(end, start.view_as(value), list(parts))
        rest = float(value.flatten()[index].double())
        low = high = total = 0.0
        sources: dict[str, None] = {}
        flat = False
        for (part, bounds), slope in zip(parts.items(), slopes, strict=True):
            factor = known[part]
            if slope is None or not bool(slope.any()):
                continue
            if factor is None or factor.shape != slope.shape:
                return None
            slope, factor = slope.double(), factor.detach().double()
            rest -= float((slope * factor).sum())
            up, down = float(slope.clamp(min=0).sum()), float(slope.clamp(max=0).sum())
            low += _times(up, bounds.low) + _times(down, bounds.high)
            high += _times(up, bounds.high) + _times(down, bounds.low)
            total += up if not down else INF
            sources[bounds.source] = None
            flat = flat or bounds.flat
        if not sources or math.isnan(low) or math.isnan(high) or (low, high) == (-INF, INF):
            return None
        rest = 0.0 if abs(rest) < EXACT * max(1.0, *(abs(end) for end in (low, high) if abs(end) < INF)) else rest
        words = " and ".join(sources)
        if abs(total - 1) > EXACT or rest:
            noun = next(iter(sources)).partition(" ")[2]
            words = f"a {'scaled ' if abs(total - 1) > EXACT else 'shifted '}{noun}" if len(sources) == 1 else words
        return Bounds(low + rest, high + rest, words, flat)


def _slopes(end: Node, start: Tensor, parts: Sequence[Node]) -> tuple[Tensor | None, ...]:
    """Gradients in parts of a result, of one that is made of another in what it adds itself alone."""
    hooks = [
        part.register_prehook(lambda gradients: tuple(map(_zero, gradients))) for part in parts
    ]  # behind a capture
    try:
        edges = [GradientEdge(part, 0) for part in parts]
        return torch.autograd.grad([GradientEdge(end, 0)], edges, [start], retain_graph=True, allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()


def _zero(gradient: Tensor | None) -> Tensor | None:
    return gradient if gradient is None else torch.zeros_like(gradient)


def _times(factor: float, end: float) -> float:
    return factor * end if factor else 0.0


def _is_even(exponent: Any) -> bool:
    return isinstance(exponent, int | float) and exponent % 2 == 0


def _is_softsign(node: Node) -> bool:
    """Whether it is x / (1 + |x|)."""
    (above, _), (below, _) = node.next_functions[:2]
    if above is None or below is None or operation(below) != "Add":
        return False
    size = below.next_functions[0][0]
    return size is not None and operation(size) == "Abs" and size.next_functions[0][0] is above


def _clamped(node: Node, inner: Bounds | None) -> Bounds | None:
    """Of a clamp, whose bounds may be those of what it reads already."""
    names = ("min", "min_val"), ("max", "max_val")
    least, most = (next((saved(node, name) for name in aliases if keeps(node, name)), None) for aliases in names)
    low = float(least) if isinstance(least, int | float) else -INF
    high = float(most) if isinstance(most, int | float) else INF
    if inner is not None and inner.low >= low - EXACT and inner.high <= high + EXACT:
        return inner
    if low == -INF and high == INF:
        return inner
    source = f"a clamp at {low if low > -INF else high:g}".replace("-", "−")
    if inner is not None:
        low, high = max(low, min(inner.low, high)), min(high, max(inner.high, low))
    return Bounds(low, high, source)


def _stepped(name: str, inner: Bounds | None) -> Bounds | None:
    if name == "Sign":
        return Bounds(-1.0, 1.0, STEPS[name], flat=True)
    if inner is None:
        return None
    low, high = (end if abs(end) == INF else round(end) for end in (inner.low, inner.high))
    if name in ("Floor", "Ceil"):
        low, high = (
            low if low == -INF else math.floor(inner.low + EXACT),
            high if high == INF else math.ceil(inner.high - EXACT),
        )
    return Bounds(float(low), float(high), f"{STEPS[name]} of {inner.source}", flat=True)
