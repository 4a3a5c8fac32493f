"""The maps of a network's images, scored by every measure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from cnnvis_report import explain
from cnnvis_report.engine.noise import noise_generator
from cnnvis_report.evaluation.baselines import BASELINES
from cnnvis_report.evaluation.curve_measures import GAIN, MEASURES
from cnnvis_report.evaluation.measure import measure
from cnnvis_report.evaluation.metric import METRICS, Effort, MapsOfImage, Metric, metrics
from cnnvis_report.methods.registry import METHODS
from cnnvis_report.records.metrics import MetricInfo, MetricKind
from tests.benchmarks.measures.drawn_sets import Problem
from tests.benchmarks.measures.planted_maps import planted_maps
from tests.benchmarks.measures.statistics import Values

# of all families, and none that gives the same map as another on networks that end in global average pooling
EXPLAINED = (
    "saliency",
    "smoothgrad",
    "input_x_gradient",
    "integrated_gradients",
    "guided_backprop",
    "deconvnet",
    "lrp_composite",
    "occlusion",
    "grad_cam",
    "layer_cam",
    "eigen_cam",
    "guided_grad_cam",
    "random",
)
STEPS = (8, 16, 32, 64)  # of perturbation curves
USUAL = 32
CURVES = "insertion_deletion"
REGIONS = 12
TRUTHS = ("relevance_rank_accuracy", "relevance_mass_accuracy", "best_iou")


@dataclass(frozen=True)
class Scored:
    """What one network's maps scored.

    values: [images, maps] by the measure's name and the steps of its curves, such as "deletion_blur@32"; turned so
        that a larger value speaks for the map, nan where an image tells nothing. The first maps are those of EXPLAINED,
        the others planted ones. truth: likewise, by the name of the measure of localization.
    passes: forward passes a map, by name and steps; of curves, those of one measure alone.
    accuracies: of the network, as `accuracies` has them.
    """

    values: dict[str, Values]
    truth: dict[str, Values]
    passes: dict[str, float]
    accuracies: dict[str, float]


@dataclass
class CountedScorer:
    """A network's logits; counts the images it is asked for, and scores equal ones once."""

    forward: Callable[[Tensor], Tensor]
    asked: int = 0

    def __post_init__(self) -> None:
        self._known: dict[bytes, Tensor] = {}

    def __call__(self, images: Tensor) -> Tensor:
        """[M, classes] of images [M, C, H, W]."""
        self.asked += len(images)
        keys = [blake2b(image.contiguous().numpy().tobytes(), digest_size=16).digest() for image in images]
        new = {key: index for index, key in enumerate(keys) if key not in self._known}
        if new:
            with torch.no_grad():
                scores = self.forward(images[list(new.values())])
            self._known |= dict(zip(new, scores, strict=True))
        return torch.stack([self._known[key] for key in keys])

    def forget(self) -> None:
        """Before the next image."""
        self._known.clear()


def faithfulness_metrics() -> list[MetricInfo]:
    """What is compared: every registered measure of faithfulness."""
    return [info for entry in metrics() for info in entry.infos if _is_faithfulness(info)]


def _is_faithfulness(info: MetricInfo) -> bool:
    return info.kind is MetricKind.FAITHFULNESS and not info.needs_mask


def scored(problem: Problem, fractions: dict[str, float], progress: Callable[[str], None] = lambda _: None) -> Scored:
    """Explain the class of each image, plant maps of its mask, and measure all of them."""
    preprocessing = problem.subject.preprocessing
    explained = explain(
        problem.subject.network,
        problem.images,
        problem.targets,
        EXPLAINED,
        mean=preprocessing.mean,
        std=preprocessing.std,
    )
    scorer = CountedScorer(problem.subject.forward)
    rows: dict[str, list[Values]] = {}
    passes: dict[str, list[float]] = {}
    for number, mask in enumerate(problem.masks):
        progress(f"image {number + 1} of {len(problem.masks)}")
        shown = [METHODS.entries()[name].info.shown(explained[name][number].detach().numpy()) for name in EXPLAINED]
        given = _given(problem, number, [*shown, *planted_maps(mask, number)], scorer)
        for name, row, cost in _measured(given, scorer):
            rows.setdefault(name, []).append(row)
            passes.setdefault(name, []).append(cost)
        scorer.forget()
    values = {name: np.stack(columns) for name, columns in rows.items()}
    truth = {name: values.pop(name) for name in TRUTHS}
    return Scored(values, truth, {name: float(np.mean(passes[name])) for name in values}, fractions)


def _given(problem: Problem, number: int, maps: Sequence[np.ndarray], scorer: CountedScorer) -> MapsOfImage:
    image = problem.images[number]
    return MapsOfImage(
        maps=[np.asarray(values, dtype=np.float32) for values in maps],
        image=image,
        target=int(problem.targets[number]),
        logits=scorer,
        meaning=problem.subject.meaning,
        black=problem.subject.preprocessing.black(image[None]),
        mask=problem.masks[number],
        generator=lambda: noise_generator(image, 0),
        effort=Effort(USUAL, REGIONS),
        capacity=128,
        seed=0,
    )


def _measured(given: MapsOfImage, scorer: CountedScorer) -> list[tuple[str, Values, float]]:
    """Name, signed values [maps] and forward passes a map of each measure, those of curves with several step counts."""
    results = []
    for entry in metrics():
        curves = entry is METRICS.entries()[CURVES]
        for steps in STEPS if curves else (USUAL,):
            before = scorer.asked
            effort = Effort(steps, REGIONS, finest=steps)
            values = _values_of(given, entry, effort)
            cost = (scorer.asked - before) / len(given.maps)
            for info in entry.infos:
                if info.name in TRUTHS:
                    results.append((info.name, values[info.name], 0.0))
                elif _is_faithfulness(info):
                    label = f"{info.name}@{steps}" if curves else info.name
                    results.append((label, values[info.name], cost * _share(info.name) if curves else cost))
    return results


def _share(name: str) -> float:
    """Of the passes of all curves, those that one measure takes: two curves of each baseline for a relevance gain."""
    kind = next(measure.kind for measure in MEASURES if measure.name == name)
    return (2 if kind == GAIN else 1) / (2 * len(BASELINES))


def _values_of(given: MapsOfImage, entry: Metric, effort: Effort) -> Mapping[str, Values]:
    """[maps] by name, signed; nan where the image tells nothing, or a map has no value."""
    measured = measure(replace(given, effort=effort), digits=12, entries=[entry])
    return {
        info.name: np.array(
            [
                float("nan") if info.name in measured.blind else sign * scores.values.get(info.name, float("nan"))
                for scores in measured.maps
            ]
        )
        for info in entry.infos
        for sign in [1 if info.higher_is_better else -1]
    }
