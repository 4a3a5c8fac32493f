"""Kinds of settings with a form of their own: assignments, times, sizes, options of methods, a file or a word."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.records.methods import Option
from cnnvis_report.settings.kinds import FileName, Kind, Numbers, Text
from cnnvis_report.settings.numbers import LARGEST, number

SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}
PARTS = re.compile(r"(?=.)(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")
LONGEST_TIME = 1e9  # seconds: 32 years
BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
WRITTEN = re.compile(r"(\d{1,18}(?:\.\d{1,9})?) ?([a-z]{0,3})", re.ASCII)


@dataclass(frozen=True)
class Assignment(Kind):
    """NAME=VALUE, kept as text."""

    def parse(self, value: object) -> str:
        """The text; the name has to be one that a function's argument can have."""
        text = Text().parse(value)
        name, equals, _ = text.partition("=")
        if not (equals and name.strip().isidentifier()):
            raise BadRequest(f"{shown(text)}: give NAME=VALUE, such as classes=10.")
        return text


@dataclass(frozen=True)
class Duration(Kind):
    """Hours, minutes and seconds, such as 1h30m; a number alone is seconds."""

    def parse(self, value: object) -> float:
        """Such as "10m" to 600."""
        text = value.strip().lower() if isinstance(value, str) else ""
        match = PARTS.fullmatch(text)
        parts = zip(match.groups(), SECONDS.values(), strict=True) if match else ()
        seconds = sum(float(part) * unit for part, unit in parts if part) if match else number(value)
        if seconds is None or not 0 < seconds <= LONGEST_TIME:
            raise self.refusal(value, "a time above 0, such as 90s, 10m or 1h30m")
        return float(seconds)


@dataclass(frozen=True)
class FileOrAddress(FileName):
    """The path of a file or folder, or an address such as s3://bucket/photos.zip or torchvision:CIFAR10@data."""


@dataclass(frozen=True)
class ChoiceOrFile(FileName):
    """One of some words, or the path of a file with an ending; words are never taken for files."""

    words: tuple[str, ...]

    def parse(self, value: object) -> str:
        """The word, or the path; whether a file is there is for the command to say."""
        text = super().parse(value)
        if text not in self.words and not Path(text).suffix:
            raise BadRequest(f"{shown(value)} is not one of {', '.join(map(repr, self.words))}, nor a file.")
        return text


@dataclass(frozen=True)
class MethodOptions(Kind):
    """Options of methods: METHOD.NAME=VALUE, or a table of tables."""

    def parse(self, value: object) -> dict[str, dict[str, Option]]:
        """Method to option to value."""
        if isinstance(value, Mapping):
            return _options_table(value)
        if not isinstance(value, Sequence):
            raise self.refusal(value, "METHOD.NAME=VALUE")
        options: dict[str, dict[str, Option]] = {}
        for entry in [value] if isinstance(value, str) else value:
            text = Text().parse(entry)
            path, equals, content = text.partition("=")
            method, dot, name = path.strip().rpartition(".")
            if not (equals and dot and method and name):
                raise BadRequest(f"{shown(text)}: give METHOD.NAME=VALUE, such as smoothgrad.n=50.")
            options.setdefault(method.replace("-", "_"), {})[name] = content.strip()
        return options


def _options_table(table: Mapping[object, object]) -> dict[str, dict[str, Option]]:
    options: dict[str, dict[str, Option]] = {}
    for method, values in table.items():
        if not isinstance(values, Mapping):
            raise BadRequest(f"options.{method} is {shown(values)}; give a table, NAME = VALUE.")
        for name, value in values.items():
            if not isinstance(value, str | int | float | bool):
                raise BadRequest(
                    f"options.{method}.{name} is {shown(value)}; it takes a text, a number, or true or false."
                )
            options.setdefault(str(method).replace("-", "_"), {})[str(name)] = value
    return options


@dataclass(frozen=True)
class RangeText(Kind):
    """A text such as "0,4095" or "p1,p99"; a pair of numbers, or of texts, may be given for it."""

    def parse(self, value: object) -> str:
        """The text; whether it is a range is for whoever reads it to say."""
        if isinstance(value, tuple | list) and value and not isinstance(value[0], str):
            return ",".join(f"{number:.17g}" for number in Numbers().parse(value))
        return Text(several=True).parse(value)


@dataclass(frozen=True)
class Size(Kind):
    """A size in bytes: a whole number, or a number with its unit."""

    name = "size"

    def parse(self, value: object) -> int:
        """Such as "25MB" or "1.5 GiB" to bytes."""
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST:
            return value
        match = WRITTEN.fullmatch(value.strip().lower()) if isinstance(value, str) else None
        if match is not None and match[2] in BYTES:
            size = int(float(match[1]) * BYTES[match[2]])
            if 0 < size <= LARGEST:
                return size
        raise self.refusal(value, "a size such as 25MB, 800kB or 1.5GB")
