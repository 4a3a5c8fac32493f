"""Measures compared: how well each orders maps as the masks do, over the images of several networks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cnnvis_report.evidence.statistics import Bootstrap
from cnnvis_report.records.evidence import Interval
from tests.benchmarks.measures.planted_maps import FADED, SHIFTED, known_order
from tests.benchmarks.measures.scoring import EXPLAINED, TRUTHS, USUAL, Scored
from tests.benchmarks.measures.statistics import Values, tau_between_halves, tau_of_means, taus

SPLITS = 100  # of the images into halves
ALL = "all"  # sets together
METHODS = slice(0, len(EXPLAINED))  # the columns of methods; planted maps follow
TRUTH = TRUTHS[0]


@dataclass(frozen=True)
class Row:
    """What was found of one measure.

    agreement: mean tau with the truth over images, by set and for "all". behind: of the best measure, on the same
    images; None for that one. of_means, halves: averaged over sets. other_truths: mean tau, by name. faded, shifted:
    mean tau with the known order of planted maps. images: that tell something, of all. passes: a map.
    """

    name: str
    agreement: dict[str, Interval | None]
    behind: Interval | None
    of_means: float
    halves: float
    other_truths: dict[str, float]
    faded: float
    shifted: float
    images: int
    total: int
    passes: float


def compare(scored: Mapping[str, Sequence[Scored]], steps: int = USUAL) -> list[Row]:
    """A row for each measure, the best first; curves with so many steps.

    Args:
        scored: by set, one entry a network.
    """
    every = [part for parts in scored.values() for part in parts]
    keys = [key for key in every[0].values if key.endswith(f"@{steps}") or "@" not in key]
    agreement = {
        name: np.stack([_joined(parts, key, _tau_with(TRUTH)) for key in keys], axis=1)
        for name, parts in scored.items()
    }
    agreement[ALL] = np.concatenate(list(agreement.values()))
    told = ~np.isnan(agreement[ALL])
    # an image that tells nothing to a measure counts as an order by chance, so that no measure gains by silence
    agreement = {name: np.nan_to_num(columns, nan=0.0) for name, columns in agreement.items()}
    bootstrap = Bootstrap()
    intervals = {name: bootstrap.intervals(columns) for name, columns in agreement.items()}
    order = sorted(range(len(keys)), key=lambda column: -float(agreement[ALL][:, column].mean()))
    behind = bootstrap.intervals(agreement[ALL][:, [order[0]]] - agreement[ALL])
    return [
        Row(
            name=keys[column].partition("@")[0],
            agreement={name: columns[column] for name, columns in intervals.items()},
            behind=None if column == order[0] else behind[column],
            of_means=float(np.mean([_over_networks(parts, keys[column], _of_means) for parts in scored.values()])),
            halves=float(np.mean([_over_networks(parts, keys[column], _halves) for parts in scored.values()])),
            other_truths={truth: _mean(_joined(every, keys[column], _tau_with(truth))) for truth in TRUTHS[1:]},
            faded=_mean(_joined(every, keys[column], _tau_with_known(FADED))),
            shifted=_mean(_joined(every, keys[column], _tau_with_known(SHIFTED))),
            images=int(told[:, column].sum()),
            total=len(told),
            passes=float(np.mean([part.passes[keys[column]] for part in every])),
        )
        for column in order
    ]


def tau_between_steps(scored: Sequence[Scored], measure: str, steps: int, most: int) -> float:
    """Mean tau over images between the orders by curves of so many steps and of the most."""
    return _mean(
        np.concatenate(
            [
                taus(part.values[f"{measure}@{steps}"][:, METHODS], part.values[f"{measure}@{most}"][:, METHODS])
                for part in scored
            ]
        )
    )


Statistic = Callable[[Scored, str], Values]


def _joined(parts: Sequence[Scored], key: str, statistic: Statistic) -> Values:
    """[images] of all networks."""
    return np.concatenate([statistic(part, key) for part in parts])


def _tau_with(truth: str) -> Statistic:
    return lambda part, key: taus(part.values[key][:, METHODS], part.truth[truth][:, METHODS])


def _tau_with_known(members: Sequence[int]) -> Statistic:
    """With the order of planted maps."""
    columns = [len(EXPLAINED) + member for member in members]

    def statistic(part: Scored, key: str) -> Values:
        values = part.values[key][:, columns]
        return taus(values, np.broadcast_to(known_order(members), values.shape))

    return statistic


def _over_networks(parts: Sequence[Scored], key: str, statistic: Callable[[Scored, str], float]) -> float:
    return float(np.mean([statistic(part, key) for part in parts]))


def _of_means(part: Scored, key: str) -> float:
    return tau_of_means(part.values[key][:, METHODS], part.truth[TRUTH][:, METHODS])


def _halves(part: Scored, key: str) -> float:
    return tau_between_halves(part.values[key][:, METHODS], SPLITS, seed=0)


def _mean(values: Values) -> float:
    """Over the images that tell something."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else float("nan")
