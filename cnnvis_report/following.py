"""Follows rows, columns and channels of the image through the operations that ran."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch.autograd.graph import Node

from cnnvis_report.axes import (
    CHANNELS,
    ONE,
    UNKNOWN,
    Axes,
    Dim,
    Shape,
    better,
    joined,
    pictures,
    plain,
    resized,
    viewed,
)
from cnnvis_report.graph import keeps, operation, result_shape, results, saved
from cnnvis_report.walk import Edge, inputs

RESHAPES = {"View", "UnsafeView", "ReshapeAlias", "Unsqueeze", "Squeeze"}
PARTS = {"Select", "Slice", "Split", "SplitWithSizes", "Unbind"}
REDUCTIONS = {"Mean", "Sum", "Amax", "Amin", "Max", "Min", "Var", "Std", "Logsumexp", "LinalgVectorNorm", "Norm"}
LINEAR = {"Linear", "Addmm", "Mm"}
PRODUCTS = {"Bmm", "Baddbmm"}


@dataclass(frozen=True)
class Operand:
    """An input of an operation that depends on the image; axes is None where they aren't known."""

    axes: Axes | None
    shape: Shape


Given = Sequence[Operand | None]


def followed(nodes: Sequence[Node], image: Shape) -> dict[Edge, Axes]:
    """What the dimensions of every result stand for, where that can be told.

    Args:
        nodes: as `recorded` gives them, the latest first.
        image: the shape of the images [1, C, H, W].
    """
    found: dict[Edge, Axes] = {}
    for node in reversed(nodes):
        given = [None if edge is None else Operand(found.get(edge), result_shape(*edge)) for edge in inputs(node)]
        for number in range(results(node)):
            axes = _result(node, number, given, image)
            if axes is not None and len(axes) == len(result_shape(node, number)):
                found[node, number] = axes
    return found


def is_attention(node: Node) -> bool:
    """Whether the operation is a whole attention: queries, keys and values to what is taken of the values."""
    return operation(node).startswith("ScaledDotProduct")


def signed(number: int) -> int:
    """PyTorch saves numbers that may be negative as unsigned ones."""
    return number - 2**64 if number >= 2**63 else number


def dims(node: Node, name: str, count: int) -> list[int]:
    """Dimensions that the operation kept, of `count`; all where it kept none."""
    kept = saved(node, name) if keeps(node, name) else None
    if kept is None or kept == ():
        return list(range(count))
    return [signed(dim) % count for dim in (kept if isinstance(kept, tuple) else (kept,))]


def part(node: Node, number: int, shape: Shape) -> tuple[int, int, int]:
    """The dimension that the operation takes a part of, and where the part starts and stops."""
    name, dim = operation(node), dims(node, "dim", len(shape))[0]
    size = shape[dim]
    if name == "Slice":
        start, stop = (min(signed(saved(node, each)), size) for each in ("start", "end"))
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


def _result(node: Node, number: int, given: Given, image: Shape) -> Axes | None:
    name, shape = operation(node), result_shape(node, number)
    known = [operand for operand in given if operand is not None]
    if not known:
        return pictures(shape) if name == "AccumulateGrad" and shape == image else None
    if is_attention(node):
        return _attended(known, shape) if number == 0 else None
    first = known[0]
    if name == "Cat":
        return _concatenated(node, given, shape)
    if name in PRODUCTS or (name in LINEAR and len(known) > 1):
        return _multiplied(known[-2:], shape)
    if first.axes is None and len(known) == 1:
        return None
    if name in BY_NAME and first.axes is not None:
        return BY_NAME[name](node, number, first.axes, first.shape)
    return _elementwise(known, shape)


def _elementwise(known: Sequence[Operand], shape: Shape) -> Axes | None:
    """Of operands that may be broadcast; of a single one also whatever changes sizes but not their order."""
    result: list[Dim | None] = [None] * len(shape)
    for operand in known:
        if operand.axes is None or len(operand.shape) > len(shape):
            continue
        offset = len(shape) - len(operand.shape)
        for place, (dim, size) in enumerate(zip(operand.axes, operand.shape, strict=True), start=offset):
            if size == shape[place]:
                last = result[place]
                result[place] = dim if last is None else better(last, dim)
            elif len(known) == 1 and size > 1:
                result[place] = resized(dim, shape[place])
    if all(dim is None for dim in result):
        return None
    return tuple(
        ONE if size == 1 else (plain(UNKNOWN, size) if dim is None else dim)
        for dim, size in zip(result, shape, strict=True)
    )


