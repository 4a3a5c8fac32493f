"""How well two orders agree, image by image, over a set, and between halves of it."""

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
FEWEST = 3  # maps with both values: two are in an order or not


def kendall_tau_b(first: Values, second: Values) -> float:
    """Kendall's tau-b of two rows of values, -1..1; pairs in which one of the two is nan don't count.

    Pairs that are tied in one row count in the other's norm alone, as in Kendall 1945, doi:10.1093/biomet/33.3.239.

    Returns:
        nan where fewer than three pairs count, or a row has a single value.
    """
    counts = ~(np.isnan(first) | np.isnan(second))
    if counts.sum() < FEWEST:
        return float("nan")
    signs = [np.sign(row[counts][:, None] - row[counts][None, :]) for row in (first, second)]
    norm = np.sqrt(np.abs(signs[0]).sum() * np.abs(signs[1]).sum())
    return float((signs[0] * signs[1]).sum() / norm) if norm > 0 else float("nan")


def taus(values: Values, truth: Values) -> Values:
    """[images]: how well the values of each image [images, maps] order its maps as the truth does."""
    return np.array([kendall_tau_b(*rows) for rows in zip(values, truth, strict=True)])


def means(values: Values) -> Values:
    """[maps]: means over the images that count; nan where none does."""
    present = ~np.isnan(values)
    count = present.sum(axis=0)
    sums = np.where(present, values, 0.0).sum(axis=0)
    return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


def tau_of_means(values: Values, truth: Values) -> float:
    """How well means over images order the maps as the means of the truth do, over the images that count."""
    present = ~np.isnan(values).all(axis=1)
    return kendall_tau_b(means(values[present]), means(truth[present]))


def tau_between_halves(values: Values, splits: int, seed: int) -> float:
    """How well the means over disjoint halves of the images agree on the order of maps, averaged over random splits."""
    counted = values[~np.isnan(values).all(axis=1)]
    half = len(counted) // 2
    if half < 1:
        return float("nan")
    generator = np.random.default_rng(seed)
    orders = (generator.permutation(len(counted)) for _ in range(splits))
    agreements = [kendall_tau_b(means(counted[order[:half]]), means(counted[order[half:]])) for order in orders]
    return float(means(np.array(agreements)[:, None])[0])
