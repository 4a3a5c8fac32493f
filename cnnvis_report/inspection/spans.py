"""Which pixels of one axis of the image the positions of a value see, and how that passes through operations."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
Shape = tuple[int, ...]

NOTHING = 2**40  # where an empty span starts: the union with anything else forgets it


@dataclass(frozen=True)
class Axis:
    """The pixels start … stop - 1 that each position along one axis of a value sees.

    spans: [n, 2]; a single one where all elements see the same.
    inner: how many elements, in row-major order, lie between neighbors of the axis. The element i belongs to
        position i // inner % n, which a view of another shape doesn't change.
    """

    spans: IntArray
    inner: int = 1

    def dimension(self, shape: Shape) -> tuple[int, int] | None:
        """The dimension that holds the axis, and how many of its elements lie between neighbors of the axis.

        None where several dimensions hold it together, or it isn't there because all elements see the same.
        """
        inner, length = 1, self.inner * len(self.spans)
        for dim in reversed(range(len(shape))):
            if self.inner % inner == 0 and inner * shape[dim] % length == 0 and len(self.spans) > 1:
                return dim, self.inner // inner
            inner *= shape[dim]
        return None

    def whole(self) -> "Axis":
        """Every element sees what any of them sees."""
        return Axis(np.array([[self.spans[:, 0].min(), self.spans[:, 1].max()]]))

    def carried(self, shape: Shape, result: Shape, to: Callable[[int], int | None]) -> "Axis":
        """The axis after an operation that moves dimensions.

        Args:
            shape, result: of the value before and after.
            to: where a dimension goes; None where all along it is mixed.
        """
        dimension = self.dimension(shape)
        goal = to(dimension[0]) if dimension else None
        if dimension is None or goal is None or result[goal] != shape[dimension[0]]:
            return self.whole()
        return Axis(self.spans, dimension[1] * prod(result[goal + 1 :]))

    def windowed(self, shape: Shape, result: Shape, windows: Mapping[int, IntArray], mixed: Sequence[int]) -> "Axis":
        """The axis after an operation that sees some positions along some dimensions.

        Args:
            windows: for each such dimension [positions of the result, k]: what it sees; outside means nothing.
            mixed: other dimensions all along which it sees everything.
        """
        dimension = self.dimension(shape)
        if dimension is None or dimension[0] not in windows:
            return self.carried(shape, result, lambda dim: None if dim in mixed else dim)
        dim, between = dimension
        if between != 1 or len(self.spans) != shape[dim]:
            return self.whole()
        return Axis(_gathered(self.spans, windows[dim]), prod(result[dim + 1 :]))

    def spread(self, shape: Shape, dim: int) -> IntArray:
        """[shape[dim], 2]: the pixels from start to before stop that each position of the dimension sees."""
        return self.along(shape, dim, shape[dim])

    def along(self, shape: Shape, dim: int, count: int, between: int = 1) -> IntArray:
        """[count, 2]: the same of positions that lie `between` elements of the dimension apart."""
        fits = self.dimension(shape) == (dim, between) and len(self.spans) == count
        spans = self.spans if fits else self.whole().spans
        spans = np.where(spans[:, :1] < spans[:, 1:], spans, 0)
        return np.broadcast_to(spans, (count, 2)).copy()


def united(axes: Sequence[Axis]) -> Axis:
    """What is seen where values come together that see unlike things, broadcast or not; all axes in one shape."""
    wide = {(axis.inner, len(axis.spans)) for axis in axes if len(axis.spans) > 1}
    if len(wide) > 1:
        axes, wide = [axis.whole() for axis in axes], set()
    starts = reduce(np.minimum, [axis.spans[:, 0] for axis in axes])
    stops = reduce(np.maximum, [axis.spans[:, 1] for axis in axes])
    return Axis(np.stack([starts, stops], axis=1), next(iter(wide))[0] if wide else 1)


def _gathered(spans: IntArray, index: IntArray) -> IntArray:
    inside = (index >= 0) & (index < len(spans))
    gathered = spans[np.where(inside, index, 0)]
    starts = np.where(inside, gathered[..., 0], NOTHING).min(axis=1)
    stops = np.where(inside, gathered[..., 1], 0).max(axis=1)
    return np.stack([starts, stops], axis=1)


def sliding(length: int, kernel: int, stride: int, padding: int, dilation: int) -> IntArray:
    """[length, kernel]: what the windows of a convolution or a pooling see."""
    return np.arange(length)[:, None] * stride - padding + np.arange(kernel) * dilation


def transposed(length: int, kernel: int, stride: int, padding: int, dilation: int) -> IntArray:
    """[length, kernel]: what adds to the positions of a transposed convolution; -1 where nothing does."""
    index = np.arange(length)[:, None] + padding - np.arange(kernel) * dilation
    return np.where(index % stride == 0, index // stride, -1)


def binned(length: int, before: int) -> IntArray:
    """[length, k]: the bins of adaptive pooling from `before` positions; -1 where a bin has less than k."""
    starts = np.arange(length) * before // length
    stops = -(-(np.arange(1, length + 1) * before) // length)
    index = starts[:, None] + np.arange((stops - starts).max())
    return np.where(index < stops[:, None], index, -1)


def padded(before: int, sides: tuple[int, int], mode: str) -> IntArray:
    """[length, 1]: where a padded axis of `before` positions comes from; outside where it is a constant.

    Args:
        sides: how much is added on either side; less than 0 where it is cut.
        mode: "constant", "reflect" or "edge".
    """
    index = np.arange(-sides[0], before + sides[1])
    if mode == "edge":
        index = index.clip(0, before - 1)
    if mode == "reflect":
        index = np.abs(index)
        index = np.where(index >= before, 2 * (before - 1) - index, index)
    return index[:, None]
