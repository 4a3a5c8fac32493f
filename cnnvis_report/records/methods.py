"""What a reader has to know of an explanation method, as plain data."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Option = str | int | float | bool
EFFORTS = ("low", "medium", "high", "max")
AS_DEFINED = "max"  # methods as their papers or their own defaults say


class Sign(StrEnum):
    """Whether a map's values can speak against the class too."""

    SIGNED = "signed"
    POSITIVE = "positive"


class Kind(StrEnum):
    """What the values of a map belong to, and so its shape."""

    PIXEL = "pixel"  # every input channel of every pixel: C×H×W
    AREA = "area"  # every position of the input: H×W
    LAYER = "layer"  # every position of a layer, at the layer's own size: h×w


class Reduction(StrEnum):
    """How the channels of a pixel map become one value per pixel when it is shown."""

    SUM = "sum"
    ABS_MAX = "abs_max"


class Family(StrEnum):
    """The families of methods, in the order of a page's sections; a method may name one of its own, which follows."""

    CAM = "class activation maps"
    GRADIENT = "gradients"
    RELEVANCE = "relevance propagation"
    ATTENTION = "attention"
    PERTURBATION = "perturbation"
    BASELINE = "baseline"


class Randomness(StrEnum):
    """What a method draws at random, always by the run's seed."""

    NONE = "none"
    SEED = "seed"  # the same draws for every image
    IMAGE = "image"  # draws of its own for every image, by the seed and the image's values


class Where(StrEnum):
    """On which networks two methods give the same map by their definitions."""

    AVERAGED = "behind global average pooling and one linear layer"
    PIECEWISE_LINEAR = "in a network of linear layers, ReLU and pooling"


@dataclass(frozen=True)
class Equality:
    """Another method with the same map, up to a positive factor.

    method: the other method's name.
    where: on which networks.
    because: why, as the beginning of a sentence that `where` ends.
    """

    method: str
    where: Where
    because: str


@dataclass(frozen=True)
class MethodInfo:
    """What a reader has to know of a method to read its maps.

    name: the word for it everywhere, such as "grad_cam".
    title: as pages write it, such as "Grad-CAM".
    family: the section of the pages that it stands in.
    source: authors, year and where it was published.
    sign: whether values can be negative.
    kind: what the values belong to, and so the shape of its maps.
    reduction: how the channels of a pixel map become one value per pixel on pages.
    color: whether pages can show it as a color picture too.
    preset: the smallest set of methods that it belongs to: "quick", "standard" or "all".
    summary: what its maps show, in one or two sentences.
    text: its whole description, with the formula.
    options: its options, as they were used.
    notes: phrases for what it states of a map, by name, such as "{} steps"; {%} is a percentage.
    randomness: what it draws at random.
    class_agnostic: whether its map is the same for every class.
    baseline: whether it explains nothing and is there for the others to be compared with.
    prominence: of a run's methods, the one with the highest stands for them in the overview, the first if several do.
    equals: other methods whose maps are the same, up to a positive factor, on networks of some kind.
    formula: what is computed, in the notation of LaTeX; empty where it isn't said.
    """

    name: str
    title: str
    family: str
    source: str
    sign: Sign
    kind: Kind
    reduction: Reduction
    color: bool
    preset: str
    summary: str
    text: str
    options: dict[str, Option]
    notes: dict[str, str] = field(default_factory=dict)
    randomness: Randomness = Randomness.NONE
    class_agnostic: bool = False
    baseline: bool = False
    prominence: int = 0
    equals: tuple[Equality, ...] = ()
    formula: str = ""

    @property
    def shown_sign(self) -> Sign:
        """The sign of the map as it is shown: an absolute maximum is never negative."""
        return Sign.POSITIVE if self.kind is Kind.PIXEL and self.reduction is Reduction.ABS_MAX else self.sign

    def shown(self, values: Array) -> Array:
        """One value per position: pixel maps C×H×W are reduced over channels, others H×W pass."""
        if values.ndim == 2:
            return values
        reduced = np.abs(values).max(axis=0) if self.reduction is Reduction.ABS_MAX else values.sum(axis=0)
        return np.asarray(reduced, dtype=np.float32)
