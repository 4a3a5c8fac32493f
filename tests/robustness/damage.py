"""Damage to bytes as disks, downloads and strangers do it."""

import random
import resource
import sys

LARGE = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x00\x00\x00", b"\x00\x01\x00\x00", b"\xff\xff\x00\x00")
HEAD = 64  # bytes in which sizes and counts stand


def damaged(content: bytes, dice: random.Random) -> bytes:
    """The content with some bits flipped, cut, a part of it elsewhere, or numbers of its head made extreme."""
    kind = dice.randrange(5)
    made = bytearray(content)
    place = dice.randrange(len(made))
    if kind == 0:
        for _ in range(dice.choice((1, 1, 4, 32))):
            made[dice.randrange(len(made))] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del made[place:]
    elif kind == 2:
        other = dice.randrange(len(made))
        length = dice.randrange(1, 200)
        made[place : place + length] = made[other : other + length]
    elif kind == 3:
        at = dice.randrange(min(HEAD, len(made)))
        made[at : at + 4] = dice.choice(LARGE)
    else:
        made[place:place] = dice.randbytes(dice.randrange(1, 64))
    return bytes(made)


def peak() -> int:
    """The most memory that this process has had, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most >> 20 if sys.platform == "darwin" else most >> 10
