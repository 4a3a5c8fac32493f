"""What maps were found to be worth, and how that was measured, as plain data."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MapMetrics:
    """What was measured of one map: a method's at one layer, of the first class that was explained.

    values: by name, such as "deletion" (an area) or "mass" (a share). curves: scores after each step, by name.
    """

    method: str
    layer: str
    target: int
    values: dict[str, float]
    curves: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageMetrics:
    """What one image's maps were worth; `agreement` has a row for each of the measures, None where a map is flat."""

    maps: tuple[MapMetrics, ...]
    agreement: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class RandomizationResult:
    """How a method's maps changed while weights were drawn anew, a number a stage, means over images.

    spearman, absolute: rank correlation with the maps of the trained network, of values and of magnitudes.
    ssim: structural similarity of the magnitudes.
    """

    method: str
    layer: str
    spearman: tuple[float, ...]
    absolute: tuple[float, ...]
    ssim: tuple[float, ...]


@dataclass(frozen=True)
class Evaluation:
    """How maps were measured.

    budget: "quick" or "full". images: how many were measured. steps: of the curves. regions: how many were replaced,
    one after the other, in region perturbation, each `side` pixels wide; 0 where that was left out.
    randomized_fractions: which part of the layers had been drawn anew, a share a stage. randomization_images: on how many images.
    """

    budget: str
    images: int
    steps: int
    regions: int
    side: int
    seed: int
    randomized_fractions: tuple[float, ...] = ()
    randomization_images: int = 0
    randomization: tuple[RandomizationResult, ...] = ()


@dataclass(frozen=True)
class Precision:
    """What reduced precision made of a method's maps, tried on a sample of so many images.

    correlation: the lowest rank correlation with the maps of full precision; None where there was none, for the
    reason. used: whether the run used it.
    """

    method: str
    layer: str
    correlation: float | None
    images: int
    used: bool
    reason: str = ""
