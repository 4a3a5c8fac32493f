"""Packed maps back to numbers, in numpy, written apart from the page's scripts."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.report.pictures.encode import expand
from cnnvis_report.report.pictures.pack import ALPHABET, Filter


def bytes_of(text: str) -> bytes:
    """The bytes of a text of 91 characters, as one long number."""
    digits = [ALPHABET.index(letter) for letter in text]
    pairs = [high * 91 + low for high, low in zip(digits[1::2], digits[2::2], strict=True)]
    content = "".join(f"{pair:013b}" for pair in pairs)
    whole = int(content or "0", 2).to_bytes(len(content) // 8, "big")
    return whole[: len(whole) - digits[0]]


def unfiltered(rows: npt.NDArray[Any], kind: int | None) -> npt.NDArray[Any]:
    """Bytes that were counted from a neighbor."""
    if kind == Filter.LEFT:
        return rows.astype(int).cumsum(axis=1) % 256
    if kind == Filter.UP:
        return rows.astype(int).cumsum(axis=0) % 256
    return rows.astype(int)


def decode_maps(entries: Sequence[dict[str, Any]]) -> list[npt.NDArray[Any]]:
    """The maps of all classes from what a page carries of them."""
    maps: list[npt.NDArray[Any]] = []
    first: npt.NDArray[Any] | None = None
    for entry in entries:
        if not entry["data"]:
            maps.append(maps[0])
            continue
        content = bytes_of(entry["data"])
        if entry["steps"] == 0:
            maps.append(np.frombuffer(content, "<f4").reshape(entry["shape"]))
            continue
        steps = np.frombuffer(zlib.decompress(content, -15), np.uint8).reshape(entry["shape"])
        if entry["filter"] is None:
            assert first is not None
            places = sorted((int(step), place) for place, step in enumerate(first.ravel()))
            unsorted = np.empty(first.size, int)
            unsorted[[place for _, place in places]] = steps.ravel()
            steps = unsorted.reshape(entry["shape"])
        else:
            first = steps = unfiltered(steps, entry["filter"])
        maps.append(expand(steps.astype(np.uint8), entry["largest"], entry["signed"], entry["steps"]))
    return maps
