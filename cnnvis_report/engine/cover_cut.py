"""Where a network can be cut so that a covered patch of an image is followed in a part of it alone.

A patch is seen in a part of a layer's maps. So what leads to the layer may run on a crop around the patch, and what
comes after it on the maps of the whole image with that part put in.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Axis:
    """Rows or columns of a layer's maps.

    pixels, positions: of the whole image. step: pixels from one position to the next. before, after: in how many
    positions before and after its own a pixel is seen.
    """

    pixels: int
    positions: int
    step: int
    before: int
    after: int

    def seen(self, start: int, length: int) -> tuple[int, int]:
        """The positions, from the first to behind the last, where pixels from `start` on are seen."""
        first, last = start // self.step - self.before, (start + length - 1) // self.step + self.after
        return max(first, 0), min(last + 1, self.positions)

    def crop(self, length: int) -> int:
        """How many pixels a crop needs for the positions where `length` pixels are seen, wherever they are."""
        steps = (length + self.step - 2) // self.step + 1 + 2 * (self.before + self.after)
        return min(steps * self.step + self.pixels % self.step, self.pixels)

    def crop_start(self, start: int, length: int) -> int:
        """Where such a crop begins, in positions."""
        last = (self.pixels - self.crop(length)) // self.step
        return min(max(self.seen(start, length)[0] - self.after, 0), last)


@dataclass(frozen=True)
class Cut:
    """A layer with rows and columns of its maps.

    work: the part of the network's multiplications that leads to it. at_a_time: how many patches share one run of that.
    """

    layer: str
    rows: Axis
    columns: Axis
    work: float
    at_a_time: int

    def share(self, patch: int) -> float:
        """What scores of an image that is covered by such a patch cost, of a whole pass."""
        crop = self.rows.crop(patch) * self.columns.crop(patch) / (self.rows.pixels * self.columns.pixels)
        return self.work * (crop + 1 / self.at_a_time) + 1 - self.work

    def passes(self, count: int, patch: int) -> float:
        """How many passes scores of an image that is covered in so many places cost."""
        return count * self.share(patch) + self.work

    def crop(self, images: Tensor, top: int, left: int, patch: int) -> Tensor:
        """[N, C, …]: the part of images [N, C, H, W] around a patch that has to run."""
        rows, columns = (
            slice(begin * axis.step, begin * axis.step + axis.crop(patch))
            for axis, begin in self._begins(top, left, patch)
        )
        return images[..., rows, columns]

    def windows(self, top: int, left: int, patch: int) -> tuple[Window, Window]:
        """Where a patch is seen in the maps of the whole image, and in those of the crop around it."""
        seen = [self.rows.seen(top, patch), self.columns.seen(left, patch)]
        begins = [begin for _, begin in self._begins(top, left, patch)]
        whole = (slice(*seen[0]), slice(*seen[1]))
        rows, columns = (slice(a - begin, b - begin) for (a, b), begin in zip(seen, begins, strict=True))
        return whole, (rows, columns)

    def _begins(self, top: int, left: int, patch: int) -> Iterator[tuple[Axis, int]]:
        for axis, start in ((self.rows, top), (self.columns, left)):
            yield axis, axis.crop_start(start, patch)
