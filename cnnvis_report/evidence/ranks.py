"""Ranks of values, and how far two maps agree on the order of their positions."""

import numpy as np
import numpy.typing as npt

Exact = npt.NDArray[np.float64]
Values = npt.NDArray[np.floating]


def average_ranks(values: Values) -> Exact:
    """[P] ranks of the values in ascending order, from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = counts.cumsum() - (counts - 1) / 2
    return np.asarray(means[inverse.ravel()], dtype=np.float64)


def standard_ranks(values: Values) -> Exact:
    """[P] ranks with mean 0 and norm 1, so that a product is a correlation; nan where all values are one."""
    ranks = average_ranks(values)
    ranks -= ranks.mean()
    norm = float(np.linalg.norm(ranks))
    return ranks / norm if norm > 0 else np.full_like(ranks, np.nan)


def spearman(first: Values, second: Values) -> float:
    """Rank correlation of two maps of one shape, -1..1; nan where one of them has a single value only.

    The Pearson correlation of the ranks; equal values share the mean of their ranks.
    """
    return float(standard_ranks(first) @ standard_ranks(second))
