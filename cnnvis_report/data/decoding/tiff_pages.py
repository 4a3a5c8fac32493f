"""The pages of a TIFF file, from its directories alone: nothing is decoded."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cnnvis_report.data.formats import opened

MOST_PAGES = 100_000
MOST_TAGS = 4096
REDUCED, MASK = 1, 4  # bits of NewSubfileType
SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, SAMPLES = 254, 255, 256, 257, 258, 277
SIZES = {1: 1, 3: 2, 4: 4, 13: 4, 16: 8, 18: 8}  # bytes of the whole numbers that these tags may hold


@dataclass(frozen=True)
class Page:
    """One directory: its place in the file, the size, bits a channel, channels a pixel, whether it is a thumbnail."""

    index: int
    size: tuple[int, int]
    bits: int
    samples: int
    reduced: bool


def tiff_pages(source: Path | BinaryIO) -> tuple[Page, ...]:
    """The pages in order, thumbnails and other reduced or masking ones among them; nothing where it is no TIFF."""
    try:
        with opened(source) as file:
            return tuple(_pages(file))
    except (OSError, struct.error, ValueError, OverflowError):
        return ()


def _pages(file: BinaryIO) -> Iterator[Page]:
    head = file.read(16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
    version = struct.unpack(f"{order}H", head[2:4])[0] if order else 0
    if version not in (42, 43):
        return
    large = version == 43
    offset = struct.unpack(f"{order}Q", head[8:16])[0] if large else struct.unpack(f"{order}I", head[4:8])[0]
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < MOST_PAGES:
        seen.add(offset)
        tags, offset = _directory(file, offset, order, large)
        subfile = tags.get(SUBFILE, 0)
        reduced = bool(subfile & (REDUCED | MASK)) or tags.get(OLD_SUBFILE, 1) == 2
        size = (tags.get(WIDTH, 0), tags.get(HEIGHT, 0))
        yield Page(len(seen) - 1, size, tags.get(BITS, 1), tags.get(SAMPLES, 1), reduced)


def _directory(file: BinaryIO, offset: int, order: str, large: bool) -> tuple[dict[int, int], int]:
    """The first value of each tag that is asked for, and where the next directory is."""
    file.seek(offset)
    count = struct.unpack(f"{order}Q", file.read(8))[0] if large else struct.unpack(f"{order}H", file.read(2))[0]
    if count > MOST_TAGS:
        raise ValueError("too many tags")
    size, inline = (20, 8) if large else (12, 4)
    content = file.read(count * size)
    following = struct.unpack(f"{order}{'Q' if large else 'I'}", file.read(8 if large else 4))[0]
    tags: dict[int, int] = {}
    for at in range(0, count * size, size):
        tag, kind = struct.unpack_from(f"{order}HH", content, at)
        number = struct.unpack_from(f"{order}{'Q' if large else 'I'}", content, at + 4)[0]
        if tag not in (SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, SAMPLES) or kind not in SIZES:
            continue
        letter = {1: "B", 2: "H", 4: "I", 8: "Q"}[SIZES[kind]]
        start = at + size - inline
        if number * SIZES[kind] <= inline:
            tags[tag] = struct.unpack_from(f"{order}{letter}", content, start)[0]
        else:
            file.seek(struct.unpack_from(f"{order}{'Q' if large else 'I'}", content, start)[0])
            tags[tag] = struct.unpack(f"{order}{letter}", file.read(SIZES[kind]))[0]
    return tags, following
