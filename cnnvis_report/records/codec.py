"""Records to JSON text and back, the same bytes for the same records."""

import json
from collections.abc import Callable, Iterable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from itertools import repeat
from math import isfinite
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

R = TypeVar("R")

DEEPEST = 8  # lists within lists where anything may stand
LARGEST = 2**63  # below which whole numbers stay


class Malformed(ValueError):
    """A content isn't a record; the message begins with the field that is wrong."""


def to_json(content: object) -> str:
    """One line of JSON; numbers that aren't finite are refused, characters stay as they are."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True)
    return text.encode("utf-8", "replace").decode("utf-8")  # folders may be called what no file can carry


def parsed(text: str) -> Any:
    """What the text holds, or None where it isn't JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def from_json(kind: type[R], content: Any, where: str = "") -> R:
    """The record of a dataclass from what `json.loads` gives; every field is checked, and none may be unknown.

    Args:
        where: what the content is called, as the beginning of the name of a field that is wrong.

    Raises:
        Malformed: the content isn't such a record.
    """
    try:
        return _decoder(kind)(content)  # type: ignore[no-any-return, arg-type]
    except _Unfit as error:
        raise Malformed(error.sentence(where)) from None


class _Unfit(Exception):
    """A value doesn't fit; whoever holds it puts its name, or [its number], in front as the error passes."""

    def __init__(self, problem: str, *path: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.path = list(reversed(path))  # the innermost first

    def sentence(self, where: str) -> str:
        name = "".join(part if part.startswith("[") else f".{part}" for part in reversed(self.path))
        return f"{(where + name).removeprefix('.') or 'all of it'} {self.problem}"


Decoder = Callable[[Any], Any]


@cache
def _decoder(kind: Any) -> Decoder:
    """What makes a value of this type from JSON; worked out once, for all images."""
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Enum)):
        return _record(kind) if is_dataclass(kind) else _member(kind)
    form, inner = get_origin(kind), get_args(kind)
    if form in (Union, UnionType):
        return _one_of(inner)
    if form is tuple:
        if inner[-1] is Ellipsis:
            return _list(repeat(_decoder(inner[0])))
        return _list([_decoder(kind) for kind in inner], len(inner))
    if form is dict:
        return _table(_decoder(inner[0]), _decoder(inner[1]))
    return PLAIN.get(kind, _anything)


def _record(kind: type) -> Decoder:
    needed = [field.name for field in fields(kind) if field.default is MISSING and field.default_factory is MISSING]
    decoders: dict[str, Decoder] = {}

    def decode(content: Any) -> Any:
        if not decoders:  # not before, as a record may hold others of its kind
            hints = get_type_hints(kind)
            decoders.update({field.name: _decoder(hints[field.name]) for field in fields(kind)})
        _check(content, isinstance(content, dict), "names with values")
        values = {}
        name = ""
        try:
            for name, value in content.items():
                values[name] = decoders.get(name, _unknown)(value)
        except _Unfit as error:
            error.path.append(str(name)[:80])
            raise
        for name in needed:
            if name not in values:
                raise _Unfit("is missing", name)
        return kind(**values)

    return decode


def _member(kind: type[Enum]) -> Decoder:
    members = [member.value for member in kind]

    def decode(content: Any) -> Any:
        _check(content, content in members, f"one of {', '.join(map(str, members))}")
        return kind(content)

    return decode


def _list(decoders: Iterable[Decoder], length: int | None = None) -> Decoder:
    """Of so many values, or of any number of them."""

    def decode(content: Any) -> Any:
        _check(content, isinstance(content, list | tuple), "a list")
        _check(content, length in (None, len(content)), f"a list of {length}")
        values: list[Any] = []
        try:
            for decoder, value in zip(decoders, content):  # noqa: B905 - the same one for each, where any number fits
                values.append(decoder(value))  # its length says which of them is wrong
        except _Unfit as error:
            error.path.append(f"[{len(values)}]")
            raise
        return tuple(values)

    return decode


def _table(key_decoder: Decoder, value_decoder: Decoder) -> Decoder:
    def decode(content: Any) -> Any:
        _check(content, isinstance(content, dict), "names with values")
        values = {}
        key = None
        try:
            for key, value in content.items():
                values[key_decoder(key)] = value_decoder(value)
        except _Unfit as error:
            error.path.append(str(key))
            raise
        return values

    return decode


def _one_of(kinds: tuple[Any, ...]) -> Decoder:
    decoders = [_decoder(kind) for kind in kinds if kind is not NoneType]
    optional = NoneType in kinds

    def decode(content: Any) -> Any:
        if content is None and optional:
            return None
        errors = []
        for decoder in decoders:
            try:
                return decoder(content)
            except _Unfit as error:
                errors.append(error)
        raise max(errors, key=lambda error: len(error.path))  # the one that came furthest

    return decode


def _number(content: Any) -> Any:
    number = type(content) in (int, float) and abs(content) < LARGEST * 1e289 and isfinite(content)
    return _check(content, number, "a number")


def _whole_number(content: Any) -> Any:
    return _check(content, type(content) is int and abs(content) < LARGEST, "a whole number")


def _text(content: Any) -> Any:
    return _check(content, type(content) is str and (content.isascii() or _readable(content)), "a text")


def _truth(content: Any) -> Any:
    return _check(content, type(content) is bool, "true or false")


def _unknown(_: Any) -> Any:
    raise _Unfit("is unknown")


def _nothing(content: Any) -> Any:
    return _check(content, content is None, "nothing")


PLAIN: dict[Any, Decoder] = {float: _number, int: _whole_number, str: _text, bool: _truth, NoneType: _nothing}


def _anything(content: Any, deepest: int = DEEPEST) -> Any:
    """Refuse what isn't JSON of sensible numbers and texts, or goes too deep, where anything else may stand."""
    if isinstance(content, dict | list | tuple) and deepest:
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            try:
                _text(str(key))
                _anything(value, deepest - 1)
            except _Unfit as error:
                error.path.append(str(key)[:80])
                raise
    elif content is not None and type(content) is not bool:
        if type(content) not in PLAIN:
            raise _Unfit(f"is {_said(content)}, and goes too deep")
        PLAIN[type(content)](content)
    return content


def _check(content: Any, fits: bool, wanted: str) -> Any:
    if not fits:
        raise _Unfit(f"is {_said(content)} in the place of {wanted}")
    return content


def _said(content: Any) -> str:
    """A value in a few words."""
    if isinstance(content, dict | list | tuple):
        return f"a {'table' if isinstance(content, dict) else 'list'} of {len(content)}"
    text = repr(content) if not isinstance(content, int) or abs(content) < LARGEST else "a number of too many digits"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _readable(text: str) -> bool:
    """Whether it has no halves of characters, which no page can carry."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
