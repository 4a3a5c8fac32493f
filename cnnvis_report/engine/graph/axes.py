"""What the dimensions of an operation's result stand for: rows and columns of the picture, channels, tokens.

Every result is followed from the image: a convolution gives channels, rows and columns, a view merges or splits
dimensions, a permutation reorders them, a concatenation puts a class token in front. So a layer's layout is read from
what ran, and not guessed from its sizes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

ROWS, COLUMNS, CHANNELS, UNKNOWN = "rows", "columns", "channels", "unknown"
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Factor:
    """A part of a dimension: `size` places along an axis that lie `step` apart, or so many channels."""

    axis: str
    size: int
    step: int = 1


@dataclass(frozen=True)
class Dim:
    """A dimension, the outermost factor first; before, after: how many tokens that are no places stand around them.

    One of size 1, such as the batch of one image, has no factors.
    """

    factors: tuple[Factor, ...] = ()
    before: int = 0
    after: int = 0

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes of the factors; channels alone where places are folded into them."""
        axes = tuple(factor.axis for factor in self.factors)
        return (CHANNELS,) if CHANNELS in axes and UNKNOWN not in axes else axes

    @property
    def has_places(self) -> bool:
        """Whether positions of the picture lie along it, one after the other."""
        return bool(self.axes) and not {CHANNELS, UNKNOWN} & set(self.axes)

    @property
    def extra(self) -> int:
        """How many tokens are no places."""
        return self.before + self.after

    @property
    def grid(self) -> tuple[int, int] | None:
        """Rows and columns of a dimension that holds all places of a picture; None where it doesn't."""
        return (self.factors[0].size, self.factors[1].size) if self.axes == (ROWS, COLUMNS) else None


Axes = tuple[Dim, ...]
ONE = Dim()


def plain(axis: str, size: int) -> Dim:
    """A dimension along one axis."""
    return Dim((Factor(axis, size),)) if size > 1 else ONE


def pictures(shape: Shape) -> Axes:
    """Of N×C×H×W."""
    return tuple(map(plain, (UNKNOWN, CHANNELS, ROWS, COLUMNS), shape))


def resized(dim: Dim, size: int) -> Dim:
    """What a dimension is after something has changed its length from within: strides, pooling, padding, cropping."""
    axes = {factor.axis for factor in dim.factors}
    return plain(axes.pop() if len(axes) == 1 and not dim.extra else UNKNOWN, size)


def better(first: Dim, second: Dim) -> Dim:
    """What is known of a dimension from two operands of the same size."""
    return second if UNKNOWN in first.axes or (CHANNELS in first.axes and second.has_places) else first


def viewed(axes: Axes, before: Shape, after: Shape) -> Axes:
    """The dimensions of a result that is read under another shape, in the same order of elements."""
    result: list[Dim] = []
    for start, stop, sizes in _groups(before, after):
        dims = [dim for dim in axes[start:stop] if dim.factors]
        large = [size for size in sizes if size > 1]
        if len(dims) == len(large) == 1:
            parts: list[Dim] = dims
        elif any(dim.extra for dim in dims):
            parts = [plain(UNKNOWN, size) for size in large]
        else:
            parts = _split([factor for dim in dims for factor in dim.factors], large)
        waiting = iter(parts)
        result += [next(waiting) if size > 1 else ONE for size in sizes]
    return tuple(result)


def _groups(before: Shape, after: Shape) -> Iterator[tuple[int, int, list[int]]]:
    """The smallest runs of dimensions with as many elements before as after; start and stop, and the sizes after."""
    start = new_index = 0
    while start < len(before) or new_index < len(after):
        stop, sizes = start, []
        old = new = 1
        while stop < len(before) and (stop == start or old != new or before[stop] == 1):
            old, stop = old * before[stop], stop + 1
            while new_index < len(after) and (new * after[new_index] <= old):
                new, new_index = new * after[new_index], new_index + 1
                sizes.append(after[new_index - 1])
        if stop == len(before):
            sizes += after[new_index:]
            new_index = len(after)
        yield start, stop, sizes
        start = stop


def _split(factors: list[Factor], sizes: Sequence[int]) -> list[Dim]:
    """So many dimensions from a run of factors; unknown ones where they can't be parted so."""
    left, result = list(factors), []
    for size in sizes:
        part, need = [], size
        while need > 1 and left:
            factor = left.pop(0)
            if need % factor.size == 0:
                part.append(factor)
                need //= factor.size
            elif factor.size % need == 0:
                inner = factor.size // need
                part.append(replace(factor, size=need, step=factor.step * inner))
                left.insert(0, replace(factor, size=inner))
                need = 1
            else:
                return [plain(UNKNOWN, size) for size in sizes]
        result.append(Dim(tuple(_merged(part))))
    return result


def _merged(factors: Iterable[Factor]) -> Iterator[Factor]:
    """Neighbors that are one run again: the windows of an axis and the places in a window."""
    last: Factor | None = None
    for factor in factors:
        if last is None:
            last = factor
        elif last.axis == factor.axis and (last.step == factor.size * factor.step or factor.axis == CHANNELS):
            last = Factor(factor.axis, last.size * factor.size, factor.step)
        else:
            yield last
            last = factor
    if last is not None:
        yield last


def joined(dims: Sequence[Dim | None], sizes: Sequence[int], total: int) -> Dim:
    """The dimension along which operands are concatenated; None where one doesn't depend on the image."""
    known = [(index, dim) for index, dim in enumerate(dims) if dim is not None]
    grids = [index for index, dim in known if dim.grid]
    if len(grids) == 1:
        (at,) = grids
        lone = {index for index, dim in known if not dim.has_places}
        if lone | {at} == {index for index, _ in known}:
            return _around(dims, sizes, total, at)
    axes = {axis for _, dim in known for axis in dim.axes}
    extra = any(dim.extra for _, dim in known)
    return plain(axes.pop() if len(axes) == 1 and not extra else (UNKNOWN if axes else CHANNELS), total)


def _around(dims: Sequence[Dim | None], sizes: Sequence[int], total: int, at: int) -> Dim:
    """A grid with tokens before and after it; of those that don't depend on the image only the sum may be known."""
    grid = dims[at] or ONE
    left = total - sum(sizes)  # of the operands of which no size is known
    strangers = [index for index, dim in enumerate(dims) if dim is None]
    if left and min(strangers) < at < max(strangers):
        return plain(UNKNOWN, total)
    known = sum(sizes[:at])
    before = known + (left if strangers and strangers[0] < at else 0)
    return replace(grid, before=grid.before + before, after=grid.after + total - sizes[at] - before)
