"""A sheet as pixels: Pillow draws it, with the font that Pillow brings along."""

import io

import numpy as np
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from cnnvis_report.report.figure.fonts import pillow_font
from cnnvis_report.report.figure.sheet import Line, Raster, Sheet, Text
from cnnvis_report.report.pictures.thumbnails import Pixels
from cnnvis_report.store.files.names import FIGURE_SOFTWARE

FINER = 4  # lines are drawn so many times larger and averaged
ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


def paint(sheet: Sheet) -> Pixels:
    """A sheet as pixels [height, width, 3]."""
    size = (sheet.pixels(sheet.width), sheet.pixels(sheet.height))
    canvas = Image.new("RGB", size, sheet.background)
    for element in sheet.elements:
        if isinstance(element, Raster):
            corner = (round(element.box.x * sheet.dpi / 72), round(element.box.y * sheet.dpi / 72))
            canvas.paste(Image.fromarray(sheet.drawn(element)), corner)
        elif isinstance(element, Text):
            _write(canvas, element, sheet.dpi / 72)
        else:
            _line(canvas, element, sheet.dpi / 72)
    return np.asarray(canvas)


def png(sheet: Sheet) -> bytes:
    """A sheet as PNG, of its width where a program minds the resolution, the same bytes every time."""
    info = PngInfo()
    info.add_text("Software", FIGURE_SOFTWARE)
    file = io.BytesIO()
    Image.fromarray(paint(sheet)).save(file, "PNG", dpi=(sheet.dpi, sheet.dpi), pnginfo=info)
    return file.getvalue()


def _write(canvas: Image.Image, text: Text, scale: float) -> None:
    position = (text.x * scale, text.y * scale)
    font = pillow_font(text.size * scale)
    ImageDraw.Draw(canvas).text(position, text.text, text.color, font, anchor=ANCHORS[text.anchor])


def _line(canvas: Image.Image, line: Line, scale: float) -> None:
    """Draw lines with soft edges."""
    points = np.array([*line.points, *([line.points[0]] if line.closed else [])]) * scale
    margin = max(1.0, line.width * scale)
    left, top = np.floor(points.min(axis=0) - margin).astype(int).tolist()
    right, bottom = np.ceil(points.max(axis=0) + margin).astype(int).tolist()
    cover = Image.new("L", ((right - left) * FINER, (bottom - top) * FINER))
    fine = [tuple(point) for point in ((points - (left, top)) * FINER).tolist()]
    width = max(1, round(line.width * scale * FINER))
    ImageDraw.Draw(cover).line(fine, fill=255, width=width, joint="curve")
    softened = cover.resize((right - left, bottom - top), Image.Resampling.BOX)
    canvas.paste(line.color, (left, top, right, bottom), softened)
