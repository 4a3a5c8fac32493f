"""How single operations move the axes of a result: permutations, views, parts, windows, linear layers."""

from collections.abc import Callable
from dataclasses import replace

from torch.autograd.graph import Node

from cnnvis_report.engine.graph.axes import CHANNELS, ONE, UNKNOWN, Axes, Dim, plain, resized, viewed
from cnnvis_report.engine.graph.backward import inputs
from cnnvis_report.engine.graph.nodes import keeps, operation, saved, saved_dims, signed
from cnnvis_report.engine.graph.ops import REDUCTIONS, Kind, Step


def swapped_dims(node: Node, count: int) -> tuple[int, int]:
    """The two dimensions, of `count`, that a transposition swaps."""
    if not keeps(node, "dim0"):  # of a matrix
        return 0, 1
    return saved_dims(node, "dim0", count)[0], saved_dims(node, "dim1", count)[0]


def part(step: Step) -> tuple[int, int, int]:
    """The dimension that the operation takes a part of, and where the part starts and stops."""
    node, number = step.node, step.number
    name, dim = operation(node), saved_dims(node, "dim", len(step.shape))[0]
    size = step.shape[dim]
    if name == "Slice":
        start, stop = (min(signed(saved(node, name)), size) for name in ("start", "end"))
        return dim, start + size * (start < 0), stop + size * (stop < 0)
    if name == "Split":
        start = number * saved(node, "split_size")
        return dim, start, min(size, start + saved(node, "split_size"))
    if name == "SplitWithSizes":
        sizes = saved(node, "split_sizes")
        start = sum(sizes[:number])
        return dim, start, start + sizes[number]
    start = number if name == "Unbind" else signed(saved(node, "index")) % size
    return dim, start, start + 1


def _convolved(step: Step, axes: Axes) -> Axes:
    result = step.result
    inner = [dim if old == new else resized(dim, new) for dim, old, new in zip(axes, step.shape, result, strict=True)]
    return (inner[0], plain(CHANNELS, result[1]), *inner[2:])


def _linear(step: Step, axes: Axes) -> Axes:
    result = step.result
    if operation(step.node) != "Linear" and inputs(step.node)[-2 if operation(step.node) == "Addmm" else 0] is None:
        return (plain(UNKNOWN, result[0]), axes[-1])  # the features are on the right: their own columns stay
    mixed = axes[-1].has_places
    same = mixed and step.shape[-1] == result[-1]
    last = axes[-1] if same else plain(UNKNOWN if mixed or UNKNOWN in axes[-1].axes else CHANNELS, result[-1])
    return (*axes[:-1], last)


def _reduced(step: Step, axes: Axes) -> Axes:
    reduced = saved_dims(step.node, "dim", len(step.shape))
    if len(step.result) == len(step.shape):
        return tuple(ONE if index in reduced else dim for index, dim in enumerate(axes))
    return tuple(dim for index, dim in enumerate(axes) if index not in reduced)


def _permuted(step: Step, axes: Axes) -> Axes:
    order = list(range(len(axes)))
    if operation(step.node) == "Permute":
        order = saved_dims(step.node, "dims", len(axes))
    else:
        first, second = swapped_dims(step.node, len(axes))
        order[first], order[second] = second, first
    return tuple(axes[index] for index in order)


def _parted(step: Step, axes: Axes) -> Axes:
    dim, start, stop = part(step)
    if operation(step.node) in ("Select", "Unbind"):
        return (*axes[:dim], *axes[dim + 1 :])
    old, size = axes[dim], step.result[dim]
    inner = step.shape[dim] - old.extra
    if size == step.shape[dim]:
        return axes
    if old.extra and start <= old.before and stop >= old.before + inner:
        new = replace(old, before=old.before - start, after=old.after - (step.shape[dim] - stop))
    else:
        new = resized(old, size)
    return (*axes[:dim], new, *axes[dim + 1 :])


def _padded(step: Step, axes: Axes) -> Axes:
    """Tokens may be put before and after the others by padding."""
    pad = [signed(side) for side in saved(step.node, "pad")]
    result = list(axes)
    for dim, before, after in zip(reversed(range(len(step.shape))), pad[::2], pad[1::2], strict=False):
        old = axes[dim]
        if old.grid and before >= 0 and after >= 0:
            result[dim] = replace(old, before=old.before + before, after=old.after + after)
        elif before or after:
            result[dim] = resized(old, step.result[dim])
    return tuple(result)


def _unfolded(step: Step, axes: Axes) -> Axes:
    """Patches as columns: N×(C·k·k)×(h·w)."""
    result = step.result
    parts = [saved(step.node, name) for name in ("kernel_size", "dilation", "padding", "stride")]
    grid = [
        (side + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for side, kernel, dilation, padding, stride in zip(step.shape[-2:], *parts, strict=True)
    ]
    known = [resized(dim, size) for dim, size in zip(axes[-2:], grid, strict=True)]
    factors = [factor for dim in known for factor in dim.factors]
    return (*axes[:-3], plain(CHANNELS, result[-2]), Dim(tuple(factors)))


def _stacked(step: Step, axes: Axes) -> Axes:
    result = step.result
    at = saved_dims(step.node, "dim", len(result))[0]
    return (*axes[:at], plain(UNKNOWN, result[at]), *axes[at:])


AXIS_RULES: dict[Kind, Callable[[Step, Axes], Axes]] = {
    **dict.fromkeys(REDUCTIONS, _reduced),
    Kind.VIEW: lambda step, axes: viewed(axes, step.shape, step.result),
    Kind.LINEAR: _linear,
    Kind.PERMUTATION: _permuted,
    Kind.PART: _parted,
    Kind.CONVOLUTION: _convolved,
    Kind.STACK: _stacked,
    Kind.CONSTANT_PADDING: _padded,
    Kind.UNFOLD: _unfolded,
}