def _attended(known: Sequence[Operand], shape: Shape) -> Axes | None:
    queries = known[0].axes
    return None if queries is None else (*queries[:-1], plain(CHANNELS, shape[-1]))


def _multiplied(known: Sequence[Operand], shape: Shape) -> Axes | None:
    """Rows of the first by columns of the second."""
    first, second = known[0].axes, known[-1].axes
    if len(known) < 2 or first is None or second is None:
        axes = known[0].axes
        return None if axes is None else (*axes[:-1], plain(UNKNOWN, shape[-1]))
    return (*first[:-1], second[-1])


def _concatenated(node: Node, given: Given, shape: Shape) -> Axes | None:
    known = [operand for operand in given if operand is not None and operand.axes is not None]
    whole = _elementwise(known, shape) if known else None
    if whole is None:
        return None
    at = dims(node, "dim", len(shape))[0]
    sizes = [0 if operand is None else operand.shape[at] for operand in given]
    along = [None if operand is None or operand.axes is None else operand.axes[at] for operand in given]
    if any(operand is not None and operand.axes is None for operand in given):
        return (*whole[:at], plain(UNKNOWN, shape[at]), *whole[at + 1 :])
    others = [
        next((each for each in (operand.axes[place] for operand in known if operand.axes) if each.factors), ONE)
        for place in range(len(shape))
    ]
    return (*others[:at], joined(along, sizes, shape[at]), *others[at + 1 :])


def _convolved(node: Node, number: int, axes: Axes, shape: Shape) -> Axes:
    result = result_shape(node, number)
    inner = [dim if old == new else resized(dim, new) for dim, old, new in zip(axes, shape, result, strict=True)]
    return (inner[0], plain(CHANNELS, result[1]), *inner[2:])


def _linear(node: Node, number: int, axes: Axes, shape: Shape) -> Axes:
    result = result_shape(node, number)
    if operation(node) != "Linear" and inputs(node)[-2 if operation(node) == "Addmm" else 0] is None:
        return (plain(UNKNOWN, result[0]), axes[-1])  # the features are on the right: their own columns stay
    mixed = axes[-1].has_places
    same = mixed and shape[-1] == result[-1]
    last = axes[-1] if same else plain(UNKNOWN if mixed or UNKNOWN in axes[-1].axes else CHANNELS, result[-1])
    return (*axes[:-1], last)


def _reduced(node: Node, number: int, axes: Axes, shape: Shape) -> Axes:
    gone = dims(node, "dim", len(shape))
    if len(result_shape(node, number)) == len(shape):
        return tuple(ONE if place in gone else dim for place, dim in enumerate(axes))
    return tuple(dim for place, dim in enumerate(axes) if place not in gone)


def _permuted(node: Node, number: int, axes: Axes, shape: Shape) -> Axes:
    order = list(range(len(axes)))
    if operation(node) == "Permute":
        order = dims(node, "dims", len(axes))
    else:
        first, second = (
            (dims(node, name, len(axes))[0] for name in ("dim0", "dim1")) if keeps(node, "dim0") else (0, 1)
        )
        order[first], order[second] = second, first
    return tuple(axes[place] for place in order)


def _parted(node: Node, number: int, axes: Axes, shape: Shape) -> Axes:
    dim, start, stop = part(node, number, shape)
    if operation(node) in ("Select", "Unbind"):
        return (*axes[:dim], *axes[dim + 1 :])
    old, size = axes[dim], result_shape(node, number)[dim]
    inner = shape[dim] - old.extra
    if size == shape[dim]:
        return axes
    if old.extra and start <= old.before and stop >= old.before + inner:
        new = replace(old, before=old.before - start, after=old.after - (shape[dim] - stop))
    else:
        new = plain(CHANNELS, size) if old.axes == (CHANNELS,) else resized(old, size)
    return (*axes[:dim], new, *axes[dim + 1 :])


def _stacked(node: Node, number: int, axes: Axes, shape: Shape) -> Axes:
    result = result_shape(node, number)
    at = dims(node, "dim", len(result))[0]
    return (*axes[:at], plain(UNKNOWN, result[at]), *axes[at:])


BY_NAME: dict[str, Callable[[Node, int, Axes, Shape], Axes]] = {
    **dict.fromkeys(RESHAPES, lambda node, number, axes, shape: viewed(axes, shape, result_shape(node, number))),
    **dict.fromkeys(REDUCTIONS, _reduced),
    **dict.fromkeys(LINEAR, _linear),
    **dict.fromkeys(("Permute", "Transpose", "T"), _permuted),
    **dict.fromkeys(PARTS, _parted),
    "Convolution": _convolved,
    "Stack": _stacked,
}
