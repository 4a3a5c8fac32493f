"""Records to JSON text and back, the same bytes for the same records."""

import json
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

R = TypeVar("R")


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


def from_json(kind: type[R], content: Any) -> R:
    """The record of a dataclass from what `json.loads` gives.

    Raises:
        KeyError, TypeError, ValueError: the content isn't such a record.
    """
    return _build(kind, content)  # type: ignore[no-any-return]


def _build(kind: Any, content: Any) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        # a field that an older run didn't have yet takes its default, or is a TypeError
        return kind(**{f.name: _build(hints[f.name], content[f.name]) for f in fields(kind) if f.name in content})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(content)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        values = _checked(content, isinstance(content, list | tuple), kind)
        kinds = [inner[0]] * len(values) if inner[-1] is Ellipsis else inner
        return tuple(_build(each, value) for each, value in zip(kinds, values, strict=True))
    if origin is dict:
        named = _checked(content, isinstance(content, dict), kind)
        return {_build(inner[0], key): _build(inner[1], value) for key, value in named.items()}
    if origin in (Union, UnionType):
        return _one_of(inner, content)
    if kind is float:
        return _checked(content, type(content) in (int, float) and isfinite(content), kind)
    if kind in (str, bool, int, NoneType):
        return _checked(content, type(content) is kind, kind)
    return content


def _one_of(kinds: tuple[Any, ...], content: Any) -> Any:
    for kind in kinds:
        try:
            return _build(kind, content)
        except (KeyError, TypeError, ValueError):
            continue
    raise TypeError(f"{type(content).__name__} in the place of {' or '.join(map(str, kinds))}")


def _checked(content: Any, fits: bool, kind: Any) -> Any:
    if not fits:
        raise TypeError(f"{type(content).__name__} in the place of {kind}")
    return content


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
