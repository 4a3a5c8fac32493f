"""The methods that exist: each announces itself with `@method`, and nothing lists them by hand."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from cnnvis_report.errors import BadRequest, UnknownName, nearest
from cnnvis_report.records import Card, Kind, Option, Reduction, Sign

LEVELS = ("quick", "standard", "all")

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Method:
    """A method as the engine calls it.

    card: what the report says of it.
    function: (tape, targets, *, options) -> maps.
    together: whether it takes targets [N, K] at once and gives [N, K, …]; otherwise it is called with [N],
        class after class.
    """

    card: Card
    function: Callable[..., Any]
    together: bool

    @property
    def name(self) -> str:
        """The word for it everywhere."""
        return self.card.name

    @property
    def layered(self) -> bool:
        """Whether it reads a layer that can be chosen."""
        return "layer" in self.card.options


_methods: dict[str, Method] = {}


def method(
    *,
    title: str,
    family: str,
    source: str,
    sign: Sign,
    kind: Kind,
    reduction: Reduction = Reduction.SUM,
    colour: bool = False,
    together: bool = False,
    level: str = "standard",
) -> Callable[[Function], Function]:
    """Announce a function `(tape, targets, *, options) -> maps` as an explanation method.

    The function's name is the method's, its docstring's first paragraph is printed in the report, its
    keyword-only parameters with their defaults are its options everywhere.

    Args:
        title: as the report writes it.
        family: the section of the report it stands in.
        source: authors, year and where to find it.
        sign: whether values can be negative.
        kind: PIXEL gives N×C×H×W, AREA N×H×W, LAYER N×h×w; with K after N where `together`.
        reduction: how a pixel map's channels are folded when it is shown.
        colour: whether the report shows it as a colour picture too.
        together: whether targets are N×K and all classes come from the same passes.
        level: "quick", "standard" or "all": the smallest set that it belongs to.
    """

    def announce(function: Function) -> Function:
        name = function.__name__
        text = inspect.getdoc(function) or ""
        if not text:
            raise BadRequest(f"Method {name!r} has no docstring; its first line is what the report prints.")
        summary = " ".join(text.split("\n\n")[0].split())
        card = Card(
            name, title, family, source, sign, kind, reduction, colour, level, summary, text, _options(function)
        )
        _methods[name] = Method(card, function, together)
        return function

    return announce


def methods() -> tuple[Method, ...]:
    """All methods, by family and in order of their files' names."""
    package = importlib.import_module("cnnvis_report.methods")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"cnnvis_report.methods.{module.name}")
    return tuple(sorted(_methods.values(), key=lambda entry: entry.name))


def select(names: Iterable[str]) -> tuple[Method, ...]:
    """The methods asked for, in the order of the asking and each once.

    Args:
        names: method names (hyphens are accepted), "quick", "standard" or "all", or `package.module:function`
            for a method of one's own.

    Raises:
        UnknownName: no method is called so.
        BadRequest: nothing was asked for, or a method of one's own can't be imported.
    """
    known = {entry.name: entry for entry in methods()}
    chosen: dict[str, Method] = {}
    for name in names:
        if name in LEVELS:
            upto = LEVELS[: LEVELS.index(name) + 1]
            found = [entry for entry in known.values() if entry.card.level in upto]
        elif ":" in name:
            found = [_imported(name)]
        else:
            plain = name.replace("-", "_")
            if plain not in known:
                raise UnknownName("method", name, [*known, *LEVELS])
            found = [known[plain]]
        chosen |= {entry.name: entry for entry in found}
    if not chosen:
        raise BadRequest(f"No method was asked for. Give --methods names, or one of {', '.join(LEVELS)}.")
    return tuple(chosen.values())


def with_options(entry: Method, given: dict[str, Option]) -> dict[str, Option]:
    """The method's options, those given in place of their defaults and of the same type.

    Raises:
        UnknownName: the method has no such option.
        BadRequest: a value isn't of the option's type.
    """
    options = dict(entry.card.options)
    for key, value in given.items():
        key = key.replace("-", "_")
        if key not in options:
            raise UnknownName(f"option of {entry.name}", key, options)
        options[key] = _as_type(entry.name, key, value, options[key])
    return options


def _options(function: Callable[..., Any]) -> dict[str, Option]:
    parameters = inspect.signature(function).parameters.values()
    keyword = [p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY]
    for parameter in keyword:
        if not isinstance(parameter.default, str | int | float | bool):
            raise BadRequest(
                f"Option {parameter.name!r} of method {function.__name__!r} needs a text, number or truth value "
                f"as its default; the default says its type."
            )
    return {parameter.name: parameter.default for parameter in keyword}


def _as_type(method_name: str, key: str, value: Option, default: Option) -> Option:
    kind = type(default)
    if kind is bool and isinstance(value, str):
        word = value.lower()
        if word in ("true", "yes", "on", "1", "false", "no", "off", "0"):
            return word in ("true", "yes", "on", "1")
    elif isinstance(value, bool) is (kind is bool):
        try:
            converted = kind(value)
            if kind is not int or float(value) == converted:
                return converted
        except (TypeError, ValueError, OverflowError):
            pass
    words_for = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    raise BadRequest(
        f"Option {key!r} of {method_name} is {value!r}; it takes {words_for[kind]}, and is {default!r} by default."
    )


def _imported(path: str) -> Method:
    """The method that `package.module:function` announces."""
    module_name, _, name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise BadRequest(f"Method {path!r}: can't import {module_name!r} ({error}).") from error
    if name not in vars(module):
        near = nearest(name, vars(module))
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadRequest(f"Method {path!r}: {module_name} has no {name!r}.{hint}")
    if name not in _methods or _methods[name].function is not vars(module)[name]:
        raise BadRequest(f"Method {path!r}: {name!r} isn't announced with @method.")
    return _methods[name]
