"""The constants that a transform normalizes pictures with, found in whatever library it is written."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

Constants = tuple[tuple[float, ...], tuple[float, ...]]

DEEPEST = 8  # of transforms within transforms, and of datasets around datasets
HOLDERS = ("transforms", "transform", "dataset", "datasets")


def normalization_of(source: object) -> Constants | None:
    """(mean, std), one number a channel, of the normalization in a transform, or in what a dataset applies.

    A normalization is what has `mean` and `std` and is called so: torchvision's in both versions, Albumentations',
    timm's. None where there is none, or several that differ.
    """
    constants = set(_constants(source, DEEPEST))
    return constants.pop() if len(constants) == 1 else None


def _constants(source: Any, depth: int) -> Iterator[Constants]:
    if source is None or not depth:
        return
    if isinstance(source, list | tuple):
        for part in source:
            yield from _constants(part, depth - 1)
        return
    if "normalize" in type(source).__name__.lower():
        numbers = [_numbers(getattr(source, name, None)) for name in ("mean", "std")]
        if numbers[0] and numbers[1] and len(numbers[0]) == len(numbers[1]) and min(numbers[1]) > 0:
            yield numbers[0], numbers[1]
        return
    for name in HOLDERS:
        yield from _constants(vars(source).get(name) if hasattr(source, "__dict__") else None, depth - 1)


def _numbers(value: Any) -> tuple[float, ...]:
    """One number a channel; empty where it is something else."""
    values = value.flatten().tolist() if isinstance(value, Tensor) else value
    try:
        return tuple(float(number) for number in values)
    except (TypeError, ValueError):
        return ()
