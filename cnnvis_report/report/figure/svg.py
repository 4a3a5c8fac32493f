"""A sheet as SVG, whose letters stay text."""

import io
from base64 import b64encode
from xml.sax.saxutils import escape, quoteattr

from PIL import Image

from cnnvis_report.report.figure.sheet import POINTS_PER_MM, Element, Line, Raster, Sheet, Text, hexadecimal
from cnnvis_report.report.pictures.thumbnails import Pixels
from cnnvis_report.store.files.names import FIGURE_SOFTWARE

FONTS = "Aileron, Helvetica, Arial, Liberation Sans, sans-serif"


def svg(sheet: Sheet, caption: str) -> bytes:
    """A sheet as SVG: rasters embedded, text in a font of the reader's machine, held to the width it was measured."""
    width, height = (f"{length / POINTS_PER_MM:.4f}mm" for length in (sheet.width, sheet.height))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' role="img" viewBox="0 0 {_number(sheet.width)} {_number(sheet.height)}" font-family={quoteattr(FONTS)}>',
        f"<desc>{escape(caption)}</desc>",
        f"<!-- {FIGURE_SOFTWARE} -->",
        f'<rect width="100%" height="100%" fill="{hexadecimal(sheet.background)}"/>',
        *(_element(sheet, element) for element in sheet.elements),
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _element(sheet: Sheet, element: Element) -> str:
    if isinstance(element, Raster):
        return _raster(element, sheet.drawn(element))
    return _text(element) if isinstance(element, Text) else _line(element)


def _raster(raster: Raster, pixels: Pixels) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    names = ("x", "y", "width", "height")
    box = " ".join(f'{name}="{_number(getattr(raster.box, name))}"' for name in names)
    address = f"data:image/png;base64,{b64encode(file.getvalue()).decode()}"
    return f'<image {box} preserveAspectRatio="none" href="{address}"/>'


def _text(text: Text) -> str:
    width = f' textLength="{_number(text.width)}" lengthAdjust="spacingAndGlyphs"' if len(text.text) > 1 else ""
    return (
        f'<text x="{_number(text.x)}" y="{_number(text.y)}" font-size="{_number(text.size)}"'
        f' text-anchor="{text.anchor}" fill="{hexadecimal(text.color)}"{width}>{escape(text.text)}</text>'
    )


def _line(line: Line) -> str:
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in line.points)
    return (
        f'<{"polygon" if line.closed else "polyline"} points="{points}" fill="none" stroke="{hexadecimal(line.color)}"'
        f' stroke-width="{_number(line.width)}" stroke-linejoin="round" stroke-linecap="round"/>'
    )


def _number(value: float) -> str:
    """Three digits behind the point, and no more than it takes."""
    return f"{value:.3f}".rstrip("0").rstrip(".")
