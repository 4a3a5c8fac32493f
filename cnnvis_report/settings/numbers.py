"""Numbers as people write them, and as settings files and Python calls give them."""

import math
import re

LARGEST = 2**53 - 1  # the largest whole number that JSON carries everywhere
# as ASCII alone: int() and float() take the digits of every script, underscores and blanks
INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
DECIMAL = re.compile(r"[+-]?([0-9]{1,300}(\.[0-9]{0,300})?|\.[0-9]{1,300})([eE][+-]?[0-9]{1,3})?")


def whole_number(value: object) -> int | None:
    """A whole number, or digits that are one; None for everything else, truth values too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and INTEGER.fullmatch(value.strip()) else None


def number(value: object) -> float | None:
    """A finite number, or a text that is one; None for everything else, truth values too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not DECIMAL.fullmatch(value.strip()):
        return None
    try:
        converted = float(value)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None
