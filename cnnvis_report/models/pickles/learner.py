"""A learner of fastai as `learn.export()` writes it: its network, its classes, and how it makes pictures ready."""

from collections.abc import Iterator
from typing import Any

from PIL import Image
from torch import Tensor, nn

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.outputs.scores import attribute


def is_learner(content: object) -> bool:
    """Whether it is one, by what it has: a network and loaders of data."""
    return isinstance(attribute(content, "model"), nn.Module) and attribute(content, "dls") is not None


def vocabulary(learner: Any) -> tuple[str, ...] | None:
    """The names of the classes, in the order of the scores; None where the loaders don't say."""
    words = attribute(attribute(learner, "dls"), "vocab")
    try:
        return tuple(map(str, words)) if words is not None and len(words) else None
    except TypeError:
        return None


def learner_preprocessing(learner: Any) -> Preprocessing:
    """What its loaders do to a picture of validation: to size from the middle, and normalized where they do that."""
    resize: int | tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    interpolation = "bilinear"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    for step in _steps(learner):
        name, size = type(step).__name__, attribute(step, "size")
        if name == "Normalize" and isinstance(step.mean, Tensor):
            mean, std = (tuple(value.flatten().tolist()) for value in (step.mean, step.std))
        elif size is not None:
            height, width = _height_and_width(size)
            # what is cut to another aspect than a square can't be said in other words
            whole = height != width or "squish" in str(attribute(step, "method"))
            resize, crop = ((height, width), None) if whole else (height, (height, width))
            interpolation = _interpolation(step)
    return Preprocessing(mean, std, resize=resize, crop=crop, interpolation=interpolation)


def _steps(learner: Any) -> Iterator[Any]:
    for stage in ("after_item", "after_batch"):
        yield from attribute(attribute(attribute(learner, "dls"), stage), "fs") or ()


def _height_and_width(size: Any) -> tuple[int, int]:
    """From a side, or (width, height), which is the order in which fastai keeps them."""
    width, height = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def _interpolation(step: Any) -> str:
    filters = attribute(step, "resamples")
    try:
        return Image.Resampling(int(filters[0])).name.lower()
    except (TypeError, ValueError, IndexError):
        return "bilinear"
