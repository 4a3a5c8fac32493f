"""Figures as files: the format by the suffix, written whole or not at all, and over nobody else's file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis_report.errors import BadRequest
from cnnvis_report.report.figure.caption import caption
from cnnvis_report.report.figure.config import FigureConfig
from cnnvis_report.report.figure.content import Figure, make_figure
from cnnvis_report.report.figure.fonts import AnyFont, Font, PillowFont
from cnnvis_report.report.figure.layout import lay_out
from cnnvis_report.report.figure.pdf import DejaVu, pdf
from cnnvis_report.report.figure.png import paint, png
from cnnvis_report.report.figure.sheet import Sheet
from cnnvis_report.report.figure.style import DARK, Style, Theme
from cnnvis_report.report.figure.svg import svg
from cnnvis_report.report.pictures.thumbnails import Pictures, webp
from cnnvis_report.store.files.names import FIGURE_SOFTWARE
from cnnvis_report.store.files.output_file import check_output, output_file
from cnnvis_report.store.run_folder import StoredRun

# 1280 CSS pixels, sharp on screens of two a pixel, upon the ground of the pages
PAGE = Style(1280 / 96 * 25.4, 10.0, 192, replace(Theme(), background=(251, 251, 249)), widest=45.0)
PRINT = Style(widest=30.0)
DARK_PAGE = replace(PAGE, theme=DARK)
PAGE_QUALITY, SMALL_QUALITY = 76, 62
LIGHT_PICTURE, DARK_PICTURE, SMALL_PICTURE = "figure", "figure-dark", "figure-small"


@dataclass(frozen=True)
class Format:
    """How a file of a suffix is made: the font that measures its text, by dpi, and what encodes a sheet and caption."""

    font: Callable[[int], Font]
    encode: Callable[[Sheet, str], bytes]


FORMATS = {
    ".png": Format(PillowFont, lambda sheet, _: png(sheet)),
    ".svg": Format(lambda _: AnyFont(), svg),
    ".pdf": Format(lambda _: DejaVu(), pdf),
}


def save_figure(stored: StoredRun, path: Path, config: FigureConfig) -> Figure:
    """Write a figure of a run into a file, in the format that the suffix names.

    Raises:
        BadRequest: the suffix is unknown, matplotlib is missing, the file is somebody else's, the run has no maps or
        the width can't hold the columns. UnknownName: the run has no such image or method. Nothing is written then.
    """
    output = _format(path)
    font = output.font(config.style.dpi)
    figure = make_figure(stored, config)
    _write(path, output.encode(lay_out(figure, config.style, font), caption(figure)))
    return figure


def save_sheet(figure: Figure, text: str, path: Path, style: Style) -> None:
    """Write a figure that is made already, with its caption.

    Raises:
        BadRequest: as `save_figure`; nothing is written then.
    """
    output = _format(path)
    _write(path, output.encode(lay_out(figure, style, output.font(style.dpi)), text))


def _format(path: Path) -> Format:
    output = FORMATS.get(path.suffix.lower())
    if output is None:
        raise BadRequest(f"{path}: the suffix names the format of a figure, {', '.join(FORMATS)}.")
    check_target(path)
    return output


def _write(path: Path, content: bytes) -> None:
    with output_file(path) as temporary:
        temporary.write_bytes(content)


def figure_png(figure: Figure) -> bytes:
    """A figure as the run folder keeps it: as wide as a page of print."""
    return png(lay_out(figure, PRINT, PillowFont(PRINT.dpi)))


def page_sheet(figure: Figure) -> Sheet:
    """A figure as the overview shows it."""
    return lay_out(figure, PAGE, PillowFont(PAGE.dpi))


def page_pictures(figure: Figure) -> Pictures:
    """The same as pictures, for light pages and for dark ones; the light one for small screens, too."""
    for name, style in ((LIGHT_PICTURE, PAGE), (DARK_PICTURE, DARK_PAGE)):
        pixels = paint(lay_out(figure, style, PillowFont(style.dpi)))
        yield name, webp(pixels, quality=PAGE_QUALITY, lossless_up_to=0)
        if name == LIGHT_PICTURE:
            half = np.asarray(Image.fromarray(pixels).reduce(2))
            yield SMALL_PICTURE, webp(half, quality=SMALL_QUALITY, lossless_up_to=0)


def check_target(path: Path) -> None:
    """Refuse to write over anything but a figure that this program has made.

    Raises:
        BadRequest: saying what is there.
    """
    check_output(path, FIGURE_SOFTWARE, "a figure")
