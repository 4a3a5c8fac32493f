"""Formats of single maps: how one, or all of an image, becomes a file."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from cnnvis_report.records.methods import Array, MethodInfo
from cnnvis_report.report.pictures.drawing import draw_map

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Drawn:
    """A map that is written: its stored values, its method, and the picture that it explains."""

    values: Array
    method: MethodInfo
    picture: Pixels


@dataclass(frozen=True)
class Format:
    """A format of files of one map each.

    suffix: of the files. encode: a map's bytes. reduced: whether the channels of a pixel map become one value per
    pixel, as pages show it.
    """

    suffix: str
    encode: Callable[[Drawn], bytes]
    reduced: bool


def npy(drawn: Drawn) -> bytes:
    """The stored values in NumPy's own format."""
    stream = io.BytesIO()
    np.save(stream, np.ascontiguousarray(drawn.values, dtype=np.float32), allow_pickle=False)
    return stream.getvalue()


def tiff(drawn: Drawn) -> bytes:
    """The stored values as 32-bit floating point, a page per channel."""
    planes = drawn.values if drawn.values.ndim == 3 else drawn.values[None]
    first, *others = [Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32)) for plane in planes]
    stream = io.BytesIO()
    first.save(stream, "TIFF", save_all=True, append_images=others)
    return stream.getvalue()


def csv(drawn: Drawn) -> bytes:
    """One value per position, a line per row, with nine digits, which tell all single-precision numbers apart."""
    rows = drawn.method.shown(drawn.values)
    return "".join(f"{','.join(f'{value:.9g}' for value in row)}\n" for row in rows.tolist()).encode("ascii")


def heatmap(drawn: Drawn) -> bytes:
    """The map in color as pages draw it: over the picture, or alone where it has a value for every pixel."""
    size = drawn.picture.shape[0], drawn.picture.shape[1]
    pixels = draw_map(drawn.picture, drawn.method.shown(drawn.values), drawn.method, size)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", optimize=False)
    return stream.getvalue()


def npz(arrays: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Arrays of an image by name, packed."""
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type] # no name is that of an option
    return stream.getvalue()


FORMATS = {
    "npy": Format("npy", npy, reduced=False),
    "tiff": Format("tiff", tiff, reduced=False),
    "csv": Format("csv", csv, reduced=True),
    "heatmap-png": Format("png", heatmap, reduced=True),
}
