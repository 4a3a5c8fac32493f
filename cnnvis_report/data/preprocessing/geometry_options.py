"""The geometry of a preprocessing with what a user wants otherwise."""

from dataclasses import replace

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing, read_sides
from cnnvis_report.errors import UnusedOption

NONE = "none"


def adjusted_geometry(
    known: Preprocessing, size: str | None, resize: str | None, crop: str | None, interpolation: str | None
) -> Preprocessing:
    """The preprocessing with what --size, --resize, --crop and --interpolation say; None leaves a part as it is.

    Raises:
        BadRequest: one can't be read.
        UnusedOption: --size is given beside what it stands for.
    """
    for option, value in (("--resize", resize), ("--crop", crop)):
        if size is not None and value is not None:
            raise UnusedOption(option, value, f"--size {size} sets --resize and --crop; give either.", "--size")
    if size is not None:
        known = known.resized(size)
    if resize is not None:
        known = replace(known, resize=_resize(resize), aspect="squash")
    if crop is not None:
        known = replace(known, crop=_crop(crop))
    return known if interpolation is None else replace(known, interpolation=interpolation)


def _resize(text: str) -> int | tuple[int, int] | None:
    wanted = "the shorter side such as 256, HEIGHTxWIDTH such as 192x256, or none"
    return None if text == NONE else read_sides(text, "--resize", wanted)


def _crop(text: str) -> tuple[int, int] | None:
    if text == NONE:
        return None
    sides = read_sides(text, "--crop", "a side such as 224, HEIGHTxWIDTH such as 192x256, or none")
    return sides if isinstance(sides, tuple) else (sides, sides)
