"""Records to JSON text and back, the same bytes for the same records."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

R = TypeVar("R")


def to_json(content: object) -> str:
    """One line of JSON; numbers that aren't finite are refused, characters stay as they are."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True)


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
        hints = get_type_hints(kind)
        # a field that an older run didn't have yet takes its default, or is a TypeError
        return kind(**{f.name: _build(hints[f.name], content[f.name]) for f in fields(kind) if f.name in content})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(content)
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple:
        kinds = [inner[0]] * len(content) if inner[-1] is Ellipsis else inner
        return tuple(_build(each, value) for each, value in zip(kinds, content, strict=True))
    if origin in (Union, UnionType):
        known = [each for each in inner if is_dataclass(each)]
        return _build(known[0], content) if known and isinstance(content, Mapping) else content
    return content
