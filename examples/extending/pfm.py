"""A reader: pictures of floating-point numbers in the portable float map format, .pfm."""

import re
from pathlib import Path

import numpy as np

from cnnvis_report.plugin import Pixels, Source, UnusablePicture, reader

MOST = 60_000_000  # values
HEAD = re.compile(rb"(P[Ff])\s+(\d{1,9})\s+(\d{1,9})\s+([-+.\d]{1,20})\s")  # kind, width, height, scale


@reader(title="a portable float map", endings=[".pfm"], recognizes=lambda head: bool(HEAD.match(head)), deep=True)
def pfm(source: Source, page: int) -> Pixels:
    """Read a map; the values' range is found, or given by --range, as for all images of more than 8 bits."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return pfm(file, page)
    source.seek(0)
    head = HEAD.match(source.read(100))
    if head is None:
        raise UnusablePicture("no head of a portable float map")
    channels, width, height = 3 if head[1] == b"PF" else 1, int(head[2]), int(head[3])
    count = width * height * channels
    if count > MOST:
        raise UnusablePicture(f"{width}×{height} pixels; at most {MOST // 10**6} million values are read")
    source.seek(head.end())
    content = source.read(4 * count)
    if len(content) < 4 * count:
        raise UnusablePicture("cut short")
    values = np.frombuffer(content, "<f4" if float(head[4]) < 0 else ">f4").reshape(height, width, channels)
    return Pixels.of_array(values[::-1])  # the lowest row comes first
