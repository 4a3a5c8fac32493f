"""Inputs that classes, and units that were asked for, would like best."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.inspection.activation_maximization import MaximizedImage, maximize_activations
from cnnvis_report.inspection.objectives import Objective
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.inspection_budget import LookBudget
from cnnvis_report.pipeline.stages.layer_pass import Streamed, goal_of
from cnnvis_report.pipeline.stages.unit_crops import as_bytes
from cnnvis_report.progress import Progress
from cnnvis_report.records.inspection import MaximizedRecord

LOOKS = 64  # at the curve of an optimization, at most


@dataclass(frozen=True)
class Wanted:
    """A goal, what it is called, and the best value that an image of the set reaches, with that image's id."""

    goal: Objective
    title: str
    best: float | None
    best_image: str


def preferred(
    study: Study,
    budget: LookBudget,
    streamed: Streamed,
    arrays: dict[str, npt.NDArray[np.generic]],
    progress: Progress,
) -> Iterator[MaximizedRecord]:
    """Inputs made for goals that were named, units that were asked for, or the classes that the set is seen as first.

    Args:
        arrays: the pictures are added to it.
    """
    wanted = _wanted(study, budget, streamed)
    steps = len(wanted) * budget.steps
    made = _made(
        study, budget, wanted, lambda done: progress.step(f"inside: preferred inputs, {done} of {steps} steps")
    )
    for number, (each, found) in enumerate(zip(wanted, made, strict=True)):
        arrays[f"maximized/{number}"] = as_bytes(found.image)
        arrays[f"frames/{number}"] = np.stack([as_bytes(frame) for frame in found.film])
        yield MaximizedRecord(
            title=each.title,
            layer=each.goal.layer,
            channel=each.goal.channels[0],
            size=(found.image.shape[1], found.image.shape[2]),
            frames=len(found.film),
            activation=round(found.reached, 4),
            top_activation=None if each.best is None else round(each.best, 4),
            top_image=each.best_image,
            init="image" if study.preferences.start != "noise" and each.best_image else "noise",
            converged=each.best is None or found.reached > each.best,
            curve=tuple(round(value, 4) for value in found.curve[:: max(1, len(found.curve) // LOOKS)]),
        )


def _made(
    study: Study, budget: LookBudget, wanted: Sequence[Wanted], count: Callable[[int], None]
) -> list[MaximizedImage]:
    """All from noise at once, or each from the best image that there is."""
    form, size, goals = study.preferences.form, study.subject.size, [each.goal for each in wanted]
    if study.preferences.start == "noise":
        return maximize_activations(
            study.subject, goals, parametrization=form, steps=budget.steps, size=size, seed=study.seed, progress=count
        )
    items = {item.id: item for item in study.images}
    found: list[MaximizedImage] = []
    for each in wanted:
        ready = read_item(items[each.best_image], study.subject.preprocessing) if each.best_image else None
        start = ready.picture.values.to(study.device) if isinstance(ready, DecodedImage) else None
        found += maximize_activations(
            study.subject,
            [each.goal],
            parametrization=form,
            steps=budget.steps,
            size=size,
            start=start,
            seed=study.seed,
        )
    return found


def _wanted(study: Study, budget: LookBudget, streamed: Streamed) -> list[Wanted]:
    """The goals that were named, then units that were asked for, and the set's classes where nothing was named."""
    named = study.preferences.goals
    goals = [*named, *(goal_of(unit) for unit in study.units), *(() if named else _classes(study, budget, streamed))]
    found = []
    for goal in dict.fromkeys(goals):
        best, image = streamed.best_of(goal) or (None, "")
        found.append(Wanted(goal, _title(goal, study.subject.classes), best, image))
    return found


def _title(goal: Objective, classes: Sequence[str]) -> str:
    if not goal.layer:
        return " and ".join(classes[index] for index in goal.channels)
    names = " and ".join(map(str, goal.channels))
    place = f" at row {goal.position[0]}, column {goal.position[1]}" if goal.position else ""
    return f"channel{'s' if len(goal.channels) > 1 else ''} {names} of {goal.layer}{place}"


def _classes(study: Study, budget: LookBudget, streamed: Streamed) -> list[Objective]:
    """The classes of most images; without images those that were named for them, or the first."""
    counts = {index: streamed.classes.count(index) for index in streamed.classes}
    seen = sorted(counts, key=lambda index: (-counts[index], index))
    chosen = seen or study.choice.named or range(len(study.subject.classes))
    return [Objective("", (index,)) for index in chosen[: budget.preferred]]
