"""A picture within the text of a summary."""

from base64 import b64encode
from io import BytesIO

from PIL import Image

LARGEST = 36_000  # bytes, of which the text has 48 000 characters
WIDTHS = (1000, 800, 640, 480, 320)


def picture_address(png: bytes) -> str:
    """The picture as a data address, as wide as the length of a summary allows; empty where none is narrow enough."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    for width in WIDTHS:
        file = BytesIO()
        size = (min(width, picture.width), max(1, round(picture.height * min(1, width / picture.width))))
        picture.resize(size, Image.Resampling.LANCZOS).save(file, "WEBP", quality=60)
        if file.tell() <= LARGEST:
            return f"data:image/webp;base64,{b64encode(file.getvalue()).decode('ascii')}"
    return ""
