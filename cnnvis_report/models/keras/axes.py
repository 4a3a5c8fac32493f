"""In which order the axes of a Keras tensor lie here: channels first, whatever Keras has."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from torch import Tensor

Shape = tuple[int | None, ...]
Order = tuple[int, ...]
CHANNELS_FIRST: Order = (0, 1, 2, 3)
CHANNELS_LAST: Order = (0, 3, 1, 2)  # N×H×W×C of Keras, held as N×C×H×W


@dataclass(frozen=True)
class Axes:
    """A tensor as it is held, beside Keras's.

    shape: in Keras's order, the images first; None where a size isn't known. order: of each dimension here, the axis of
    Keras that it holds. grid: (height, width, channels) of features [N, F] that lie channel by channel here and
    position by position in Keras, as a flattened grid does; None for all others.
    """

    shape: Shape
    order: Order
    grid: tuple[int, int, int] | None = None

    @classmethod
    def as_in_keras(cls, shape: Iterable[int | None]) -> "Axes":
        """Axes in Keras's own order."""
        sizes = tuple(shape)
        return cls(sizes, tuple(range(len(sizes))))

    @property
    def rank(self) -> int:
        """The number of axes, images included."""
        return len(self.order)

    def dimension(self, axis: int) -> int:
        """The dimension here of an axis of Keras, which may be counted from the end."""
        return self.order.index(axis % self.rank)

    def size(self, axis: int) -> int | None:
        """The size of an axis of Keras."""
        return self.shape[axis % self.rank]

    def ordered(self, order: Order) -> "Axes":
        """The same tensor in another order."""
        return Axes(self.shape, order)

    def plain(self) -> "Axes":
        """The same tensor as Keras has it."""
        return Axes.as_in_keras(self.shape)

    def shaped(self, shape: Iterable[int | None]) -> "Axes":
        """Another tensor of as many axes, which lie in the same order."""
        return replace(self, shape=tuple(shape))

    def laid_out(self, values: Tensor) -> Tensor:
        """Values of Keras that are broadcast over such a tensor, in the order that it has here."""
        missing = self.rank - values.dim()
        return values.reshape((1,) * missing + tuple(values.shape)).permute(self.order).contiguous()


@dataclass(frozen=True)
class Read:
    """How a step reads a tensor: its number, and what turns it into the order that is wanted."""

    number: int
    grid: tuple[int, int, int] | None = None
    permutation: Order | None = None

    @classmethod
    def of(cls, number: int, stored: Axes, wanted: Axes) -> "Read":
        """What leads from the order that a tensor has to another one."""
        if stored.grid is not None and wanted.grid is None:
            return cls(number, stored.grid)
        if stored.order == wanted.order:
            return cls(number)
        return cls(number, None, tuple(stored.order.index(axis) for axis in wanted.order))

    def __call__(self, tensor: Tensor) -> Tensor:
        """The tensor in the order that is wanted."""
        if self.grid is not None:
            height, width, channels = self.grid
            return tensor.reshape(-1, channels, height, width).permute(0, 2, 3, 1).flatten(1)
        return tensor if self.permutation is None else tensor.permute(self.permutation)
