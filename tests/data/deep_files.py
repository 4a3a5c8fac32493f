"""Files of more than 8 bits a channel that Pillow can't write."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing

Array = npt.NDArray[Any]
BRIGHTNESS = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def png(values: np.ndarray) -> bytes:
    """A PNG of 16 bits, written by hand: Pillow can't."""
    height, width = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[values.shape[2] if values.ndim == 3 else 1]

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def saved(folder: Path, values: Array) -> Path:
    """16 bits as PNG, floating point as TIFF, other numbers as an array."""
    path = folder / {"u2": "a.png", "f4": "a.tif"}.get(values.dtype.str[1:], "a.npy")
    if path.suffix == ".png":
        path.write_bytes(png(values))
    elif path.suffix == ".tif":
        Image.fromarray(values).save(path)
    else:
        np.save(path, values)
    return path


def network_input(shares: Array, preprocessing: Preprocessing) -> Array:
    """[C, H, W] of a picture H×W or H×W×3 in 0…1, worked out in double precision, step by step.

    Resized by a triangle filter as wide as a pixel of the coarser grid, cut from the middle, normalized.
    """
    channels = preprocessing.channels
    planes = shares[..., None].repeat(channels, axis=2) if shares.ndim == 2 else shares
    planes = (planes @ BRIGHTNESS)[..., None] if channels == 1 and shares.ndim == 3 else planes
    if isinstance(preprocessing.resize, int):
        shorter = min(planes.shape[:2])
        height, width = (preprocessing.resize * side // shorter for side in planes.shape[:2])
        columns, rows = triangle(planes.shape[1], width), triangle(len(planes), height)
        planes = np.stack([rows @ plane @ columns.T for plane in planes.transpose(2, 0, 1)], axis=2)
    if preprocessing.crop is not None:
        top, left = (round((side - kept) / 2) for side, kept in zip(planes.shape[:2], preprocessing.crop, strict=True))
        planes = planes[top : top + preprocessing.crop[0], left : left + preprocessing.crop[1]]
    normalized: Array = (planes - np.array(preprocessing.mean)) / np.array(preprocessing.std)
    return normalized.transpose(2, 0, 1)


def triangle(before: int, after: int) -> Array:
    """[after, before]: the weights of a linear filter along a side, smoothing where it becomes shorter."""
    scale = before / after
    centers = (np.arange(after) + 0.5) * scale
    distances = np.abs(np.arange(before) + 0.5 - centers[:, None]) / max(scale, 1)
    weights: Array = np.maximum(1 - distances, 0)
    shares: Array = weights / weights.sum(axis=1, keepdims=True)
    return shares


def difference(found: torch.Tensor, wanted: Array) -> float:
    """The largest; the sides have to be the same."""
    assert found.shape == wanted.shape
    return float(np.abs(found.double().numpy() - wanted).max())
