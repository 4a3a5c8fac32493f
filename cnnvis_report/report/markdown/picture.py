"""The picture of a summary: a file beside it, or a part of the text."""

from base64 import b64encode
from io import BytesIO

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from cnnvis_report.store.files.names import FIGURE_SOFTWARE

SCREEN = 1200  # pixels: as wide as a pull request shows it, and a quarter of the bytes of a figure for print
LARGEST = 36_000  # bytes, of which the text has 48 000 characters
WIDTHS = (1000, 800, 640, 480, 320)


def screen_png(png: bytes) -> bytes:
    """A figure as narrow as a screen needs it, which is said to be one of this program's."""
    info, file = PngInfo(), BytesIO()
    info.add_text("Software", FIGURE_SOFTWARE)
    _narrowed(Image.open(BytesIO(png)), SCREEN).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def picture_address(png: bytes) -> str:
    """The picture as a data address, as wide as the length of a summary allows; empty where none is narrow enough."""
    picture = Image.open(BytesIO(png))
    for width in WIDTHS:
        file = BytesIO()
        _narrowed(picture, width).save(file, "WEBP", quality=60)
        if file.tell() <= LARGEST:
            return f"data:image/webp;base64,{b64encode(file.getvalue()).decode('ascii')}"
    return ""


def _narrowed(picture: Image.Image, width: int) -> Image.Image:
    """The picture in RGB, no wider than that."""
    scale = min(1.0, width / picture.width)
    size = (round(picture.width * scale), max(1, round(picture.height * scale)))
    return picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
