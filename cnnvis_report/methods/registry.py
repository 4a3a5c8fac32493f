"""The methods that exist: each announces itself with `@method`, and nothing lists them by hand."""

import importlib
import inspect
import math
import pkgutil
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cnnvis_report.errors import BadRequest, UnknownName, brief, nearest, shown
from cnnvis_report.records.methods import Kind, MethodInfo, Option, Reduction, Sign

PRESETS = ("quick", "standard", "all")

DIGITS = re.compile(r"[+-]?[0-9]{1,18}")  # int() takes those of every script, and blanks between them

Function = TypeVar("Function", bound=Callable[..., Any])


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


@dataclass(frozen=True)
class Method:
    """A method as the engine calls it.

    card: what the report says of it.
    function: (tape, targets, *, options) -> maps.
    together: whether it takes targets [N, K] at once and gives [N, K, …]; otherwise it is called with [N],
        class after class.
    bounds: what its options may be: a range of numbers, or the words that a text can be.
    """

    card: MethodInfo
    function: Callable[..., Any]
    batched_targets: bool
    bounds: Bounds = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The word for it everywhere."""
        return self.card.name

    @property
    def takes_layer(self) -> bool:
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
    color: bool = False,
    batched_targets: bool = False,
    preset: str = "standard",
    bounds: Bounds | None = None,
) -> Callable[[Function], Function]:
    """Announce a function `(tape, targets, *, options) -> maps` as an explanation method.

    The function's name is the method's, its docstring's first paragraph is printed in the report, its
    keyword-only parameters with their defaults are its options everywhere.

    Args:
        title: as the report writes it.
        family: the section of the report it stands in.
        source: authors, year and where to find it.
        sign: whether values can be negative.
        kind: PIXEL gives N×C×H×W, AREA N×H×W, LAYER N×h×w; with K after N where `batched_targets`.
        reduction: how a pixel map's channels are folded when it is shown.
        color: whether the report shows it as a color picture too.
        together: whether targets are N×K and all classes come from the same passes.
        preset: "quick", "standard" or "all": the smallest set that it belongs to.
        bounds: of an option's name, the numbers or the words that it may be; others are refused before any work.
    """

    def announce(function: Function) -> Function:
        name = function.__name__
        text = inspect.getdoc(function) or ""
        if not text:
            raise BadRequest(f"Method {name!r} has no docstring; its first line is what the report prints.")
        summary = " ".join(text.split("\n\n")[0].split())
        card = MethodInfo(
            name, title, family, source, sign, kind, reduction, color, preset, summary, text, _options(function)
        )
        _methods[name] = Method(card, function, batched_targets, bounds or {})
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
        if name in PRESETS:
            upto = PRESETS[: PRESETS.index(name) + 1]
            found = [entry for entry in known.values() if entry.card.preset in upto]
        elif ":" in name:
            found = [_imported(name)]
        else:
            plain = name.replace("-", "_")
            if plain not in known:
                raise UnknownName("method", name, [*known, *PRESETS])
            found = [known[plain]]
        chosen |= {entry.name: entry for entry in found}
    if not chosen:
        raise BadRequest(f"No method was asked for. Give --methods names, or one of {', '.join(PRESETS)}.")
    return tuple(chosen.values())


def with_options(entry: Method, given: dict[str, Option]) -> dict[str, Option]:
    """The method's options, those given in place of their defaults and of the same type.

    Raises:
        UnknownName: the method has no such option.
        BadRequest: a value isn't of the option's type, or lies beyond its bounds.
    """
    options = dict(entry.card.options)
    for key, value in given.items():
        key = key.replace("-", "_")
        if key not in options:
            raise UnknownName(f"option of {entry.name}", key, options)
        options[key] = _as_type(entry.name, key, value, options[key])
        _check_bounds(entry, key, options[key])
    return options


def _check_bounds(entry: Method, key: str, value: Option) -> None:
    bounds = entry.bounds.get(key)
    if isinstance(bounds, Between) and isinstance(value, int | float) and not bounds.holds(value):
        raise BadRequest(f"Option {key!r} of {entry.name} is {shown(value)}; it takes a number {bounds}.")
    if isinstance(bounds, tuple) and str(value).replace("-", "_") not in bounds:
        raise UnknownName(f"{key} of {entry.name}", str(value), bounds)


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


def _imported(path: str) -> Method:
    """The method that `package.module:function` announces."""
    module_name, _, name = path.partition(":")
    if not name.isidentifier() or not all(part.isidentifier() for part in module_name.split(".")):
        raise BadRequest(f"Method {shown(path)}: a method of your own is called package.module:function.")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever somebody's own module does
        raise BadRequest(f"Method {path!r}: can't import {module_name!r} ({brief(error)}).") from error
    if name not in vars(module):
        near = nearest(name, vars(module))
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadRequest(f"Method {path!r}: {module_name} has no {name!r}.{hint}")
    if name not in _methods or _methods[name].function is not vars(module)[name]:
        raise BadRequest(f"Method {path!r}: {name!r} isn't announced with @method.")
    return _methods[name]
