"""A figure laid out on a sheet of a given width."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil, floor

import numpy as np

from cnnvis_report.errors import BadRequest
from cnnvis_report.report.figure.content import Figure, HeadLine
from cnnvis_report.report.figure.fonts import Font, shortened, spelled, wrapped
from cnnvis_report.report.figure.heads import Scale, head, scales
from cnnvis_report.report.figure.marks import LIGHT, WIDTH, YELLOW, box_lines, cased, mark, mask_lines
from cnnvis_report.report.figure.sheet import POINTS_PER_MM, Box, Cell, Color, Element, Line, Raster, Sheet, Text
from cnnvis_report.report.figure.style import Style
from cnnvis_report.report.pictures.drawing import bar_colors
from cnnvis_report.report.pictures.thumbnails import Pixels

LEADING = 1.22  # from line to line, of the font's size
GAP = 0.45  # between cells
NARROWEST = 4.6  # a cell, of the font's size: "Grad-CAM" fits
TALLEST = 1.35  # a cell, of its width
HEAD_SHARE = 0.165  # of the width, at most
MARGIN = 0.15  # left of the heads, of the font's size: letters reach a little beyond their width
TITLE_LINES = 3
BAR = 0.8  # the height of a color bar
STEPS = 512


def lay_out(figure: Figure, style: Style, font: Font) -> Sheet:
    """Put a figure on a sheet.

    Raises:
        BadRequest: the width can't hold its columns.
    """
    return _Layout(figure, style, font).sheet()


class _Layout:
    def __init__(self, figure: Figure, style: Style, font: Font) -> None:
        self.figure, self.style, self.font, self.size = figure, style, font, style.font_size
        self.elements: list[Element] = []
        self.cells: list[Cell] = []
        self.width = self.style.down(style.width_mm * POINTS_PER_MM)
        self.gap = self.style.down(GAP * self.size)
        self.heads = [[self._spelled(line) for line in head(row)] for row in figure.rows]
        needed = max(self._width(line) for lines in self.heads for line in lines) + MARGIN * self.size
        self.head = self.style.up(min(needed, HEAD_SHARE * self.width) + 0.8 * self.size)
        columns = len(figure.columns) + 1
        room = (self.width - self.head - self.gap * (columns - 1)) / columns
        self.cell = self.style.down(min(room, style.widest * POINTS_PER_MM))
        if self.cell < style.down(room):
            self.width = self.head + columns * (self.cell + self.gap) - self.gap
        self._check_room(columns)

    def sheet(self) -> Sheet:
        """All of it, from the titles down to the color bars."""
        y = self._titles()
        for number in range(len(self.heads)):
            if number:
                y += self.gap * (2 if self._is_error(number) and not self._is_error(number - 1) else 1)
            y = self._row(number, y)
        y = self._bars(y + self.style.down(0.7 * self.size))
        theme = self.style.theme
        return Sheet(
            self.width, self.style.up(y), self.style.dpi, theme.background, tuple(self.elements), tuple(self.cells)
        )

    def _check_room(self, columns: int) -> None:
        narrowest = NARROWEST * self.size
        if self.cell >= narrowest:
            return
        fitting = floor((self.width - self.head + self.gap) / (narrowest + self.gap))
        needed = (narrowest + self.gap) * columns / (1 - HEAD_SHARE) + self.size
        room = f"holds {fitting - 1}" if fitting > 1 else "holds none"
        raise BadRequest(
            f"A figure {self.style.width_mm:g} mm wide {room} of its {columns - 1} methods beside the input, with"
            f" letters of {self.size:g} points: give --width {ceil(needed / POINTS_PER_MM)}mm, or fewer --methods."
        )

    def _titles(self) -> float:
        """The titles of the columns, on a common last baseline; where the rows begin."""
        lines = [self._title("Input", warned=False)]
        lines += [self._title(column.title, warned=bool(column.warning)) for column in self.figure.columns]
        warned = [False, *(bool(column.warning) for column in self.figure.columns)]
        height = max(map(len, lines)) * LEADING * self.size
        for column, texts in enumerate(lines):
            middle = self._x(column) + self.cell / 2
            for above, text in enumerate(reversed(texts)):
                baseline = height - 0.32 * self.size - above * LEADING * self.size
                marked = warned[column] and above == len(texts) - 1
                shift = self._mark_width / 2 if marked and text else 0.0
                line = self._text(middle + shift, baseline, text, self.style.theme.ink, "middle")
                if marked:
                    left = line.x - line.width / 2 - (self._mark_width if text else WIDTH * self.size / 2)
                    self.elements += mark("warning", left, baseline, self.size, self.style.theme.misclassified)
            self.cells.append(Cell(Box(self._x(column), 0, self.cell, height), None, column))
        return self.style.up(height)

    def _title(self, title: str, *, warned: bool) -> list[str]:
        """A title's lines; the first is empty where the mark of a warning has no room beside the next."""
        lines = wrapped(spelled(title, self.font), self.cell, self.size, self.font, TITLE_LINES)
        crowded = warned and self.font.width(lines[0], self.size) + self._mark_width > self.cell
        return ["", *lines] if crowded else lines

    def _row(self, number: int, y: float) -> float:
        """An image with its maps; where it ends."""
        row, lines = self.figure.rows[number], list(self._wrapped(self.heads[number]))
        height, width = row.image.size
        across = min(self.cell, TALLEST * self.cell * width / height)
        box_width, box_height = self.style.near(across), self.style.near(across * height / width)
        bottom = max(box_height, self.style.up(len(lines) * LEADING * self.size))
        self._head(lines, y + max(0.0, (bottom - len(lines) * LEADING * self.size) / 2))
        self.cells.append(Cell(Box(0, y, self.head, bottom), number, None))
        top = y + self.style.down((bottom - box_height) / 2)
        for column in range(len(self.figure.columns) + 1):
            left = self._x(column) + self.style.down((self.cell - box_width) / 2)
            box = Box(left, top, box_width, box_height)
            self._cell(number, column, box)
            self.cells.append(Cell(box, number, column))
        return y + bottom

    def _cell(self, number: int, column: int, box: Box) -> None:
        draw = self.figure.cell(number, column - 1 if column else None)
        theme, row = self.style.theme, self.figure.rows[number]
        if draw is None:
            text = shortened("no map", box.width, self.size, self.font)
            self._text(box.x + box.width / 2, box.y + (box.height + 0.6 * self.size) / 2, text, theme.muted, "middle")
        else:
            self.elements.append(Raster(box, draw))
            if row.mask is not None:
                self.elements += mask_lines(row.mask, box, self.size)
            corners = row.boxes[column] if row.boxes else None
            if corners is not None:
                self.elements += box_lines(corners, row.picture.shape, box, self.size)
        self._frame(box)

    def _head(self, lines: Sequence[HeadLine], y: float) -> None:
        right = self.head - 0.8 * self.size
        for number, line in enumerate(lines):
            baseline = y + (number + 0.8) * LEADING * self.size
            color = getattr(self.style.theme, line.tone)
            text = self._text(right, baseline, line.text, color, "end")
            if line.mark:
                left = right - text.width - (WIDTH + 0.25) * self.size
                self.elements += mark(line.mark, left, baseline, self.size, color)

    def _wrapped(self, lines: Sequence[HeadLine]) -> Iterator[HeadLine]:
        """Lines that fit, the name in one of them and everything else in at most two."""
        for number, line in enumerate(lines):
            room = self.head - (0.8 + MARGIN) * self.size - (self._mark_width if line.mark else 0.0)
            for part, text in enumerate(wrapped(line.text, room, self.size, self.font, 2 if number else 1)):
                yield HeadLine(text, line.tone, line.mark if not part else "")

    def _bars(self, y: float) -> float:
        """A color bar for each kind of scale, below the first columns that have it; where they end."""
        below, rows = y, self.figure.rows
        for name, color, is_drawn in (
            ("mask", LIGHT, any(row.mask is not None for row in rows)),
            ("box", YELLOW, any(any(row.boxes) for row in rows)),
        ):
            below += self._key(below, name, color) if is_drawn else 0.0
        for scale, first, last in scales(self.figure):
            left = self._x(first + 1)
            box = Box(left, y, self._x(last + 1) + self.cell - left, self.style.near(BAR * self.size))
            below = max(below, self._bar(scale, box))
        return below

    def _key(self, y: float, name: str, color: Color) -> float:
        """What outlines of a color are, below the heads of the rows; how high that is."""
        text = self._text(self.head - 0.8 * self.size, y + 0.8 * self.size, name, self.style.theme.muted, "end")
        right, middle = text.x - text.width - 0.5 * self.size, y + 0.5 * self.size
        left = max(MARGIN * self.size, right - 2 * self.size)
        self.elements += cased([(left, middle), (right, middle)], self.size, closed=False, core=color)
        return LEADING * self.size

    def _bar(self, scale: Scale, box: Box) -> float:
        pixels = bar_colors(scale.sign, scale.kind, self.figure.look, STEPS)
        self.elements.append(Raster(box, lambda size: _stretched(pixels, size)))
        self._frame(box)
        muted, baseline = self.style.theme.muted, box.y + box.height + LEADING * self.size * 0.85
        ends = (scale.low, scale.high)
        if sum(self.font.width(end, self.size) for end in ends) + 0.5 * self.size > box.width:
            ends = ("-", "+")
        low = self._text(box.x, baseline, ends[0], muted, "start")
        high = self._text(box.x + box.width, baseline, ends[1], muted, "end")
        if scale.middle and box.width / 2 > max(low.width, high.width) + self.size:
            self._text(box.x + box.width / 2, baseline, scale.middle, muted, "middle")
        for text in _two_lines(scale.below, box.width, self.size, self.font):
            baseline += LEADING * self.size
            self._text(box.x + box.width / 2, baseline, text, muted, "middle")
        return baseline + 0.35 * self.size

    def _frame(self, box: Box) -> None:
        right, bottom = box.x + box.width, box.y + box.height
        corners = ((box.x, box.y), (right, box.y), (right, bottom), (box.x, bottom))
        self.elements.append(Line(corners, self.style.theme.frame, 0.04 * self.size, closed=True))

    def _text(self, x: float, y: float, text: str, color: Color, anchor: str) -> Text:
        element = Text(x, y, text, self.size, color, anchor, self.font.width(text, self.size))
        self.elements += [element] if text else []
        return element

    def _spelled(self, line: HeadLine) -> HeadLine:
        return replace(line, text=spelled(line.text, self.font, line.instead))

    def _width(self, line: HeadLine) -> float:
        return self.font.width(line.text, self.size) + (self._mark_width if line.mark else 0.0)

    @property
    def _mark_width(self) -> float:
        return (WIDTH + 0.25) * self.size

    def _is_error(self, number: int) -> bool:
        return self.figure.rows[number].image.correct is False

    def _x(self, column: int) -> float:
        """The left edge of a column, 0 that of the input."""
        return self.head + column * (self.cell + self.gap)


def _two_lines(texts: Sequence[str], room: float, size: float, font: Font) -> list[str]:
    """The first of several wordings that two lines hold."""
    for text in texts:
        lines = wrapped(text, room, size, font, 2)
        if " ".join(lines) == text:
            return _balanced(lines, text, room, size, font)
    return wrapped(texts[-1], room, size, font, 2)


def _balanced(lines: list[str], text: str, room: float, size: float, font: Font) -> list[str]:
    """The same in as many lines that are about as long as one another."""
    for share in range(50, 100, 5):
        narrow = wrapped(text, room * share / 100, size, font, len(lines))
        if " ".join(narrow) == text:
            return narrow
    return lines


def _stretched(colors: Pixels, size: tuple[int, int]) -> Pixels:
    """A row of colors [steps, 3] as a picture of a size (height, width)."""
    height, width = size
    steps = np.minimum((np.arange(width) + 0.5) * len(colors) / width, len(colors) - 1).astype(int)
    return np.broadcast_to(colors[steps], (height, width, 3)).copy()
