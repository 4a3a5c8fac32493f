"""Records to JSON text and back, the same bytes for the same records."""

import json
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
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
    return _build(kind, content, where)  # type: ignore[no-any-return]


def _build(kind: Any, content: Any, where: str) -> Any:
    form, inner = _form(kind)
    if form is None:
        return _plain(kind, content, where)
    if form is dataclass:
        return _record(kind, content, where)
    if form is Enum:
        known = [member.value for member in kind]
        return kind(_checked(content, content in known, f"one of {', '.join(map(str, known))}", where))
    if form is tuple:
        values = _checked(content, isinstance(content, list | tuple), "a list", where)
        kinds = [inner[0]] * len(values) if inner[-1] is Ellipsis else inner
        _checked(values, len(values) == len(kinds), f"a list of {len(kinds)}", where)
        parts = enumerate(zip(kinds, values, strict=True))
        return tuple(_build(part, value, f"{where}[{at}]") for at, (part, value) in parts)
    if form is dict:
        named = _checked(content, isinstance(content, dict), "names with values", where)
        return {_build(inner[0], key, where): _build(inner[1], value, f"{where}.{key}") for key, value in named.items()}
    return _one_of(inner, content, where)


@cache
def _form(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """What a type is made as, None for a plain value, and the types in it; worked out once, for all images."""
    if is_dataclass(kind) and isinstance(kind, type):
        return dataclass, ()
    if isinstance(kind, type) and issubclass(kind, Enum):
        return Enum, ()
    origin = get_origin(kind)
    form = Union if origin in (Union, UnionType) else origin if origin in (tuple, dict) else None
    return form, get_args(kind)


def _record(kind: type, content: Any, where: str) -> Any:
    named = _checked(content, isinstance(content, dict), "names with values", where)
    hints = _hints(kind)
    unknown = next((name for name in named if name not in hints), None)
    if unknown is not None:
        raise Malformed(f"{_within(where, str(unknown)[:80])} is unknown")
    values = {}
    for field in fields(kind):
        if field.name in named:
            values[field.name] = _build(hints[field.name], named[field.name], _within(where, field.name))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise Malformed(f"{_within(where, field.name)} is missing")
    return kind(**values)


def _plain(kind: Any, content: Any, where: str) -> Any:
    if kind is float:
        number = type(content) in (int, float) and abs(content) < LARGEST * 1e289 and isfinite(content)
        return _checked(content, number, "a number", where)
    if kind is int:
        return _checked(content, type(content) is int and abs(content) < LARGEST, "a whole number", where)
    if kind is str:
        return _checked(content, type(content) is str and _readable(content), "a text", where)
    if kind is bool or kind is NoneType:
        return _checked(content, type(content) is kind, "true or false" if kind is bool else "nothing", where)
    _check_any(content, where, DEEPEST)
    return content


def _check_any(content: Any, where: str, deepest: int) -> None:
    """Refuse what isn't JSON of sensible numbers and texts, or goes too deep, where anything else may stand."""
    if isinstance(content, dict | list | tuple) and deepest:
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            _check_any(str(key), where, 1)
            _check_any(value, _within(where, str(key)[:80]), deepest - 1)
        return
    kind = type(content)
    if kind in (int, float, str):
        _plain(kind, content, where)
    elif content is not None and kind is not bool:
        raise Malformed(f"{where} is {_said(content)}, and goes too deep")


def _one_of(kinds: tuple[Any, ...], content: Any, where: str) -> Any:
    if content is None and NoneType in kinds:
        return None
    wrong: list[str] = []
    for kind in kinds:
        try:
            if kind is not NoneType:
                return _build(kind, content, where)
        except Malformed as error:
            wrong.append(str(error))
    raise Malformed(
        max(wrong, key=lambda message: message.count(".") + message.count("["))
    )  # the one that came furthest


def _checked(content: Any, fits: bool, wanted: str, where: str) -> Any:
    if not fits:
        raise Malformed(f"{where or 'all of it'} is {_said(content)} in the place of {wanted}")
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


def _within(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
