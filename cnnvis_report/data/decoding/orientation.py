"""What makes a stored picture upright, as its EXIF data say, a few rows at a time."""

from PIL import Image

ORIENTATION = 0x0112  # in EXIF
# what makes a picture upright, by its orientation in EXIF
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def stored_turn(image: Image.Image) -> Image.Transpose | None:
    """What makes a picture upright; None where it is."""
    return UPRIGHT.get(image.getexif().get(ORIENTATION, 1))


def upright_size(stored: Image.Image, transpose: Image.Transpose | None) -> tuple[int, int]:
    """(width, height) of a stored picture once it is upright."""
    across = transpose in (UPRIGHT[5], UPRIGHT[6], UPRIGHT[7], UPRIGHT[8])
    return (stored.height, stored.width) if across else stored.size


def upright_rows(stored: Image.Image, transpose: Image.Transpose | None, top: int, bottom: int) -> Image.Image:
    """Rows of a stored picture as they are once it is upright."""
    width, height = stored.size
    if (top, bottom) == (0, upright_size(stored, transpose)[1]):
        return stored if transpose is None else stored.transpose(transpose)
    if transpose in (UPRIGHT[5], UPRIGHT[6]):
        box = (top, 0, bottom, height)
    elif transpose in (UPRIGHT[7], UPRIGHT[8]):
        box = (width - bottom, 0, width - top, height)
    elif transpose in (UPRIGHT[3], UPRIGHT[4]):
        box = (0, height - bottom, width, height - top)
    else:
        box = (0, top, width, bottom)
    rows = stored.crop(box)
    return rows if transpose is None else rows.transpose(transpose)
