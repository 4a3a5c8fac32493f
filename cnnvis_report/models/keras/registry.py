"""The table of Keras's layers: what each becomes here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from cnnvis_report.extensions.registry import Registry
from cnnvis_report.models.keras.axes import Axes, Shape

OPERATION = "ops."  # goes before the names of keras.ops, some of which are those of layers


class NotConverted(Exception):
    """A layer, or a way of using it, that nothing here stands for; the message is the end of a sentence on it."""


@dataclass(frozen=True)
class Input:
    """Where an argument of a call is a tensor: its number among the tensors of the call."""

    number: int


@dataclass(frozen=True)
class Call:
    """One call of a layer in Keras's graph.

    layer: Keras's own object. inputs: the tensors that it reads. output: the shape of its result in Keras.
    arguments, options: of the call by place and by name, with `Input` for tensors.
    """

    layer: Any
    inputs: tuple[Axes, ...]
    output: Shape
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def input(self) -> Axes:
        """The only tensor that it reads.

        Raises:
            NotConverted: it reads several.
        """
        if len(self.inputs) != 1:
            raise NotConverted(f"reads {len(self.inputs)} tensors")
        return self.inputs[0]


@dataclass(frozen=True)
class Converted:
    """What a call becomes: a module, how it reads its tensors, and what its result is."""

    module: nn.Module
    inputs: tuple[Axes, ...]
    output: Axes


Builder = Callable[[Call], Converted]
BUILDERS = Registry[Builder]("layer of Keras", package="cnnvis_report.models.keras.layers")


def builds(*names: str) -> Callable[[Builder], Builder]:
    """Announce a function as what converts Keras's classes of these names."""

    def announce(function: Builder) -> Builder:
        for name in names:
            BUILDERS.add(name, function, function.__module__)
        return function

    return announce


def build(name: str, call: Call) -> Converted:
    """What one call of a layer becomes.

    Raises:
        NotConverted: nothing here stands for it.
    """
    builder = BUILDERS.entries().get(name)
    if builder is None:
        raise NotConverted(f"is a {name.removeprefix(OPERATION)}, which isn't converted")
    return builder(call)


def same(module: nn.Module, axes: Axes, output: Shape) -> Converted:
    """A module that works number by number, in whatever order the numbers lie."""
    return Converted(module, (axes,), axes.shaped(output))
