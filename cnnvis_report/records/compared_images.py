"""One image in runs that are compared, as plain data."""

from dataclasses import dataclass, field
from enum import StrEnum


class Flip(StrEnum):
    """What became of the prediction for an image, from the first run to a later one."""

    FIXED = "fixed"  # wrong, then right
    BROKEN = "broken"  # right, then wrong
    RIGHT = "right"  # classified correctly by both
    WRONG = "wrong"  # misclassified by both
    CHANGED = "changed"  # another class, of an image whose label isn't known
    SAME = "same"  # the same class, of such an image


class TargetSource(StrEnum):
    """Which class the compared maps of an image explain."""

    LABEL = "label"
    FIRST_PREDICTION = "prediction of the first run"
    OWN_PREDICTIONS = "prediction of each run"  # which aren't the same class


@dataclass(frozen=True)
class ComparedPrediction:
    """What one run predicts for an image.

    name: of the class, or of the first output where outputs are values; empty where nothing is predicted.
    probability: from 0 to 1; None where scores are no probabilities.
    correct: None where nobody knows.
    value: of the output; None where scores are those of classes.
    """

    name: str
    probability: float | None
    correct: bool | None
    value: float | None = None


@dataclass(frozen=True)
class ComparedImage:
    """An image that all runs have.

    id: what its page is called by: that of the first run.
    ids: its id in each run.
    name: its file, in the first run.
    label: the name of its label; empty without one.
    predictions: of each run.
    flips: of each later run.
    target_source: how the class was chosen that the compared maps explain.
    targets: the name of that class in each run; empty where a run explains none.
    keys: by method, the key of the compared map in each run's arrays.
    moved: by method and later run, 1 − Spearman's rank correlation of the two maps: 0 for the same order of positions,
        1 for no relation, 2 for the opposite order; None where a map has a single value.
    movement: of each later run, the median of `moved` over the methods that explain something; None without any.
    mask_energy: by method and run, the share of the map's positive part that lies in the ground-truth mask; empty
        without a mask.
    """

    id: str
    ids: tuple[str, ...]
    name: str
    label: str
    predictions: tuple[ComparedPrediction, ...]
    flips: tuple[Flip, ...]
    target_source: TargetSource
    targets: tuple[str, ...]
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    moved: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    movement: tuple[float | None, ...] = ()
    mask_energy: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
