"""The methods that exist: each announces itself with `@method`, and nothing lists them by hand.

Needs no torch, unless methods themselves are asked for.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cnnvis_report.errors import BadRequest
from cnnvis_report.extensions.registry import Registry
from cnnvis_report.methods.options import Bounds, OptionsByEffort, checked_efforts, checked_options
from cnnvis_report.records.methods import EFFORTS, Equality, Kind, MethodInfo, Option, Randomness, Reduction, Sign

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Method:
    """A method as the engine calls it.

    info: what it says of itself.
    function: (tape, targets, *, options) -> maps.
    batched_targets: whether it takes targets [N, K] at once and gives [N, K, …]; otherwise it is called with [N],
        class after class.
    bounds: what its options may be: a range of numbers, or the words that a text can be.
    effort: its options at efforts below "max", by effort.
    """

    info: MethodInfo
    function: Callable[..., Any]
    batched_targets: bool
    bounds: Bounds = field(default_factory=dict)
    effort: OptionsByEffort = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The word for it everywhere."""
        return self.info.name

    @property
    def takes_layer(self) -> bool:
        """Whether it reads a layer that can be chosen."""
        return "layer" in self.info.options

    def options_at(self, effort: str, options: Mapping[str, Option]) -> dict[str, Option]:
        """Its options at an effort, those given in place of the effort's and of the same type.

        What an effort leaves unsaid is as at the next higher one; at "max", every option is at its default.

        Raises:
            UnknownName: the method has no such option.
            BadRequest: a value isn't of the option's type, or lies beyond its bounds.
        """
        defaults = dict(self.info.options)
        for level in reversed(EFFORTS[EFFORTS.index(effort) :]):
            defaults.update(self.effort.get(level, {}))
        return checked_options(self.name, defaults, self.bounds, options)


METHODS = Registry[Method]("method", group="cnnvis_report.methods", package="cnnvis_report.methods")


@dataclass(frozen=True, kw_only=True)
class method:  # noqa: N801 # a decorator, like `property`
    r"""Announce a function `(tape, targets, *, options) -> maps` as an attribution method.

    The function's name is the method's, its docstring's first paragraph is printed in the report, its
    keyword-only parameters with their defaults are its options everywhere.

    Args:
        title: as the report writes it.
        family: the section of the report it stands in: a `Family`, or one of your own.
        source: authors, year and where to find it.
        sign: whether values can be negative.
        kind: PIXEL gives N×C×H×W, AREA N×H×W, LAYER N×h×w; with K after N where `batched_targets`.
        reduction: how a pixel map's channels are folded when it is shown.
        color: whether the report shows it as a color picture too.
        batched_targets: whether targets are N×K and all classes come from the same passes.
        preset: "quick", "standard" or "all": the smallest set that it belongs to.
        bounds: of an option's name, the numbers or the words that it may be; others are refused before any work.
        effort: options that take fewer passes, by effort, such as {"low": {"n": 5}, "high": {"n": 50}}; what an effort
            leaves unsaid is as at the next higher one, and "max" is the defaults.
        notes: how the report words what the method states with `tape.note`, by name, such as {"steps": "{} steps"}.
        randomness: what it draws at random.
        class_agnostic: whether its map is the same for every class.
        baseline: whether it explains nothing and is there for the others to be compared with.
        prominence: of a run's methods, the one with the highest stands for them in the overview.
        equals: other methods whose maps are the same, up to a positive factor, on networks of some kind.
        formula: what is computed, in the notation of LaTeX, such as r"\frac{\partial y}{\partial x}".
        registry: where it is announced.

    Raises:
        BadRequest: another module has a method of this name, the function lacks a docstring or a default, or
            `effort` names no effort below "max".
        UnknownName: `effort` names an option that the function doesn't have.
    """

    title: str
    family: str
    source: str
    sign: Sign
    kind: Kind
    reduction: Reduction = Reduction.SUM
    color: bool = False
    batched_targets: bool = False
    preset: str = "standard"
    bounds: Bounds = field(default_factory=dict)
    effort: OptionsByEffort = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    randomness: Randomness = Randomness.NONE
    class_agnostic: bool = False
    baseline: bool = False
    prominence: int = 0
    equals: tuple[Equality, ...] = ()
    formula: str = ""
    registry: Registry[Method] = METHODS

    def __call__(self, function: Function) -> Function:
        """Announce the function, and leave it as it is."""
        name = function.__name__
        text = inspect.getdoc(function) or ""
        if not text:
            raise BadRequest(f"Method {name!r} has no docstring; its first line is what the report prints.")
        info = MethodInfo(
            name=name,
            title=self.title,
            family=str(self.family),
            source=self.source,
            sign=self.sign,
            kind=self.kind,
            reduction=self.reduction,
            color=self.color,
            preset=self.preset,
            summary=" ".join(text.split("\n\n")[0].split()),
            text=text,
            options=_options(function),
            notes=dict(self.notes),
            randomness=self.randomness,
            class_agnostic=self.class_agnostic,
            baseline=self.baseline,
            prominence=self.prominence,
            equals=self.equals,
            formula=self.formula,
        )
        effort = checked_efforts(name, info.options, self.bounds, self.effort)
        entry = Method(info, function, self.batched_targets, self.bounds, effort)
        self.registry.add(name, entry, function.__module__)
        return function


def methods() -> tuple[Method, ...]:
    """All methods by name: those of this package, of installed ones, and whatever else was announced."""
    return tuple(sorted(METHODS.entries().values(), key=lambda entry: entry.name))


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
