"""Feature visualization: images optimized to maximize classes, and units that were asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.inspection.activation_maximization import MaximizedImage, maximize_activations
from cnnvis_report.inspection.feature_maps import shrunk
from cnnvis_report.inspection.objectives import Objective
from cnnvis_report.pipeline.inspection.budget import objective_of
from cnnvis_report.pipeline.inspection.unit_pictures import as_bytes
from cnnvis_report.pipeline.inspection.view import InspectionView
from cnnvis_report.records.inspection import FRAME_SIDE, MaximizedRecord

CURVE = 64  # values of an optimization, at most


@dataclass(frozen=True)
class Candidate:
    """An objective, what it is called, and the highest value that an image has for it, with that image's id."""

    objective: Objective
    title: str
    best: float | None
    best_image: str


def maximized(view: InspectionView, named_classes: Sequence[int]) -> Iterator[MaximizedRecord]:
    """Images optimized for objectives that were named, units that were asked for, or the classes predicted most often.

    Args:
        named_classes: that are explained, which are taken where there is no image.
    """
    plan, arrays = view.plan, view.arrays
    candidates = _candidates(view, named_classes)
    total = len(candidates) * plan.budget.steps

    def count(done: int) -> None:
        view.progress.step(f"feature visualization, {done} of {total} steps")

    shown = view.subject.preprocessing.shown
    results = _optimized(view, candidates, count)
    for number, (candidate, result) in enumerate(zip(candidates, results, strict=True)):
        arrays[f"maximized/{number}"] = as_bytes(shown(result.image))
        arrays[f"frames/{number}"] = np.stack([as_bytes(shrunk(shown(frame), FRAME_SIDE)) for frame in result.frames])
        yield MaximizedRecord(
            title=candidate.title,
            layer=candidate.objective.layer,
            channel=candidate.objective.channels[0],
            size=(result.image.shape[1], result.image.shape[2]),
            frames=len(result.frames),
            activation=round(result.reached, 4),
            top_activation=None if candidate.best is None else round(candidate.best, 4),
            top_image=candidate.best_image,
            converged=candidate.best is None or result.reached > candidate.best,
            init="image" if plan.init == "image" and candidate.best_image else "noise",
            curve=tuple(round(value, 4) for value in result.curve[:: max(1, len(result.curve) // CURVE)]),
        )


def _optimized(
    view: InspectionView, candidates: Sequence[Candidate], count: Callable[[int], None]
) -> list[MaximizedImage]:
    """All from noise at once, or each from the strongest image of the set."""
    subject, plan, seed = view.subject, view.plan, view.seed
    form, size, steps = plan.parametrization, subject.size, plan.budget.steps
    if plan.init == "noise":
        objectives = [candidate.objective for candidate in candidates]
        return maximize_activations(
            subject, objectives, parametrization=form, steps=steps, size=size, seed=seed, progress=count
        )
    items = {item.id: item for item in view.images}
    results: list[MaximizedImage] = []
    for candidate in candidates:
        image = read_item(items[candidate.best_image], subject.preprocessing) if candidate.best_image else None
        start = image.picture.values.to(subject.device) if isinstance(image, DecodedImage) else None
        results += maximize_activations(
            subject, [candidate.objective], parametrization=form, steps=steps, size=size, start=start, seed=seed
        )
    return results


def _candidates(view: InspectionView, named_classes: Sequence[int]) -> list[Candidate]:
    """The objectives that were named, then units that were asked for; the set's classes where none was named."""
    plan = view.plan
    classes = [] if plan.objectives else _classes(view, named_classes)
    candidates = []
    for objective in dict.fromkeys([*plan.objectives, *map(objective_of, plan.units), *classes]):
        best, image = view.set_pass.best_of(objective) or (None, "")
        candidates.append(Candidate(objective, _title(objective, view.subject.classes), best, image))
    return candidates


def _title(objective: Objective, classes: Sequence[str]) -> str:
    if not objective.layer:
        return " and ".join(classes[index] for index in objective.channels)
    names = " and ".join(map(str, objective.channels))
    position = f" at row {objective.position[0]}, column {objective.position[1]}" if objective.position else ""
    return f"channel{'s' if len(objective.channels) > 1 else ''} {names} of {objective.layer}{position}"


def _classes(view: InspectionView, named_classes: Sequence[int]) -> list[Objective]:
    """The classes of most images; without images those that were named, or the first."""
    predicted = view.set_pass.classes
    counts = {index: predicted.count(index) for index in predicted}
    frequent = sorted(counts, key=lambda index: (-counts[index], index))
    chosen = frequent or named_classes or range(len(view.subject.classes))
    return [Objective("", (index,)) for index in chosen[: view.plan.budget.maximized]]
