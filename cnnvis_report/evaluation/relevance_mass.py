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
