"""The metrics that exist: each announces itself with `@metric`, and stages and pages find it by themselves."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest
from cnnvis_report.extensions.registry import Registry
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import MetricInfo, MetricKind

Mask = npt.NDArray[np.bool_]
Scorer = Callable[[Tensor], Tensor]  # [M, C, H, W] images to [M, classes] scores; it may work on the images in place


class Meaning(Protocol):
    """What the scores [M, classes] of a network mean."""

    @property
    def has_probabilities(self) -> bool:
        """Whether they stand for probabilities; those of a regression don't."""

    def probabilities(self, scores: Tensor) -> Tensor:
        """[M, classes] in 0..1; values of a regression as they are."""

    def log_odds(self, scores: Tensor, target: int) -> Tensor:
        """[M], always finite: the logarithm of p / (1 - p) of one class; the value itself for a regression."""


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    steps: from which a perturbation curve begins; it takes more where it needs them.
    finest: even steps than which none of a curve is smaller.
    curve_passes: that the curves of one map take together at most; None where they take what they need.
    random_maps: how many of the maps are random ones: in pairs, of which one is the other's mirror.
    regions: replaced in region perturbation. across: how many regions fit along the shorter side.
    full: whether everything is measured; else what belongs to the budget `quick`.
    """

    steps: int
    regions: int
    across: int = 14
    finest: int = 128
    curve_passes: int | None = None
    random_maps: int = 0
    full: bool = True


@dataclass(frozen=True)
class MapsOfImage:
    """The maps of one image for one class, and what a metric may need to judge them by.

    maps: J of them, one value a position, each [h, w] of its own size; random maps of the image are the last ones.
    image: [C, H, W], normalized, on the network's device.
    target: the class that the maps explain.
    logits: of every class, for images.
    meaning: what the logits mean.
    black: [C, 1, 1], normalized.
    mask: [H, W], where the object of the class lies; None where nobody says so.
    generator: a source of noise that depends on the image and the seed alone; a new one at each call.
    capacity: how many images are held and scored at once.
    """

    maps: Sequence[Array]
    image: Tensor
    target: int
    logits: Scorer
    meaning: Meaning
    black: Tensor
    mask: Mask | None
    generator: Callable[[], torch.Generator]
    effort: Effort
    capacity: int
    seed: int

    def probabilities(self, images: Tensor) -> Tensor:
        """[M, classes] in 0..1, for images; values of a regression as they are."""
        return self.meaning.probabilities(self.logits(images))

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
    """What a metric gives for the maps of an image.

    values: one a map; None where it isn't defined for that map.
    curves: one a map, where there are curves behind the values: points at even distances; None for a map without one.
    range: how far the score of the image lies above that of the baseline, for metrics that compare the two.
    blind: why this image can't tell good maps from bad ones; empty where it can. Such values count nowhere.
    """

    values: Sequence[float | None]
    curves: Sequence[Sequence[float] | None] | None = None
    range: float | None = None
    blind: str = ""


@dataclass(frozen=True)
class Metric:
    """A metric, or several that share their passes, as the evaluation calls them.

    function: the maps of an image to scores, by the metrics' names; those that aren't defined for them are left out.
    quick: names of those that are measured with `--metrics quick`, too.
    passes: forward passes for so many maps of an image; None where it reads maps alone.
    """

    infos: tuple[MetricInfo, ...]
    function: Callable[[MapsOfImage], Mapping[str, Scores]]
    quick: frozenset[str]
    passes: Callable[[Effort, int], int] | None = None

    @property
    def needs_mask(self) -> bool:
        """Whether it is defined only where a ground-truth mask shows the object."""
        return any(info.needs_mask for info in self.infos)


METRICS = Registry[Metric]("metric", group="cnnvis_report.metrics", package="cnnvis_report.evaluation")

Function = Callable[[MapsOfImage], Scores | None]
Family = Callable[[MapsOfImage], Mapping[str, Scores]]


def metric(
    *,
    title: str,
    description: str,
    higher_is_better: bool,
    kind: MetricKind = MetricKind.FAITHFULNESS,
    source: str = "",
    percent: bool = False,
    needs_mask: bool = False,
    passes: Callable[[Effort, int], int] | None = None,
    full: bool | None = None,
    name: str = "",
) -> Callable[[Function], Function]:
    """Announce a function as a metric of maps; its name is the metric's, unless `name` says another.

    Args:
        title: of its column. description: what a value is, without a full stop.
        higher_is_better: whether a larger value speaks for the map.
        kind: what the metric is about. source: where it was defined.
        percent: whether values are fractions, shown as percentages.
        needs_mask: whether it is defined only where a ground-truth mask shows the object; others aren't asked.
        passes: forward passes that it takes for so many maps of one image; without it, none.
        full: whether it is left out of `--metrics quick`, as metrics with passes are where nothing is said.

    Raises:
        BadRequest: another module has a metric of this name.
    """

    def announce(function: Function) -> Function:
        info = MetricInfo(
            name or function.__name__, title, description, higher_is_better, percent, needs_mask, kind, source
        )

        def by_name(sample: MapsOfImage) -> Mapping[str, Scores]:
            scores = function(sample)
            return {} if scores is None else {info.name: scores}

        left_out = passes is not None if full is None else full
        quick = frozenset() if left_out else frozenset({info.name})
        METRICS.add(info.name, Metric((info,), by_name, quick, passes), function.__module__)
        return function

    return announce


def metric_family(
    *infos: MetricInfo, quick: Collection[str], passes: Callable[[Effort, int], int]
) -> Callable[[Family], Family]:
    """Announce a function that gives the scores of several metrics by name, because they share forward passes.

    Args:
        infos: of the metrics, in the order of their columns.
        quick: names of those that are measured with `--metrics quick`, too; with `full`, all are.
        passes: as for `metric`.

    Raises:
        BadRequest: another module has a metric called like the function.
    """

    def announce(function: Family) -> Family:
        METRICS.add(function.__name__, Metric(infos, function, frozenset(quick), passes), function.__module__)
        return function

    return announce


def metrics(effort: Effort | None = None) -> tuple[Metric, ...]:
    """All metrics, or those that are measured with so much effort, by name; those that need a mask last.

    Raises:
        BadRequest: two have one name, of which each would answer for the other.
    """
    entries = METRICS.entries().values()
    names = Counter(info.name for entry in entries for info in entry.infos)
    for name in (name for name, times in names.items() if times > 1):
        raise BadRequest(f"Two metrics are called {name!r}: give the metric of your own another name.")
    chosen = [entry for entry in entries if effort is None or effort.full or entry.quick]
    return tuple(sorted(chosen, key=lambda entry: (entry.needs_mask, entry.infos[0].name)))


def measured_metrics(effort: Effort) -> tuple[MetricInfo, ...]:
    """What is measured with so much effort, in the order of the columns."""
    return tuple(info for entry in metrics(effort) for info in entry.infos if effort.full or info.name in entry.quick)


def forward_passes(effort: Effort, maps: int) -> int:
    """Forward passes that the metrics take for so many maps of one image, random ones among them."""
    return sum(entry.passes(effort, maps) for entry in metrics(effort) if entry.passes)
