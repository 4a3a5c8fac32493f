"""Options of methods: what they may be, and values given for them as the types that they have."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cnnvis_report.errors import BadRequest, UnknownName, shown
from cnnvis_report.records.methods import AS_DEFINED, EFFORTS, Option

DIGITS = re.compile(r"[+-]?[0-9]{1,18}")  # int() takes those of every script, and blanks between them

# how methods that sample word what sampling left; here, where the catalog reads decorators without torch
STANDARD_ERROR = {"standard_error": "standard error {%} of the map's spread"}
STANDARD_ERROR_AT_MOST = {"standard_error": "standard error at most {%} of the map's spread"}


@dataclass(frozen=True)
class Between:
    """What a number may be: from `low` to `high`, or, where `open`, only what lies between them."""

    low: float
    high: float
    open: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number is one of these."""
        return self.low < value < self.high if self.open else self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{'between' if self.open else 'from'} {self.low:.10g} {'and' if self.open else 'to'} {self.high:.10g}"


Bounds = Mapping[str, Between | tuple[str, ...]]
OptionsByEffort = Mapping[str, Mapping[str, Option]]


def checked_options(
    method_name: str, defaults: Mapping[str, Option], bounds: Bounds, chosen: Mapping[str, Option]
) -> dict[str, Option]:
    """All options of a method: the values given, in the types of the defaults, and the defaults of the others.

    Raises:
        UnknownName: the method has no such option, or a text isn't one of the words that it can be.
        BadRequest: a value isn't of the option's type, or lies beyond its bounds.
    """
    options = dict(defaults)
    for key, value in chosen.items():
        key = key.replace("-", "_")
        if key not in options:
            raise UnknownName(f"option of {method_name}", key, options)
        options[key] = _as_type(method_name, key, value, options[key])
        _check_bounds(method_name, key, options[key], bounds.get(key))
    return options


def checked_efforts(
    method_name: str, defaults: Mapping[str, Option], bounds: Bounds, efforts: OptionsByEffort
) -> dict[str, dict[str, Option]]:
    """Options by effort, as a method announces them, in the types of the defaults.

    Raises:
        UnknownName: the method has no such option, or a text isn't one of the words that it can be.
        BadRequest: there is no such effort, or a value isn't of the option's type, or lies beyond its bounds.
    """
    lower = [effort for effort in EFFORTS if effort != AS_DEFINED]
    for effort in efforts:
        if effort not in lower:
            raise BadRequest(f"Method {method_name!r} has options at effort {effort!r}; give {', '.join(lower)}.")
    checked = {effort: checked_options(method_name, defaults, bounds, chosen) for effort, chosen in efforts.items()}
    return {effort: {key: checked[effort][key.replace("-", "_")] for key in efforts[effort]} for effort in efforts}


def _check_bounds(method_name: str, key: str, value: Option, bounds: Between | tuple[str, ...] | None) -> None:
    if isinstance(bounds, Between) and isinstance(value, int | float) and not bounds.holds(value):
        raise BadRequest(f"Option {key!r} of {method_name} is {shown(value)}; it takes a number {bounds}.")
    if isinstance(bounds, tuple) and str(value).replace("-", "_") not in bounds:
        raise UnknownName(f"{key} of {method_name}", str(value), bounds)


def _as_type(method_name: str, key: str, value: Option, default: Option) -> Option:
    kind = type(default)
    if kind is bool and isinstance(value, str):
        word = value.lower()
        if word in ("true", "yes", "on", "1", "false", "no", "off", "0"):
            return word in ("true", "yes", "on", "1")
    elif isinstance(value, bool) is (kind is bool):
        converted = _converted(value, kind)
        if converted is not None:
            return converted
    words_for = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    raise BadRequest(
        f"Option {key!r} of {method_name} is {shown(value)}; it takes {words_for[kind]}, and is {default!r} by default."
    )


def _converted(value: Option, kind: type) -> Option | None:
    """The value as a text, a whole number or a finite one; None where it is none."""
    if kind is str:
        return value if isinstance(value, str) and value.isprintable() else None
    if kind is int and isinstance(value, str):
        return int(value) if DIGITS.fullmatch(value.strip()) else None
    try:
        converted: float = kind(value)
        finite = math.isfinite(converted)
    except (TypeError, ValueError, OverflowError):
        return None
    plain = not isinstance(value, str) or (value.isascii() and "_" not in value)
    return converted if finite and plain and (kind is float or value == converted) else None
