"""A sheet as PDF: matplotlib draws it, with its own font, which is embedded."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.report.figure.sheet import Element, Raster, Sheet, Text, hexadecimal
from cnnvis_report.store.files.names import FIGURE_SOFTWARE

FAMILY = "DejaVu Sans"
ANCHORS = {"start": "left", "middle": "center", "end": "right"}


class DejaVu:
    """DejaVu Sans, which matplotlib brings along: letters of most alphabets, not those of Asia.

    Raises:
        BadRequest: matplotlib isn't installed.
    """

    def __init__(self) -> None:
        try:
            from matplotlib.font_manager import FontProperties, findfont, get_font
        except ImportError as error:
            raise BadRequest(
                "A PDF needs matplotlib, which isn't installed: pip install 'cnnvis-report[figures]'."
                " PNG and SVG need nothing."
            ) from error
        self._properties: Any = FontProperties(family=FAMILY, size=64)
        self._letters = frozenset(get_font(findfont(self._properties)).get_charmap())

    def width(self, text: str, size: float) -> float:
        """How far the text goes, by the font's own advances."""
        from matplotlib.textpath import text_to_path

        with _settings():
            width, _, _ = text_to_path.get_text_width_height_descent(text, self._properties, ismath=False)
        return float(width) * size / 64

    def has(self, letter: str) -> bool:
        """Whether DejaVu Sans has it."""
        return ord(letter) in self._letters


def pdf(sheet: Sheet, caption: str) -> bytes:
    """A sheet as PDF of one page: text as TrueType, frames and outlines as lines, the same bytes every time."""
    from matplotlib.figure import Figure

    file = io.BytesIO()
    with _settings():
        figure = Figure(figsize=(sheet.width / 72, sheet.height / 72), facecolor=hexadecimal(sheet.background))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for order, element in enumerate(sheet.elements):
            _draw(axes, sheet, element, order)
        axes.set_xlim(0, sheet.width)
        axes.set_ylim(sheet.height, 0)
        axes.set_aspect("auto")
        metadata = {"Subject": caption, "Creator": FIGURE_SOFTWARE, "Producer": None, "CreationDate": None}
        figure.savefig(file, format="pdf", metadata=metadata)
    return file.getvalue()


def _draw(axes: Any, sheet: Sheet, element: Element, order: int) -> None:
    if isinstance(element, Raster):
        box = element.box
        extent = (box.x, box.x + box.width, box.y + box.height, box.y)
        axes.imshow(sheet.drawn(element), extent=extent, interpolation="none", zorder=order, aspect="auto")
    elif isinstance(element, Text):
        axes.text(
            element.x,
            element.y,
            element.text,
            fontsize=element.size,
            color=hexadecimal(element.color),
            ha=ANCHORS[element.anchor],
            va="baseline",
            zorder=order,
            parse_math=False,  # a name may have dollars in it
        )
    else:
        points = [*element.points, *([element.points[0]] if element.closed else [])]
        x, y = zip(*points, strict=True)
        axes.plot(
            x,
            y,
            color=hexadecimal(element.color),
            linewidth=element.width,
            zorder=order,
            solid_capstyle="round",
            solid_joinstyle="round",
        )


@contextmanager
def _settings() -> Iterator[None]:
    """Matplotlib's own defaults and ours, whatever the user's settings are, which come back."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rc("pdf", fonttype=42, compression=6)
        matplotlib.rc("font", family=[FAMILY])
        yield
