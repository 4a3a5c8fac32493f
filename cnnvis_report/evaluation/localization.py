"""How much of a map lies on what decides the class, where a mask says what that is."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from cnnvis_report.errors import BadRequest
from cnnvis_report.evaluation.metric import MapsOfImage, Mask, Scores, metric
from cnnvis_report.evaluation.resize import at_size
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import MetricKind

Share = Callable[[Array, Mask], float]
TOLERANCE = 15 / 224  # of the image's shorter side: the 15 pixels of the paper, for the images of ImageNet networks


def localization(*, name: str, title: str, description: str, source: str) -> Callable[[Share], Share]:
    """Announce what a function gives for a map [h, w] and a mask [H, W], 0..1, as a metric that `metric` takes."""

    def announce(share: Share) -> Share:
        @metric(
            name=name,
            title=title,
            description=description,
            higher_is_better=True,
            percent=True,
            needs_mask=True,
            kind=MetricKind.LOCALIZATION,
            source=source,
        )
        def measured(sample: MapsOfImage) -> Scores:
            mask = sample.mask
            assert mask is not None  # it is asked where there is one
            blind = "The mask covers the whole image" if mask.all() else ""
            return Scores([share(values, mask) for values in sample.maps], blind=blind)

        return share

    return announce


@localization(
    name="relevance_mass_accuracy",
    title="Mass in mask",
    description="Share of the map's positive part that lies in the ground-truth mask",
    source="Arras et al. 2020, arXiv:2003.07258",
)
def relevance_mass(values: Array, mask: Mask) -> float:
    """The share of a map's positive values that lies on the mask, 0..1.

    Negative values count as 0. A map without a positive value has nothing on the mask: 0. A map of another size than
    the mask is upsampled first (bilinear, align_corners=False).

    Args:
        values: [h, w], one value a position.
        mask: [H, W].

    Raises:
        BadRequest: the mask is empty.

    Source: Arras et al. 2020, arXiv:2003.07258, relevance mass accuracy.
    """
    positive = np.maximum(_shown(values, mask), 0)
    total = float(positive.sum())
    return float(positive[mask].sum()) / total if total > 0 else 0.0


@localization(
    name="relevance_rank_accuracy",
    title="Relevance rank",
    description="Share of the map's largest pixels, as many as the mask has, that lie in the mask",
    source="Arras et al. 2020, arXiv:2003.07258",
)
def relevance_rank(values: Array, mask: Mask) -> float:
    """The share of the map's K largest values that lie on the mask of K pixels, 0..1.

    Where equal values compete for the last places, each gets its fair part of them, as over all orders among them: a
    map of a single value reaches the mask's share of the image. Sizes as in `relevance_mass`.

    Args:
        values: [h, w], one value a position.
        mask: [H, W].

    Raises:
        BadRequest: the mask is empty.

    Source: Arras et al. 2020, arXiv:2003.07258, relevance rank accuracy.
    """
    shown = _shown(values, mask)
    size = int(mask.sum())
    last = np.partition(shown, shown.size - size, axis=None)[shown.size - size]
    above, level = shown > last, shown == last
    part = (size - above.sum()) / level.sum()
    return float((above & mask).sum() + part * (level & mask).sum()) / size


def _shown(values: Array, mask: Mask) -> npt.NDArray[np.float64]:
    if not mask.any():
        raise BadRequest("The mask is empty: there is nothing on which a map could lie.")
    shown: npt.NDArray[np.float64] = at_size(torch.from_numpy(values), mask.shape).double().numpy()
    return shown


@localization(
    name="best_iou",
    title="Best IoU",
    description="Largest intersection over union of the ground-truth mask with what the map shows above a threshold",
    source="Everingham et al. 2010, doi:10.1007/s11263-009-0275-4, the overlap; the threshold is the map's best",
)
def largest_iou(values: Array, mask: Mask) -> float:
    """The largest |S ∩ M| / |S ∪ M| of a mask M with S = {map ≥ t}, over all thresholds t, 0..1.

    Exact: every value of the map is a threshold, so pixels of one value are in S together. The least value as
    threshold takes the whole image, so no map falls below the mask's share of it; a map of a single value reaches just
    that, and so do random maps of many pixels. A map of another size than the mask is upsampled first (bilinear,
    align_corners=False).

    Args:
        values: [h, w], one value a position.
        mask: [H, W].

    Raises:
        BadRequest: the mask is empty.
    """
    if not mask.any():
        raise BadRequest("The mask is empty: there is nothing that a map could cover.")
    shown = at_size(torch.from_numpy(values), mask.shape).numpy().ravel()
    order = np.argsort(-shown, kind="stable")
    inside = np.cumsum(mask.ravel()[order])
    last_of_value = np.append(np.flatnonzero(np.diff(shown[order])), shown.size - 1)
    intersection = inside[last_of_value]
    union = last_of_value + 1 + inside[-1] - intersection
    return float((intersection / union).max())


@metric(
    title="Pointing game",
    description="How often the map's peak lies in the ground-truth mask, or within 15 pixels of it at 224×224",
    higher_is_better=True,
    percent=True,
    needs_mask=True,
    kind=MetricKind.LOCALIZATION,
    source="Zhang et al. 2016, arXiv:1608.00507",
)
def pointing_game(sample: MapsOfImage) -> Scores:
    """Whether each map's peak lies near enough to the mask."""
    mask = sample.mask
    assert mask is not None  # it is asked where there is one
    area = within(mask, tolerance_of(mask))
    blind = "A peak hits wherever it lies" if area.all() else ""
    return Scores([peak_share(values, area) for values in sample.maps], blind=blind)


