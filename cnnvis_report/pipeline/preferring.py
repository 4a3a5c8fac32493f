"""Inputs that classes, and units that were asked for, would like best."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnnvis_report.inside.goals import Goal
from cnnvis_report.inside.preferred_inputs import preferred_inputs
from cnnvis_report.pipeline.look_budget import LookBudget
from cnnvis_report.pipeline.looking import Streamed
from cnnvis_report.pipeline.study import Study
from cnnvis_report.pipeline.unit_pictures import as_bytes
from cnnvis_report.records_inside import PreferredRecord

LOOKS = 64  # at the curve of an optimisation, at most


@dataclass(frozen=True)
class Wanted:
    """A goal, what it is called, and the best value that an image of the set reaches, with that image's id."""

    goal: Goal
    title: str
    best: float | None
    best_image: str


def preferred(
    study: Study,
    budget: LookBudget,
    streamed: Streamed,
    arrays: dict[str, npt.NDArray[np.generic]],
    tell: Callable[[str], None],
) -> Iterator[PreferredRecord]:
    """Inputs made from noise for units that were asked for and for the classes that the set is seen as first.

    Args:
        arrays: the pictures are added to it.
    """
    wanted = [*_units(study, streamed), *_classes(study, budget, streamed)]
    tell(f"inside: preferred inputs of {len(wanted)} units")
    goals = [each.goal for each in wanted]
    made = preferred_inputs(study.subject, goals, steps=budget.steps, size=study.subject.size, seed=study.seed)
    for number, (each, found) in enumerate(zip(wanted, made, strict=True)):
        arrays[f"preferred/{number}"] = as_bytes(found.image)
        arrays[f"film/{number}"] = np.stack([as_bytes(frame) for frame in found.film])
        yield PreferredRecord(
            title=each.title,
            layer=each.goal.layer,
            channel=each.goal.channels[0],
            reached=round(found.reached, 4),
            best=None if each.best is None else round(each.best, 4),
            best_image=each.best_image,
            curve=tuple(round(value, 4) for value in found.curve[:: max(1, len(found.curve) // LOOKS)]),
        )


def _units(study: Study, streamed: Streamed) -> Iterator[Wanted]:
    for unit in study.units:
        place = None if unit.row is None or unit.column is None else (unit.row, unit.column)
        best, image = streamed.units.get(unit, (None, 0))
        title = f"channel {unit.channel} of {unit.layer}" + (f" at row {place[0]}, column {place[1]}" if place else "")
        yield Wanted(Goal(unit.layer, (unit.channel,), place), title, best, streamed.ids[image] if streamed.ids else "")


def _classes(study: Study, budget: LookBudget, streamed: Streamed) -> Iterator[Wanted]:
    """The classes of most images; without images those that were named, or the first."""
    counts = {index: streamed.classes.count(index) for index in streamed.classes}
    seen = sorted(counts, key=lambda index: (-counts[index], index))
    for index in (seen or study.choice.named or range(len(study.subject.classes)))[: budget.preferred]:
        title, goal = study.subject.classes[index], Goal("", (index,))
        if streamed.best is None or streamed.best_image is None:
            yield Wanted(goal, title, None, "")
        else:
            image = streamed.ids[int(streamed.best_image[index])]
            yield Wanted(goal, title, float(streamed.best[index]), image)
