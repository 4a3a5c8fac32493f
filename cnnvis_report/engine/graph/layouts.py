"""Where a layer's result has its channels, rows and columns, and the way to [N, K, h, w] and back."""

from dataclasses import dataclass
from math import prod

from torch import Tensor

from cnnvis_report.engine.graph.axes import CHANNELS, COLUMNS, ROWS, UNKNOWN, Axes, Shape
from cnnvis_report.errors import NotApplicable


@dataclass(frozen=True)
class Layout:
    """How a result is read as feature maps.

    batch, channels, rows, columns: its dimensions; rows and columns are the same one where positions are tokens.
    grid: rows and columns of the example's result. before, after: tokens around the grid that are no positions.
    """

    batch: int
    channels: int
    rows: int
    columns: int
    grid: tuple[int, int]
    before: int = 0
    after: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether the result is N×K×h×w as it is."""
        return (self.batch, self.channels, self.rows, self.columns) == (0, 1, 2, 3)

    @property
    def has_tokens(self) -> bool:
        """Whether positions stand in one dimension."""
        return self.rows == self.columns

    def describe(self) -> str:
        """What is unlike N×K×h×w, in words; empty where nothing is."""
        if self.is_plain:
            return ""
        sides = "×".join(map(str, self.grid))
        if not self.has_tokens:
            return f"{sides} positions, channels last"
        extra = self.before + self.after
        if not extra:
            return f"{sides} tokens"
        tokens = "the class token" if extra == 1 else f"{extra} tokens without a position"
        return f"{sides} tokens, without {tokens}" if extra == 1 else f"{sides} tokens, beside {tokens}"

    def as_feature_maps(self, values: Tensor, size: tuple[float, float] = (1, 1)) -> Tensor:
        """[N, K, h, w], a view where it can be.

        Args:
            size: height and width of the images over those of the example, where tokens have to be laid out.

        Raises:
            NotApplicable: there are more or fewer tokens than such images have positions.
        """
        if self.is_plain:
            return values
        if not self.has_tokens:
            return values.permute(self.batch, self.channels, self.rows, self.columns)
        tokens = values.permute(self.batch, self.channels, self.rows)
        count = tokens.shape[2] - self.before - self.after
        return tokens.narrow(2, self.before, count).view(*tokens.shape[:2], *self._grid(count, size))

    def put(self, maps: Tensor, values: Tensor) -> Tensor:
        """A result like `values` with these maps [M, K, h, w] in it; what stands beside the grid stays as it is.

        Args:
            values: of M images, or of one.
        """
        if self.is_plain:
            return maps.clone()  # it may be worked on in place
        shape = list(values.shape)
        shape[self.batch] = len(maps)
        result = values.expand(shape).clone()
        if self.has_tokens:
            tokens = result.permute(self.batch, self.channels, self.rows)
            tokens.narrow(2, self.before, maps[0, 0].numel()).copy_(maps.flatten(2))
        else:
            result.permute(self.batch, self.channels, self.rows, self.columns).copy_(maps)
        return result

    def _grid(self, count: int, size: tuple[float, float]) -> tuple[int, int]:
        """Rows and columns of so many tokens."""
        height, width = (side * scale for side, scale in zip(self.grid, size, strict=True))
        rows = [rows for rows in (int(height), int(height) + 1) if rows and count % rows == 0]
        near = [(height, count // height) for height in rows if abs(count // height - width) < 1]
        if not near and count == prod(self.grid):  # whatever the images' size is
            return self.grid
        if not near:
            raise NotApplicable(f"{count} tokens are no grid of about {height:.1f}×{width:.1f}")
        return min(near, key=lambda grid: abs(grid[0] - height) + abs(grid[1] - width))


def layout_of(shape: Shape, axes: Axes | None) -> Layout | None:
    """How a result of this shape, for one image, is read; None where it has no feature maps.

    Args:
        axes: what its dimensions stand for; None where that isn't known, and then N×K×h×w is taken for what it is.
    """
    if axes is None or any(UNKNOWN in dim.axes for dim in axes):
        return _plain(shape)
    grid_dims = [index for index, dim in enumerate(axes) if dim.has_places]
    channels = [index for index, dim in enumerate(axes) if dim.axes == (CHANNELS,)]
    lone = [index for index, dim in enumerate(axes) if not dim.axes]
    if len(channels) > 1 or not lone:
        return None
    if len(axes) == 3 and len(grid_dims) == 1 and axes[grid_dims[0]].grid:
        return _tokens(axes, grid_dims[0], [*lone, *channels])
    if len(axes) != 4 or any(axes[index].extra for index in grid_dims):
        return None
    return _map(shape, [dim.axes for dim in axes], channels, lone)


def _tokens(axes: Axes, index: int, others: list[int]) -> Layout | None:
    batch, channels = others
    grid = axes[index].grid
    return grid and Layout(batch, channels, index, index, grid, axes[index].before, axes[index].after)


def _map(shape: Shape, axes: list[tuple[str, ...]], channels: list[int], lone: list[int]) -> Layout | None:
    """Of four dimensions, of which rows or columns or channels may have size 1."""
    if axes[0] == () and axes[2] in ((ROWS,), ()) and axes[3] in ((COLUMNS,), ()) and axes[1] in ((CHANNELS,), ()):
        return _plain(shape)
    if any((axis,) not in axes for axis in (ROWS, COLUMNS)):
        return None
    batch, *rest = lone
    if len(channels) + len(rest) != 1:
        return None
    rows, columns = axes.index((ROWS,)), axes.index((COLUMNS,))
    return Layout(batch, [*channels, *rest][0], rows, columns, (shape[rows], shape[columns]))


def _plain(shape: Shape) -> Layout | None:
    return Layout(0, 1, 2, 3, (shape[2], shape[3])) if len(shape) == 4 and shape[0] == 1 else None
