"""Pictures of six formats, damaged: each gives a picture or a reason, in bounded memory."""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis_report.data.decoding.decode import open_picture
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from tests.robustness.attack import Attack
from tests.robustness.damage import damaged, peak

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP")
MODES = {"PNG": ("RGB", "RGBA", "P", "I;16"), "JPEG": ("RGB", "L"), "TIFF": ("RGB", "I;16"), "GIF": ("P",)}
MORE = 1600  # MB that a picture of the largest size may take
READ = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, resize=36, crop=(32, 32))


def whole_pictures() -> list[bytes]:
    """A small picture of each format, in several modes, one of them progressive."""
    numbers = np.random.default_rng(0)
    found = []
    for name in FORMATS:
        for mode in MODES.get(name, ("RGB",)):
            gray = Image.fromarray(numbers.integers(0, 60000, (48, 64)).astype(np.uint16))
            color = Image.fromarray(numbers.integers(0, 255, (48, 64, 3), dtype=np.uint8))
            made = io.BytesIO()
            options = {"progressive": True} if mode == "L" else {"compression": "tiff_lzw"} if name == "TIFF" else {}
            (gray if mode == "I;16" else color.convert(mode)).save(made, name, **options)
            found.append(made.getvalue())
    return found


def read(content: bytes) -> str:
    """What was wrong with the reading; nothing where there was a picture or a reason."""
    before = peak()
    try:
        values = prepare(open_picture(io.BytesIO(content)), READ).values
        wrong = "" if tuple(values.shape) == (3, 32, 32) and bool(values.isfinite().all()) else "not a picture's values"
    except UnusablePicture:
        wrong = ""
    except Exception as error:
        wrong = f"{type(error).__name__}: {error}"
    more = peak() - before
    return wrong or (f"{more} MB more for {len(content)} bytes" if more > MORE else "")


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Damage each in turn."""
    whole = whole_pictures()
    for number in numbers:
        dice = random.Random(number)
        wrong = read(damaged(whole[number % len(whole)], dice))
        yield f"picture {number}: {wrong}" if wrong else ""


ATTACK = Attack(
    "mutated pictures",
    "a damaged picture is read, or skipped with a reason, in at most 1.6 GB",
    trials,
    few=300,
    quick=300,
    full=2000,
)
