"""Arguments of a user's own function, from the texts of `--arg NAME=VALUE` and the types that the function states."""

import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest, UnknownName

TRUE, FALSE, NONE = ("true", "yes", "1"), ("false", "no", "0"), ("none", "null", "")
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
WORDS = {int: "a whole number", float: "a number", bool: "true or false", types.NoneType: "none"}
LISTS = (list, tuple, set, frozenset, Sequence, Iterable)


class _NoSuchValueError(ValueError):
    """A text that isn't of a type; the message is what is needed."""


def typed_arguments(
    function: Callable[..., Any], texts: Mapping[str, str], spec: str, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The arguments that a function is to be called with.

    Args:
        texts: texts by name, as they were typed. spec: what messages call the function.
        known: values from elsewhere, by name, such as the hyper-parameters in a checkpoint; those that the function has
            no parameter for are left out, and `texts` goes over the others.

    Raises:
        UnknownName, BadRequest: there is no such parameter, a value isn't of its type, or a required one is missing.
    """
    parameters = _parameters(function)
    if parameters is None:  # some builtins don't tell
        return {**(known or {}), **{name: _literal(text) for name, text in texts.items()}}
    named = {parameter.name: parameter for parameter in parameters if parameter.kind not in VARIADIC}
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
    fitting = [
        name
        for name in known or {}
        if name in named or (takes_any and name.isidentifier() and not name.startswith("_"))
    ]
    arguments = {name: (known or {})[name] for name in fitting if name not in texts}
    for name, text in texts.items():
        if name not in named and not takes_any:
            if not named:
                raise BadRequest(f"--arg {name}={text}: {spec} has no parameters.")
            raise UnknownName(f"parameter of {spec}", name, named)
        arguments[name] = _typed(named.get(name), name, text, spec)
    missing = [name for name, parameter in named.items() if name not in arguments and _is_required(parameter)]
    if missing:
        options = " ".join(f"--arg {name}={_example(named[name])}" for name in missing)
        raise BadRequest(f"{spec}: can't be called without {', '.join(missing)}: give {options}.")
    by_position = [name for name in arguments if name in named and _is_positional(named[name])]
    if by_position:
        raise BadRequest(f"{spec}: {by_position[0]} can't be given by name. Give a function that calls it.")
    return arguments


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter] | None:
    for evaluated in (True, False):  # annotations may name what only a type checker imports
        try:
            return list(inspect.signature(function, eval_str=evaluated).parameters.values())
        except Exception:  # a signature and its annotations are somebody's own code
            continue
    return None


def _is_required(parameter: inspect.Parameter) -> bool:
    return parameter.default is inspect.Parameter.empty


def _is_positional(parameter: inspect.Parameter) -> bool:
    return parameter.kind is inspect.Parameter.POSITIONAL_ONLY


def _typed(parameter: inspect.Parameter | None, name: str, text: str, spec: str) -> Any:
    kind = _kind_of(parameter)
    try:
        return _read(text.strip(), kind)
    except _NoSuchValueError as error:
        raise BadRequest(f"--arg {name}={text}: {name} of {spec} is {error}.") from error


def _kind_of(parameter: inspect.Parameter | None) -> Any:
    """The type of a parameter's values: its annotation, else the type of its default; `Any` where neither says."""
    if parameter is None:
        return Any
    empty = inspect.Parameter.empty
    if parameter.annotation is not empty and not isinstance(parameter.annotation, str):
        return parameter.annotation
    default = parameter.default
    if default is empty or default is None or not isinstance(default, int | float | str | list | tuple | Path | Enum):
        return Any
    if isinstance(default, list | tuple) and default:
        return list[type(default[0])] if isinstance(default, list) else tuple[type(default[0]), ...]  # type: ignore[misc]
    return int | float if type(default) is int else type(default)  # 0 may stand for 0.5


def _read(text: str, kind: Any) -> Any:
    """The value of a type that a text stands for.

    Raises:
        _NoSuchValueError: there is none; the message says what is needed.
    """
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _read(text, parts[0])
    if origin in (typing.Union, types.UnionType):
        return _first_of(text, parts)
    if origin is typing.Literal:
        return _chosen(text, {str(part): part for part in parts})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _chosen(text, {member.name: member for member in kind} | {str(member.value): member for member in kind})
    if (origin or kind) in LISTS:
        return _listed(text, origin or kind, parts)
    if kind is str:
        return text
    if kind is Path:
        return Path(text)
    if kind in READERS:
        return READERS[kind](text)
    return _literal(text)


def _first_of(text: str, kinds: Sequence[Any]) -> Any:
    """The value of the first type that takes the text; of None last, and a text only where nothing else does."""
    problems = []
    for kind in sorted(kinds, key=lambda kind: (kind is str, kind is not types.NoneType)):
        try:
            return _read(text, kind)
        except _NoSuchValueError as error:
            problems.append(str(error))
    raise _NoSuchValueError(" or ".join(problems))


def _chosen(text: str, values: Mapping[str, Any]) -> Any:
    if text not in values:
        raise _NoSuchValueError(f"one of {', '.join(values)}")
    return values[text]


def _listed(text: str, kind: Any, parts: Sequence[Any]) -> Any:
    """A list of values between commas, with brackets around them or without."""
    inner = [part for part in parts if part is not Ellipsis]
    bare = text[1:-1] if text[:1] + text[-1:] in ("[]", "()") else text
    values = [part.strip() for part in bare.split(",")] if bare.strip() else []
    values = values[:-1] if values and not values[-1] else values  # (3,)
    if kind is tuple and len(inner) > 1 and Ellipsis not in parts:
        if len(values) != len(inner):
            raise _NoSuchValueError(f"{len(inner)} values between commas")
        return tuple(_read(value, part) for value, part in zip(values, inner, strict=True))
    read = [_read(value, inner[0] if inner else Any) for value in values]
    return read if kind in (list, Sequence, Iterable) else kind(read)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise _NoSuchValueError(WORDS[int]) from error


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise _NoSuchValueError(WORDS[float]) from error


def _truth(text: str) -> bool:
    if text.lower() not in (*TRUE, *FALSE):
        raise _NoSuchValueError(WORDS[bool])
    return text.lower() in TRUE


def _nothing(text: str) -> None:
    if text.lower() not in NONE:
        raise _NoSuchValueError(WORDS[types.NoneType])


READERS: dict[Any, Callable[[str], Any]] = {
    int: _whole,
    float: _number,
    bool: _truth,
    types.NoneType: _nothing,
    None: _nothing,
}


def _literal(text: str) -> Any:
    """What a text says without any type: a whole number, a number, true, false, none, a list of these, or itself."""
    if "," in text or text[:1] + text[-1:] in ("[]", "()"):
        return _listed(text, list, ())
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return _first_of(text, (int, float, types.NoneType, str))


def _example(parameter: inspect.Parameter) -> str:
    examples = {int: "10", float: "0.5", bool: "true", str: "TEXT"}
    kind = _kind_of(parameter)
    return examples.get(kind, "VALUE") if isinstance(kind, type) else "VALUE"
