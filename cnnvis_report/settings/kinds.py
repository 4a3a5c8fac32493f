"""Kinds of settings: what values each takes, the same from the shell, a file, the environment and a Python call."""

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.settings.numbers import LARGEST, number, whole_number

LONGEST_TEXT = 100_000  # characters
LONGEST_NAME, LONGEST_PATH = 255, 4095  # bytes, of file systems
MOST_NUMBERS = 64


class Kind(ABC):
    """What a setting takes."""

    name: ClassVar[str] = "text"

    @abstractmethod
    def parse(self, value: object) -> object:
        """The value as the program uses it; what was parsed already is given back as it is.

        Raises:
            BadRequest: the value isn't of this kind; the message quotes it and says what is.
        """

    def takes(self, value: object) -> bool:
        """Whether the value is of this kind."""
        try:
            self.parse(value)
        except BadRequest:
            return False
        return True

    def refusal(self, value: object, wanted: str) -> BadRequest:
        """What the value is, and what it should be."""
        return BadRequest(f"{shown(value)} isn't {wanted}.")


@dataclass(frozen=True)
class Flag(Kind):
    """True or false."""

    name = "flag"

    def parse(self, value: object) -> bool:
        """A truth value."""
        if not isinstance(value, bool):
            raise BadRequest(f"{shown(value)} isn't true or false.")
        return value


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number from `low` to `high`, or the word auto, which stands for None."""

    low: int
    high: int = LARGEST
    auto: bool = False

    name = "integer"

    def parse(self, value: object) -> int | None:
        """Digits to a number."""
        if self.auto and value in ("auto", None):
            return None
        parsed = whole_number(value)
        if parsed is None or not self.low <= parsed <= self.high:
            raise self.refusal(
                value, f"a whole number from {self.low} to {self.high}{', nor auto' if self.auto else ''}"
            )
        return parsed


@dataclass(frozen=True)
class Real(Kind):
    """A number above `above`, and at most `high`."""

    above: float
    high: float

    name = "float"

    def parse(self, value: object) -> float:
        """A text to a number."""
        parsed = number(value)
        if parsed is None or not self.above < parsed <= self.high:
            raise self.refusal(value, f"a number above {self.above:g} and at most {self.high:g}")
        return parsed


@dataclass(frozen=True)
class Numbers(Kind):
    """Numbers with commas between them, a list of numbers, or a single one."""

    name = "numbers"

    def parse(self, value: object) -> tuple[float, ...]:
        """Such as "0.485,0.456,0.406" to a tuple."""
        parts = value.replace(",", " ").split() if isinstance(value, str) else value
        parts = [parts] if isinstance(parts, int | float) else parts
        if isinstance(parts, tuple | list) and 0 < len(parts) <= MOST_NUMBERS:
            parsed = [number(part) for part in parts]
            if None not in parsed:
                return tuple(entry for entry in parsed if entry is not None)
        raise self.refusal(value, "numbers with commas between them, such as 0.5,0.5,0.5")


@dataclass(frozen=True)
class Integers(Kind):
    """Whole numbers above 0 with commas between them."""

    name = "numbers"

    def parse(self, value: object) -> tuple[int, ...]:
        """Such as "1,5,10" to a tuple, in order and each once."""
        parts = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        if isinstance(parts, tuple | list):
            parsed = [whole_number(part) for part in parts]
            valid = [entry for entry in parsed if entry is not None and 0 < entry <= LARGEST]
            if len(valid) == len(parts):
                return tuple(sorted(set(valid)))
        raise self.refusal(value, "whole numbers above 0 with commas between them, such as 1,5,10")


@dataclass(frozen=True)
class Text(Kind):
    """A text that isn't empty and has no control characters.

    Args:
        numbers: whether a whole number may be given for it. several: whether a list may be given, which becomes one
            text with commas. empty: whether it may be empty; the command says what is missing then.
    """

    numbers: bool = False
    several: bool = False
    empty: bool = False

    def parse(self, value: object) -> str:
        """The text as it is."""
        if self.several and isinstance(value, list | tuple) and value:
            value = ",".join(self.parse(part) for part in value)
        parsed = whole_number(value) if self.numbers and isinstance(value, int) else None
        if parsed is not None and parsed <= LARGEST:
            return str(parsed)
        if not isinstance(value, str):
            raise self.refusal(value, "a text")
        if not (value.strip() or self.empty):
            raise BadRequest("it is empty.")
        if len(value) > LONGEST_TEXT:
            raise BadRequest(f"{shown(value)} is longer than {LONGEST_TEXT} characters.")
        odd = next((letter for letter in value if not letter.isprintable() and not letter.isspace()), None)
        if odd is not None or "\n" in value or "\r" in value:
            raise self.refusal(value, "a text that can be printed")
        return value


@dataclass(frozen=True)
class Names(Kind):
    """Names with commas between them, or a list of names; there may be none."""

    def parse(self, value: object) -> tuple[str, ...]:
        """Such as "grad_cam, rise" to a tuple."""
        if isinstance(value, tuple | list) and not value:
            return ()
        names = value if isinstance(value, tuple | list) else [value]
        if not all(isinstance(name, str) for name in names):
            raise self.refusal(value, "a text with commas between names, nor a list of names")
        text = Text(several=True, empty=True).parse(value)
        return tuple(name.strip() for name in text.split(",") if name.strip())


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words.

    Args:
        words: that are offered. synonyms: further words that are understood, and the one each stands for.
    """

    words: tuple[str, ...]
    synonyms: tuple[tuple[str, str], ...] = ()

    name = "choice"

    def parse(self, value: object) -> str:
        """The word."""
        word = dict(self.synonyms).get(value, value) if isinstance(value, str) else value
        if not isinstance(word, str) or word not in self.words:
            raise BadRequest(f"{shown(value)} is not one of {', '.join(map(repr, self.words))}.")
        return word


@dataclass(frozen=True)
class FileName(Kind):
    """A name that a file can have, kept as text: of a file, or of something else."""

    name = "path"

    def parse(self, value: object) -> str:
        """The name; whether a file is there is for the command to say."""
        problem = _name_problem(value)
        if problem:
            raise BadRequest(f"{shown(value)} {problem}.")
        return str(value)


@dataclass(frozen=True)
class File(Kind):
    """The path of a file or folder."""

    name = "path"

    def parse(self, value: object) -> Path:
        """The path; whether something is there is for the command to say."""
        return Path(FileName().parse(value))


@dataclass(frozen=True)
class Several(Kind):
    """Several values of one kind; a single one stands for a list of one."""

    of: Kind

    def parse(self, value: object) -> tuple[object, ...]:
        """Each of them."""
        return tuple(self.of.parse(part) for part in (value if isinstance(value, list | tuple) else [value]))


def _name_problem(value: object) -> str:
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
