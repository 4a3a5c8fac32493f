"""Pictures that make a few rows at a time, so that of a large one there is never more than one form in memory."""

from abc import ABC, abstractmethod

from PIL import Image

from cnnvis_report.data.pixels import strips


class RowPicture(ABC):
    """A picture whose rows are made when they are asked for.

    mode: Pillow's name of what a pixel is.
    """

    mode: str

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """(width, height)."""

    @abstractmethod
    def rows(self, top: int, bottom: int) -> Image.Image:
        """The rows from `top` to before `bottom`."""

    def resize_rows(
        self, first: int, last: int, width: int, filter: Image.Resampling, box: tuple[float, float] | None = None
    ) -> Image.Image:
        """The rows from `first` to before `last` at another width: what Pillow does first where it resizes a picture.

        Args:
            box: from where to where they are taken, in pixels of the picture; None for all of it.
        """
        left, right = box or (0, self.size[0])
        rows = Image.new(self.mode, (width, last - first))
        for top, bottom in strips(self.size[0], first, last):
            strip = self.rows(top, bottom)
            rows.paste(
                strip.resize((width, bottom - top), filter, box=(left, 0, right, bottom - top)), (0, top - first)
            )
        return rows

    def whole(self) -> Image.Image:
        """The picture as Pillow has it."""
        parts = list(strips(self.size[0], 0, self.size[1]))
        if len(parts) == 1:
            return self.rows(*parts[0])
        picture = Image.new(self.mode, self.size)
        for top, bottom in parts:
            picture.paste(self.rows(top, bottom), (0, top))
        return picture
