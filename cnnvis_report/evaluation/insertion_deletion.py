"""Insertion and deletion: how a class's score follows the pixels that a map calls important, against three baselines.

All maps of an image are followed together, and each pass gives the probability and the log-odds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cnnvis_report.evaluation.baselines import BASELINES, baseline
from cnnvis_report.evaluation.curve_measures import (
    DELETION,
    GAIN,
    INSERTION,
    MEASURES,
    QUICK,
    Measure,
)
from cnnvis_report.evaluation.metric import Effort, MapsOfImage, Scores, metric_family
from cnnvis_report.evaluation.perturbation_curves import Curve, Path, Refinement, follow
from cnnvis_report.evaluation.pixel_order import pixel_orders, without_mirrors
from cnnvis_report.evaluation.score_range import LEAST_RANGE, LOG_ODDS, PROBABILITY, ends_apart, too_close

TOLERANCE = 1 / 64  # of the area, as a share of the distance from the curve's lowest point to its highest one
SHOWN = 32  # even steps of a stored curve


def _paths(effort: Effort) -> list[tuple[str, str]]:
    """The kinds and baselines of the curves that are followed."""
    pairs = {(measure.kind, measure.baseline): None for measure in (MEASURES if effort.full else QUICK)}
    return [pair for pair in pairs if pair[0] != GAIN]


def _passes(effort: Effort, maps: int) -> int:
    paths = _paths(effort)
    of_a_map = len(paths) * (effort.steps - 1) if effort.curve_passes is None else effort.curve_passes
    return (maps - effort.random_maps // 2) * of_a_map + len({picture for _, picture in paths}) + 1


@metric_family(*(measure.info for measure in MEASURES), quick=[measure.name for measure in QUICK], passes=_passes)
def insertion_deletion(sample: MapsOfImage) -> Mapping[str, Scores]:
    """Petsiuk et al. 2018, arXiv:1806.07421; the area between the curves: Blücher et al. 2024, arXiv:2401.06654.

    On probabilities a value is the area itself. Log-odds, and values of a regression, are counted from the baseline's
    score, as shares of the range from there to the image's: 1 for a score that is the image's all the way.
    """
    orders, numbers = pixel_orders(sample.tensors, sample.image.shape[1:], sample.seed)
    if not len(orders):
        return {}
    followed_orders, of_order = without_mirrors(orders)
    of_map = [None if number is None else of_order[number] for number in numbers]
    pictures = {name: baseline(sample.image, name, sample.black) for _, name in _paths(sample.effort)}
    paths = {
        (kind, name): Path(pictures[name], sample.image) if kind == INSERTION else Path(sample.image, pictures[name])
        for kind, name in _paths(sample.effort)
    }
    scores = [PROBABILITY, LOG_ODDS] if sample.meaning.has_probabilities else [LOG_ODDS]
    flat = [LEAST_RANGE[score] for score in scores] if sample.meaning.has_probabilities else [0.0]
    effort = sample.effort
    refinement = Refinement(effort.steps, TOLERANCE, effort.finest, flat, effort.curve_passes)
    read = _reader(sample, scores)
    curves = follow(list(paths.values()), followed_orders, read, refinement, capacity=sample.capacity)
    followed = _Followed(dict(zip(paths, curves, strict=True)), of_map, scores, sample.meaning.has_probabilities)
    return {measure.name: followed.scores_of(measure) for measure in MEASURES if followed.knows(measure)}


def _reader(sample: MapsOfImage, scores: Sequence[str]) -> Callable[[Tensor], Tensor]:
    """[M, C, H, W] images to [M, S] scores of the target."""

    def read(images: Tensor) -> Tensor:
        logits = sample.logits(images)
        columns = {LOG_ODDS: sample.meaning.log_odds(logits, sample.target)}
        if PROBABILITY in scores:
            columns[PROBABILITY] = sample.meaning.probabilities(logits)[:, sample.target]
        return torch.stack([columns[score].double() for score in scores], dim=1)

    return read


@dataclass(frozen=True)
class _Followed:
    """The curves of an image, by kind and baseline, one for each order of pixels.

    of_map: the order of each map, and whether the map ranks pixels in its mirror; None for a map that ranks none.
    """

    curves: Mapping[tuple[str, str], Sequence[Curve]]
    of_map: Sequence[tuple[int, bool] | None]
    scores: Sequence[str]
    has_probabilities: bool

    def knows(self, measure: Measure) -> bool:
        """Whether its curves were followed."""
        return measure.score in self.scores and all((kind, measure.baseline) in self.curves for kind in measure.curves)

    def scores_of(self, measure: Measure) -> Scores:
        """The scores of every map on one measure."""
        column = self.scores.index(measure.score)
        low, high = (float(score) for score in self.curves[INSERTION, measure.baseline][0].scores[[0, -1], column])
        tells = ends_apart(high, low, measure.score, has_probabilities=self.has_probabilities)
        start, unit = 0.0, 1.0
        if measure.score == LOG_ODDS:
            least = LEAST_RANGE[LOG_ODDS] if self.has_probabilities else 1e-12
            start, unit = low, max(high - low, least)
        curves = [self._of_maps(kind, measure.baseline) for kind in measure.curves]
        shown = None
        if measure.kind == GAIN:
            areas = [[None if curve is None else curve.area[column] for curve in of_kind] for of_kind in curves]
            values = [
                None if one is None or other is None else (one - other) / unit
                for one, other in zip(*areas, strict=True)
            ]
        else:
            values = [None if curve is None else (curve.area[column] - start) / unit for curve in curves[0]]
            shown = [None if curve is None else (curve.at(SHOWN)[:, column] - start) / unit for curve in curves[0]]
        return Scores(
            values=[None if value is None else float(value) for value in values],
            curves=None if shown is None else [None if curve is None else curve.tolist() for curve in shown],
            range=high - low if np.isfinite(high - low) else None,
            blind="" if tells else too_close(BASELINES[measure.baseline]),
        )

    def _of_maps(self, kind: str, picture: str) -> list[Curve | None]:
        """The curve of each map; the pictures of a mirrored order's insertion are those of the deletion, backward."""
        other = DELETION if kind == INSERTION else INSERTION
        curves: list[Curve | None] = []
        for order in self.of_map:
            if order is None:
                curves.append(None)
            else:
                number, is_mirror = order
                followed = self.curves[other if is_mirror else kind, picture][number]
                curves.append(followed.backward if is_mirror else followed)
        return curves
