"""What maps were found to be worth, and how that was measured, as plain data."""

from dataclasses import dataclass, field
from enum import StrEnum


class MetricKind(StrEnum):
    """What a metric is about."""

    FAITHFULNESS = "faithfulness"
    LOCALIZATION = "localization"
    COMPLEXITY = "complexity"
    ROBUSTNESS = "robustness"
    SANITY = "sanity"


@dataclass(frozen=True)
class MetricInfo:
    """What a reader has to know of a metric to read its values.

    name: the word for it everywhere, such as "pointing_game".
    title: as pages write it, such as "Pointing game".
    description: what a value of it is.
    higher_is_better: whether a larger value speaks for the map.
    percent: whether values are fractions, which pages show as percentages.
    needs_mask: whether it is defined only where a ground-truth mask shows the object.
    kind: what it is about.
    source: where it was defined.
    ranks: whether methods are ranked by it; of several that were measured, the first one decides.
    """

    name: str
    title: str
    description: str
    higher_is_better: bool
    percent: bool = False
    needs_mask: bool = False
    kind: MetricKind = MetricKind.FAITHFULNESS
    source: str = ""
    ranks: bool = False


@dataclass(frozen=True)
class MapMetrics:
    """What one map scored: that of the first class that was explained.

    method: the method's name.
    layer: the layer that it reads; empty where it reads none.
    target: the class that it explains, from 0.
    values: by metric, such as "deletion_blur"; `Evaluation.metrics` says what each is. A metric that isn't defined for
        the map, such as one that ranks pixels for a map of a single value, is left out.
    curves: by metric that has one, its score at even distances.
    """

    method: str
    layer: str
    target: int
    values: dict[str, float]
    curves: dict[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageMetrics:
    """What the maps of one image scored.

    maps: one entry per map.
    agreement: rank correlation of each map with each other one, in the order of `maps`; None where a map is constant.
    random: by metric, what each of several random maps scored on this image.
    ranges: by metric with curves, how far the score of the image lies above that of the baseline: what it can tell.
    blind: by metric, why this image tells nothing about any map; such metrics of it count nowhere.
    """

    maps: tuple[MapMetrics, ...]
    agreement: tuple[tuple[float | None, ...], ...]
    random: dict[str, tuple[float, ...]] = field(default_factory=dict)
    ranges: dict[str, float] = field(default_factory=dict)
    blind: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RandomizationResult:
    """How like a method's maps stay while more and more weights are randomized: means over images, a number per stage.

    method: the method's name.
    layer: the layer that it reads; empty where it reads none.
    spearman: rank correlation with the maps of the trained network, from -1 to 1.
    absolute: the same, of the magnitudes.
    ssim: structural similarity of the magnitudes, from -1 to 1.
    """

    method: str
    layer: str
    spearman: tuple[float, ...]
    absolute: tuple[float, ...]
    ssim: tuple[float, ...]


@dataclass(frozen=True)
class MethodTest:
    """What a test that explains images again found of a method, such as that of random weights.

    name: the test's, which `Evaluation.tests_info` describes.
    method: the method's name.
    layer: the layer that it reads; empty where it reads none.
    values: one for each image that was tested.
    """

    name: str
    method: str
    layer: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class MetricPrecision:
    """What bfloat16 changed in the values of metrics that share their passes.

    metrics: their names.
    worst: the metric on which most changed, for how far apart maps are on it; empty where nothing could be compared.
    deviation: how far a map's value on it moved at most; None where nothing could be compared.
    spread: how far apart the image's lowest and highest map are on it, in float32.
    images: how many images it was tried on.
    used: whether the run used bfloat16 for these metrics.
    reason: why nothing could be compared; empty where it could.
    """

    metrics: tuple[str, ...]
    worst: str
    deviation: float | None
    spread: float | None
    images: int
    used: bool
    reason: str = ""


@dataclass(frozen=True)
class Evaluation:
    """How maps were measured.

    budget: how much was measured, by its name in the options, or by the effort that said so.
    images: how many images were measured.
    steps: that insertion and deletion curves begin with; they have more where they need them.
    regions: how many regions were replaced, one after the other; 0 where region perturbation was left out.
    side: how many regions fit across the shorter side of an image.
    seed: of everything random.
    randomized_fractions: the fraction of the layers that is randomized, stage by stage, from the logits down.
    randomization_images: how many images the randomization test used.
    randomization: results of the randomization test, method by method.
    metrics: the metrics that were measured, in the order of the columns.
    random_maps: how many random maps each image was compared with.
    tests: results of the tests that explain images again, method by method, image by image.
    tests_info: what each of these tests is.
    precision: what bfloat16 changed, for metrics together that share their passes; empty where all were in float32.
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
    metrics: tuple[MetricInfo, ...] = ()
    random_maps: int = 0
    tests: tuple[MethodTest, ...] = ()
    tests_info: tuple[MetricInfo, ...] = ()
    precision: tuple[MetricPrecision, ...] = ()


@dataclass(frozen=True)
class Precision:
    """What bfloat16 changed in a method's maps.

    method: the method's name.
    layer: the layer that it reads; empty where it reads none.
    correlation: the lowest rank correlation with the float32 maps, from -1 to 1; None where bfloat16 failed.
    images: how many images it was tried on.
    used: whether the run used bfloat16 for this method.
    reason: why bfloat16 failed; empty where it didn't.
    """

    method: str
    layer: str
    correlation: float | None
    images: int
    used: bool
    reason: str = ""
