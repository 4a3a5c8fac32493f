"""Files with several pictures of which one is taken, told by their heads: animations, and JPEGs with more behind."""

from collections.abc import Callable
from typing import BinaryIO, Literal

from PIL import Image

from cnnvis_report.data.formats import from_start, opened
from cnnvis_report.data.reader import Source

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
MOST_SEGMENTS = 1000
ALONE = {0x01, *range(0xD0, 0xD8)}  # markers of JPEG without a length
SCAN, END, APP2 = 0xDA, 0xD9, 0xE2
COUNT = 0xB001  # the tag of how many pictures there are


def is_animated(source: Source, head: bytes) -> bool:
    """Whether a GIF, PNG, WebP or AVIF file has more than one frame."""
    if head[:4] == b"RIFF":
        return head[12:16] == b"VP8X" and len(head) > 20 and bool(head[20] & 2)
    if head.startswith(PNG):
        return _looked_at(source, _png_animates)
    if head[4:8] == b"ftyp":
        return head[8:12] == b"avis"
    if head[:3] != b"GIF":
        return False
    Image.init()  # Pillow knows the formats by name only after that
    try:
        with Image.open(from_start(source), formats=("GIF",)) as picture:
            return bool(getattr(picture, "is_animated", False))
    except Exception:  # a damaged file says so when it is decoded
        return False


def holds_more(source: Source, head: bytes) -> bool:
    """Whether a JPEG has an index of several pictures: other views, larger previews, maps of gain or depth."""
    return head.startswith(JPEG) and _looked_at(source, _jpeg_has_index)


def _looked_at(source: Source, look: Callable[[BinaryIO], bool]) -> bool:
    try:
        with opened(source) as file:
            return look(file)
    except (OSError, ValueError):  # says so when it is decoded
        return False


def _png_animates(file: BinaryIO) -> bool:
    """The chunk that says so comes before the picture's own data, behind whatever profiles and texts."""
    file.seek(len(PNG))
    for _ in range(MOST_SEGMENTS):
        head = file.read(8)
        kind = head[4:]
        if len(head) < 8 or kind in (b"IDAT", b"IEND"):
            return False
        if kind == b"acTL":
            return int.from_bytes(file.read(4), "big") > 1
        file.seek(int.from_bytes(head[:4], "big") + 4, 1)
    return False


def _jpeg_has_index(file: BinaryIO) -> bool:
    file.seek(2)
    for _ in range(MOST_SEGMENTS):
        mark = file.read(2)
        if len(mark) < 2 or mark[0] != 0xFF or mark[1] in (SCAN, END):
            return False
        if mark[1] in ALONE:
            continue
        size = int.from_bytes(file.read(2), "big") - 2
        if mark[1] == APP2 and size > 4:
            content = file.read(size)
            if content.startswith(b"MPF\0"):
                return _pictures(content[4:]) > 1
            continue
        file.seek(max(0, size), 1)
    return False


def _pictures(index: bytes) -> int:
    """How many pictures a multi-picture index counts."""
    order: Literal["little", "big"] = "little" if index.startswith(b"II") else "big"
    at = int.from_bytes(index[4:8], order)
    count = int.from_bytes(index[at : at + 2], order)
    for offset in range(at + 2, min(at + 2 + 12 * count, len(index) - 11), 12):
        if int.from_bytes(index[offset : offset + 2], order) == COUNT:
            return int.from_bytes(index[offset + 8 : offset + 12], order)
    return 0
