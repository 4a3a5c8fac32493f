"""Bytes as short text that stands in scripts and in HTML as it is."""

import math
import zlib
from enum import IntEnum

import numpy as np
import numpy.typing as npt

# The printable characters of ASCII but the blank and those that mean something in JSON or in a script element.
ALPHABET = "".join(letter for letter in map(chr, range(0x21, 0x7F)) if letter not in '"<\\')
GROUP, BITS = 13, 13  # 13 bytes are eight numbers of 13 bits, of which two characters hold one
MEMORY = 7  # codes are renewed often enough to follow a map from its faint to its strong parts
SMOOTH = 0.2  # share of the bytes that remains where runs are coded: below, whole sequences come again

Bytes = npt.NDArray[np.uint8]


class Filter(IntEnum):
    """What a byte is counted from."""

    NONE = 0
    LEFT = 1
    UP = 2


def pack(rows: Bytes) -> tuple[Filter, str]:
    """Rows of bytes [h, w], filtered by what leaves least to say, deflated, as text."""
    kind, filtered = filter_bytes(rows)
    return kind, text_of(deflate(filtered.tobytes()))


def pack_ordered(values: Bytes) -> str:
    """Bytes of which equal ones mostly stand together, deflated, as text."""
    fitting = round(math.log2(values.size)) - 9  # the memory that makes about sixteen blocks
    return text_of(deflate(values.tobytes(), max(1, min(MEMORY, fitting))))


def deflate(content: bytes, memory: int = MEMORY) -> bytes:
    """Raw deflate. Maps of pixels are coded byte by byte and in runs, which is five times as fast and shorter.

    Args:
        memory: 1..9; codes are renewed after 2^(memory + 6) bytes.
    """
    coded = _deflated(content, memory, zlib.Z_RLE)
    if len(coded) > SMOOTH * len(content):
        return coded
    return min(coded, _deflated(content, MEMORY, zlib.Z_DEFAULT_STRATEGY), key=len)


def text_of(content: bytes) -> str:
    """Bytes as text of 6.5 bits a character; the first one says how many zeros were appended.

    91² characters in pairs hold 13 bits, against 12 in base64.
    """
    padding = -len(content) % GROUP
    groups = np.zeros(((len(content) + padding) // GROUP, GROUP + 1), np.uint32)
    groups[:, :GROUP] = np.frombuffer(content + bytes(padding), np.uint8).reshape(-1, GROUP)
    pairs = np.empty((len(groups), 8), np.uint32)
    for number in range(8):
        byte, bit = divmod(number * BITS, 8)
        window = groups[:, byte] << 16 | groups[:, byte + 1] << 8 | groups[:, byte + 2]
        pairs[:, number] = window >> (24 - BITS - bit) & (2**BITS - 1)
    return ALPHABET[padding] + bytes(_PAIRS[pairs]).decode("ascii")


def filter_bytes(rows: Bytes) -> tuple[Filter, Bytes]:
    """Bytes counted from their left or upper neighbors, modulo 256, where that leaves less to say."""
    left, up = rows.copy(), rows.copy()
    left[:, 1:] -= rows[:, :-1]
    up[1:] -= rows[:-1]
    candidates = {Filter.NONE: rows, Filter.LEFT: left, Filter.UP: up}
    best = min(candidates, key=lambda kind: entropy(candidates[kind]))
    return best, candidates[best]


def entropy(content: Bytes) -> float:
    """Bits a byte if neighbors had nothing to do with each other."""
    counts = np.bincount(content.ravel(), minlength=256)
    shares = counts[counts > 0] / content.size
    return float(-(shares * np.log2(shares)).sum())


_LETTERS = np.frombuffer(ALPHABET.encode("ascii"), np.uint8)
# the two characters of each number side by side, as one item that is taken at once
_PAIRS = _LETTERS[np.stack(np.divmod(np.arange(2**BITS), len(ALPHABET)), axis=-1)].view(np.uint16)[:, 0]


def _deflated(content: bytes, memory: int, strategy: int) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, memory, strategy)
    return packer.compress(content) + packer.flush()
