"""What an option takes, by type and range: the same from the shell and from a settings file, before any work."""

import math
import os
import re
from pathlib import Path
from typing import Any, NoReturn

import click

from cnnvis_report.errors import shown

MOST = 2**53 - 1  # the largest whole number that JSON carries everywhere
LONGEST_TEXT = 100_000  # characters
LONGEST_NAME, LONGEST_PATH = 255, 4095  # bytes, of file systems
# as ASCII alone: int() and float() take the digits of every script, underscores and blanks
WHOLE = re.compile(r"[+-]?[0-9]{1,30}")
DECIMAL = re.compile(r"[+-]?([0-9]{1,300}(\.[0-9]{0,300})?|\.[0-9]{1,300})([eE][+-]?[0-9]{1,3})?")


def whole_number(value: object) -> int | None:
    """A whole number, or digits that are one; None for everything else, truth values too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, str) and WHOLE.fullmatch(value.strip()) else None


def number(value: object) -> float | None:
    """A finite number, or a text that is one; None for everything else, truth values too."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not DECIMAL.fullmatch(value.strip()):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


class Checked(click.ParamType):  # type: ignore[type-arg] # generic in newer versions of click alone
    """What all types here have in common: one short line for whatever isn't meant."""

    def refuse(self, value: object, what: str, param: click.Parameter | None, ctx: click.Context | None) -> NoReturn:
        """Say what the value is, and what it should be."""
        self.fail(f"{shown(value)} isn't {what}.", param, ctx)


class Count(Checked):
    """A whole number within a range.

    Args:
        least: the smallest. most: the largest.
    """

    name = "integer"

    def __init__(self, least: int, most: int = MOST) -> None:
        self.least, self.most = least, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Digits to a number."""
        found = whole_number(value)
        if found is None or not self.least <= found <= self.most:
            self.refuse(value, f"a whole number from {self.least} to {self.most}", param, ctx)
        return found


class Real(Checked):
    """A number above one end, and below another or equal to it."""

    name = "float"

    def __init__(self, above: float, most: float) -> None:
        self.above, self.most = above, most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """A text to a number."""
        found = number(value)
        if found is None or not self.above < found <= self.most:
            self.refuse(value, f"a number above {self.above:g} and at most {self.most:g}", param, ctx)
        return found


class Numbers(Checked):
    """Numbers with commas between them."""

    name = "numbers"
    most = 64

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Such as "0.485,0.456,0.406" to a tuple."""
        parts = value.replace(",", " ").split() if isinstance(value, str) else value
        if isinstance(parts, tuple | list) and 0 < len(parts) <= self.most:
            found = [each for part in parts if (each := number(part)) is not None]
            if len(found) == len(parts):
                return tuple(found)
        return self.refuse(value, "numbers with commas between them, such as 0.5,0.5,0.5", param, ctx)


class Whole(Checked):
    """Whole numbers above 0 with commas between them."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """Such as "1,5,10" to a tuple, in order and each once."""
        parts = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        if isinstance(parts, tuple | list):
            found = [each for part in parts if (each := whole_number(part)) is not None and 0 < each <= MOST]
            if len(found) == len(parts):
                return tuple(sorted(set(found)))
        return self.refuse(value, "whole numbers above 0 with commas between them, such as 1,5,10", param, ctx)


class BatchSize(Checked):
    """A number of images, or auto."""

    name = "N|auto"
    most = 1_000_000

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        """None for auto."""
        if value == "auto":
            return None
        found = whole_number(value)
        if found is None or not 0 < found <= self.most:
            self.refuse(value, f"a whole number from 1 to {self.most}, nor auto", param, ctx)
        return found


class Text(Checked):
    """A text that isn't empty and has no control characters.

    Args:
        numbers: whether a settings file may give a whole number for it. several: whether it may give a list of them,
            which become one text with commas. empty: whether it may be so; the command says what is missing then.
    """

    name = "text"

    def __init__(self, *, numbers: bool = False, several: bool = False, empty: bool = False) -> None:
        self.numbers, self.several, self.empty = numbers, several, empty

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is."""
        if self.several and isinstance(value, list | tuple) and value:
            value = ",".join(self.convert(each, param, ctx) for each in value)
        if self.numbers and isinstance(value, int) and (found := whole_number(value)) is not None and found <= MOST:
            return str(found)
        if not isinstance(value, str):
            self.refuse(value, "a text", param, ctx)
        if not (value.strip() or self.empty):
            self.fail("it is empty.", param, ctx)
        if len(value) > LONGEST_TEXT:
            self.fail(f"{shown(value)} is longer than {LONGEST_TEXT} characters.", param, ctx)
        odd = next((letter for letter in value if not letter.isprintable() and not letter.isspace()), None)
        if odd is not None or "\n" in value or "\r" in value:
            self.refuse(value, "a text that can be printed", param, ctx)
        return value


class OneOf(click.Choice):  # type: ignore[type-arg]
    """One of some words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The word."""
        if not isinstance(value, str) or value not in self.choices:
            self.fail(f"{shown(value)} is not one of {', '.join(map(repr, self.choices))}.", param, ctx)
        return value


class FileName(click.Path):
    """A name that a file or folder can have; whether one is there is for the command to say."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The name, as the path type that is wanted."""
        why = _why_no_name(value)
        if why:
            self.fail(f"{shown(value)} {why}.", param, ctx)
        return super().convert(value, param, ctx)


def _why_no_name(value: object) -> str:
    """Why no file can be called so; empty where one can."""
    if not isinstance(value, str | Path):
        return "isn't the name of a file"
    text = str(value)
    if isinstance(value, str) and not text.strip():
        return "is empty, and no name of a file"
    try:
        name = os.fsencode(text)
    except UnicodeEncodeError:
        return "has half a character in it, which no file's name has"
    if b"\0" in name:
        return "has a NUL in it, which no file's name has"
    if len(name) > LONGEST_PATH or any(len(part) > LONGEST_NAME for part in name.split(b"/")):
        return f"is longer than a file's name can be ({LONGEST_NAME} bytes, {LONGEST_PATH} with its folders)"
    return ""
