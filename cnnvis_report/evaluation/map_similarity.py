"""How alike two maps of one image are, in the three ways in which tests of maps are told."""

import numpy as np
import torch

from cnnvis_report.evaluation.rank_correlation import SIDE
from cnnvis_report.evaluation.resize import on_grid
from cnnvis_report.evaluation.ssim import ssim
from cnnvis_report.evidence.ranks import spearman
from cnnvis_report.records.methods import Array

SIMILARITIES = {  # in words
    "spearman": "rank correlation",
    "absolute": "rank correlation of the magnitudes",
    "ssim": "structural similarity of the magnitudes",
}


def map_similarities(first: Array, second: Array) -> dict[str, float] | None:
    """The SIMILARITIES of two maps [h, w], each brought to 56×56; None where one of them is of a single value.

    Source: Adebayo et al. 2018, arXiv:1810.03292, which compares maps in these ways.
    """
    a, b = _small(first), _small(second)
    numbers = (spearman(a, b), spearman(np.abs(a), np.abs(b)), ssim(np.abs(a), np.abs(b)))
    return dict(zip(SIMILARITIES, numbers, strict=True)) if all(map(np.isfinite, numbers)) else None


def _small(values: Array) -> Array:
    return np.asarray(on_grid(torch.from_numpy(values), (SIDE, SIDE)).numpy(), dtype=np.float32)