def tolerance_of(mask: Mask) -> float:
    """The largest distance from a mask [H, W], in its pixels, at which a peak still hits: 15 at 224×224."""
    return TOLERANCE * float(min(mask.shape))


def peak_share(values: Array, area: Mask) -> float:
    """1 where the largest value of a map lies in an area, 0 where it lies elsewhere.

    Where several pixels share the largest value, the share of them that lies in the area: what all choices among them
    give on average. So a map of a single value scores the area's share of the image, which is what chance gives. A map
    of another size than the area is upsampled (bilinear, align_corners=False), as the report shows it.

    Args:
        values: [h, w], one value a position.
        area: [H, W], a mask and what lies `within` the tolerance of it.

    Source: Zhang et al. 2016, arXiv:1608.00507.
    """
    shown = at_size(torch.from_numpy(values), area.shape).numpy()
    hits = area[shown == shown.max()]
    share: float = np.count_nonzero(hits) / hits.size
    return share


def within(mask: Mask, tolerance: float) -> Mask:
    """[H, W]: the mask and all pixels at most `tolerance` pixels away from it, as the crow flies.

    Its share of the image is how often a peak at a random place hits.

    Raises:
        BadRequest: the tolerance is negative.
    """
    if tolerance < 0:
        raise BadRequest(f"The pointing game needs a tolerance of 0 pixels or more, not {tolerance:g}.")
    height, width = mask.shape
    rows, far = np.arange(height)[:, None], 2 * (height + int(tolerance) + 1)
    above = np.maximum.accumulate(np.where(mask, rows, -far), axis=0)
    below = np.minimum.accumulate(np.where(mask, rows, far)[::-1], axis=0)[::-1]
    vertical = np.minimum(rows - above, below - rows) ** 2  # squared distance to the mask within a column
    near: Mask = np.zeros_like(mask)
    for shift in range(min(int(tolerance), width - 1) + 1):
        reached = vertical <= tolerance**2 - shift**2
        near[:, shift:] |= reached[:, : width - shift]
        near[:, : width - shift] |= reached[:, shift:]
    return near
