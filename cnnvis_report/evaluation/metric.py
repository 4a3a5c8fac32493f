"""The metrics that exist: each announces itself with `@metric`, and stages and pages find it by themselves."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.extensions.registry import Registry
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import MetricInfo

Mask = npt.NDArray[np.bool_]
Scorer = Callable[[Tensor], Tensor]  # [M, C, H, W] images to [M, classes] scores; it may work on the images in place


@dataclass(frozen=True)
class Effort:
    """How much is measured: steps of curves, and regions of images, `across` of which fit along the shorter side."""

    steps: int
    regions: int
    across: int = 14


@dataclass(frozen=True)
class MapsOfImage:
    """The maps of one image for one class, and what a metric may need to judge them by.

    maps: J of them, one value a position, each [h, w] of its own size.
    image: [C, H, W], normalized, on the network's device.
    target: the class that the maps explain.
    logits, probabilities: of every class, for images.
    black: [C, 1, 1], normalized.
    mask: [H, W], where the object of the class lies; None where nobody says so.
    generator: a source of noise that depends on the image and the seed alone; a new one at each call.
    capacity: how many images are held and scored at once.
    """

    maps: Sequence[Array]
    image: Tensor
    target: int
    logits: Scorer
    probabilities: Scorer
    black: Tensor
    mask: Mask | None
    generator: Callable[[], torch.Generator]
    effort: Effort
    capacity: int
    seed: int

    @property
    def tensors(self) -> list[Tensor]:
        """The maps as tensors, on the CPU."""
        return [torch.from_numpy(values) for values in self.maps]

    @property
    def targets(self) -> Tensor:
        """[J]: the class, once a map."""
        return torch.full((len(self.maps),), self.target)


@dataclass(frozen=True)
class Scores:
    """What a metric gives: one value a map, and for some the curve [steps + 1] behind it."""

    values: Sequence[float]
    curves: Sequence[Sequence[float]] | None = None

    @classmethod
    def of_curves(cls, values: Tensor, curves: Tensor) -> "Scores":
        """From tensors [J] and [J, steps + 1]."""
        return cls(values.tolist(), curves.tolist())


@dataclass(frozen=True)
class Metric:
    """A metric as the evaluation calls it.

    function: the maps of an image to scores, or None where the metric isn't defined for them.
    passes: forward passes for so many maps of an image; None where it reads maps alone.
    """

    info: MetricInfo
    function: Callable[[MapsOfImage], Scores | None]
    passes: Callable[[Effort, int], int] | None = None


METRICS = Registry[Metric]("metric", group="cnnvis_report.metrics", package="cnnvis_report.evaluation")

Function = Callable[[MapsOfImage], Scores | None]


def metric(
    *,
    title: str,
    description: str,
    higher_is_better: bool,
    percent: bool = False,
    needs_mask: bool = False,
    passes: Callable[[Effort, int], int] | None = None,
    name: str = "",
) -> Callable[[Function], Function]:
    """Announce a function as a metric of maps; its name is the metric's, unless `name` says another.

    Args:
        title: of its column. description: what a value is, without a full stop.
        higher_is_better: whether a larger value speaks for the map.
        percent: whether values are fractions, shown as percentages.
        needs_mask: whether it is defined only where a ground-truth mask shows the object; others aren't asked.
        passes: forward passes that it takes for so many maps of one image; without it, none.

    Raises:
        BadRequest: another module has a metric of this name.
    """

    def announce(function: Function) -> Function:
        info = MetricInfo(name or function.__name__, title, description, higher_is_better, percent, needs_mask)
        METRICS.add(info.name, Metric(info, function, passes), function.__module__)
        return function

    return announce


def metrics() -> tuple[Metric, ...]:
    """All metrics, those that need a mask last."""
    return tuple(sorted(METRICS.entries().values(), key=lambda entry: entry.info.needs_mask))


def forward_passes(effort: Effort, maps: int) -> int:
    """Forward passes that all metrics take for so many maps of one image."""
    return sum(entry.passes(effort, maps) for entry in metrics() if entry.passes)


@dataclass
class Measured:
    """What one map scored: values and curves by the metrics' names."""

    values: dict[str, float] = field(default_factory=dict)
    curves: dict[str, tuple[float, ...]] = field(default_factory=dict)


def measure(maps: MapsOfImage, digits: int = 5) -> list[Measured]:
    """What each of an image's maps scores on every metric that is defined for it, rounded to so many digits."""
    results = [Measured() for _ in maps.maps]
    for entry in metrics():
        if entry.info.needs_mask and maps.mask is None:
            continue
        scores = entry.function(maps)
        if scores is None:
            continue
        for index, measured in enumerate(results):
            measured.values[entry.info.name] = round(float(scores.values[index]), digits)
            if scores.curves is not None:
                curve: Sequence[Any] = scores.curves[index]
                measured.curves[entry.info.name] = tuple(round(float(value), digits) for value in curve)
    return results
