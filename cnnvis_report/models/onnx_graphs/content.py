"""Whether a file is an ONNX graph, by the outermost fields of its content; nothing but their headers is read."""

from pathlib import Path
from typing import BinaryIO

GRAPH, OPSETS = 7, 8  # fields that every model has
FIELDS = {1, 2, 3, 4, 5, 6, GRAPH, OPSETS, 14, 20, 25, 26}  # of onnx.ModelProto, by their numbers
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types of protobuf
MOST_FIELDS = 10_000


def onnx_fault(path: Path) -> str | None:
    """What is wrong with an ONNX file, in words that follow its name; "" where nothing is, None for other files."""
    size = path.stat().st_size
    seen: set[int] = set()
    with path.open("rb") as file:
        for _ in range(MOST_FIELDS):
            tag = _varint(file)
            if tag is None:
                break
            number, wire = tag >> 3, tag & 7
            if number not in FIELDS or wire not in (VARINT, BYTES):
                return _damage(seen)
            seen.add(number)
            length = _varint(file)
            if length is None:
                return _damage(seen)
            if wire == BYTES:
                if file.tell() + length > size:
                    return "breaks off: the end of the file is missing. Copy or download it again."
                file.seek(length, 1)
        if GRAPH in seen and OPSETS in seen and file.tell() == size:
            return ""
    return _damage(seen)


def _damage(seen: set[int]) -> str | None:
    """Of a file that isn't read to its end: a fault where it is an ONNX graph as far as it goes."""
    if GRAPH in seen:
        return "is damaged, or no ONNX graph: not all of it can be read. Copy or download it again."
    return None


def _varint(file: BinaryIO) -> int | None:
    """A number as protobuf writes it; None at the end of the file, and where there is none."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None
