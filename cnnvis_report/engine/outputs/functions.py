"""Scores by a function of the user's own: what of a network's output is to be explained."""

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from cnnvis_report.engine.outputs.readers import Anchor, Shape, TargetFunction
from cnnvis_report.errors import BadRequest, CnnVisError, told
from cnnvis_report.isolation.process_state import running_user_code
from cnnvis_report.isolation.user_code import user_code_location

SHAPES = "[N] scores, [N, K] for K of them, or a dict of names to [N]"


class TargetFailed(BadRequest):
    """A target function gives no scores; the message says why."""


@dataclass(frozen=True)
class PlainOutput:
    """What the network returns for N images as they are, without its graph: tensors, alone or in dicts and lists."""

    values: Any

    def rows(self, indices: Tensor) -> "PlainOutput":
        """The same for other images [M], each a version of one of the N."""
        return PlainOutput(_each(self.values, lambda tensor: tensor[indices.to(tensor.device)]))


class FunctionScores:
    """Calls `function(output)`, or `function(output, plain)` where it takes two arguments.

    `output` is what the network returns for N images, with the way back to them. `plain` is what it returns for the
    same images as they are, without it: where a method hides a part of an image, `plain` is still that of the whole.

    Args:
        name: what the report calls the function.
    """

    def __init__(self, function: TargetFunction, name: str) -> None:
        self.reads = name
        self.names: tuple[str, ...] | None = None
        self.anchored = _takes_two(function)
        self.notes: dict[str, None] = {}
        self.shapes: frozenset[Shape] = frozenset()
        self._function = function

    @property
    def code(self) -> Callable[..., Any]:
        """What holds the function's code: itself, or the class of an object that can be called."""
        return self._function if hasattr(self._function, "__code__") else type(self._function)

    def read(self, output: Any, count: int, anchor: Anchor | None = None) -> tuple[Tensor, Anchor | None]:
        """[N, columns]: what the function gives.

        Raises:
            TargetFailed: it fails, or gives something else than scores.
        """
        maps = (part.shape[1:] for part in _tensors(output) if part.ndim == 4)
        self.shapes = frozenset((int(channels), int(height), int(width)) for channels, height, width in maps)
        if self.anchored and anchor is None:
            anchor = PlainOutput(_each(output, Tensor.detach))
        arguments = (output, anchor.values) if self.anchored and isinstance(anchor, PlainOutput) else (output,)
        try:
            with running_user_code(self.reads):
                result = self._function(*arguments)
        except (CnnVisError, torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:
            where = user_code_location(error)
            raise TargetFailed(f"{self.reads} fails: {told(error)}{f', in {where}' if where else ''}.") from error
        return self._columns(result, count), anchor

    def _columns(self, result: Any, count: int) -> Tensor:
        if isinstance(result, Mapping) and result and all(isinstance(part, Tensor) for part in result.values()):
            parts = {str(name): self._columns_of(part, count) for name, part in result.items()}
            wide = next((name for name, part in parts.items() if part.shape[1] != 1), None)
            if wide is not None:
                raise self._refused(f"a dict whose {wide!r} isn't [N]")
            self.names = tuple(parts)
            return torch.cat([*parts.values()], dim=1)
        if not isinstance(result, Tensor):
            raise self._refused(f"a {type(result).__name__}")
        columns = self._columns_of(result, count)
        single = columns.shape[1] == 1
        self.names = (self.reads,) if single else tuple(f"{self.reads} {index}" for index in range(columns.shape[1]))
        return columns

    def _columns_of(self, scores: Tensor, count: int) -> Tensor:
        """[N, K] of one score or K scores an image."""
        if not scores.is_floating_point():
            raise self._refused(f"{scores.dtype} numbers, which have no slope")
        if scores.ndim == 0 and count == 1:
            return scores.view(1, 1)
        if scores.ndim not in (1, 2) or len(scores) != count or not scores.numel():
            raise self._refused(f"{list(scores.shape)} for {count} image{'s' if count > 1 else ''}")
        return scores.reshape(count, -1)

    def _refused(self, what: str) -> TargetFailed:
        return TargetFailed(f"{self.reads} gives {what}; a target function gives {SHAPES}.")


def name_of(function: TargetFunction) -> str:
    """What a function is called: by its name, and a lambda or an object by its kind."""
    name = getattr(function, "__name__", type(function).__name__)
    return "target" if name == "<lambda>" else str(name)


def _takes_two(function: TargetFunction) -> bool:
    """Whether a function has to be called with two arguments."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some builtins don't tell
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [one for one in parameters if one.kind in kinds and one.default is inspect.Parameter.empty]
    return len(needed) == 2


def _each(value: Any, change: Any) -> Any:
    """The same mappings and sequences with every tensor changed; anything else as it is."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _each(part, change) for key, part in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        parts = [_each(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts) if isinstance(value, tuple) else parts
    return value


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in mappings and sequences."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping | tuple | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _tensors(part)
