"""Which layers are looked at, and one pass over the set for what needs all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cnnvis_report.data.batches import Batch, batches
from cnnvis_report.engine.subject import Subject
from cnnvis_report.inspection.channel_stats import ChannelStatsCollector
from cnnvis_report.inspection.objectives import Objective
from cnnvis_report.inspection.projections import Unit
from cnnvis_report.inspection.top_images import TopImages
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.inspection_budget import LAYERS, TOPS, LookBudget
from cnnvis_report.progress import Progress
from cnnvis_report.records.network import LayerRecord
from cnnvis_report.records.run import Skipped

# Of what share of the images feature maps are kept, and what their sides are cut down to, until they are few enough.
LADDER = (
    *((1, 10_000), (1, 112), (1, 56), (0.75, 56), (0.5, 56), (0.5, 40)),
    *((0.25, 56), (0.5, 28), (0.25, 28), (0, 20), (0, 14)),
)


def stages(subject: Subject) -> list[LayerRecord]:
    """The layers whose feature maps are steps of their own, in the order in which they run."""
    return [layer for layer in subject.layers if layer.kind and layer.spatial]


def chosen_layers(subject: Subject) -> list[str]:
    """The last layer at each of the three smallest sizes, in order of running, the default layer at its own size.

    A module that holds others ends after them, so this is a whole block or group of blocks where there is one.
    """
    last = {layer.shape[1:]: layer.name for layer in subject.layers if layer.spatial}
    if subject.default_layer:
        last[subject.layer().shape[1:]] = subject.layer().name
    order = [layer.name for layer in subject.layers]
    sizes = sorted(last, key=lambda size: size[0] * size[1])[:LAYERS]
    return sorted((last[size] for size in sizes), key=order.index)


def kept(shapes: Sequence[tuple[int, ...]], images: int, budget: LookBudget) -> tuple[int, int]:
    """Of how many images feature maps are kept, and the longest side, so that they stay within the budget."""
    for share, side in LADDER:
        count = max(1, int(images * share))
        if count * sum(_values(shape, side) for shape in shapes) <= budget.values:
            break
    return count, side


@dataclass
class Streamed:
    """What one pass over the set has brought.

    ids, classes: of the images in order; the class is the label's, or the first that the network sees.
    goals: the highest value that an image has for each named goal or unit, and the image's place.
    best, best_image: [classes], the same of all classes.
    """

    tops: TopImages
    health: dict[str, ChannelStatsCollector]
    ids: list[str] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    goals: dict[Objective, tuple[float, int]] = field(default_factory=dict)
    best: Tensor | None = None
    best_image: Tensor | None = None

    def best_of(self, goal: Objective) -> tuple[float, str] | None:
        """The highest value that an image has for a goal, and that image's id; None where there is no image."""
        if self.best is None or self.best_image is None:
            return None
        if not goal.layer and len(goal.channels) == 1:
            return float(self.best[goal.channels]), self.ids[int(self.best_image[goal.channels])]
        value, place = self.goals[goal]
        return value, self.ids[place]

    def add_scores(self, logits: Tensor) -> None:
        """Keep each class's highest score [N, classes] and whose it is."""
        best, place = logits.max(dim=0)
        place = place + len(self.ids)
        if self.best is None or self.best_image is None:
            self.best, self.best_image = best, place
            return
        higher = best > self.best
        self.best, self.best_image = torch.where(higher, best, self.best), torch.where(higher, place, self.best_image)

    def add_goal(self, goal: Objective, values: Tensor) -> None:
        """Keep the highest value that a goal has in a batch [N, …] of its layer's values, and whose it is."""
        channels = values[:, list(goal.channels)].float()
        found = channels.flatten(1).mean(1) if goal.position is None else channels[:, :, *goal.position].mean(1)
        value, place = found.max(dim=0)
        if goal not in self.goals or float(value) > self.goals[goal][0]:
            self.goals[goal] = float(value), len(self.ids) + int(place)


def stream(study: Study, size: int, progress: Progress) -> Streamed:
    """Run the set once, `size` images at a time, and keep what the layers did."""
    watched = [layer.name for layer in stages(study.subject)]
    goals = [*study.preferences.goals, *map(goal_of, study.units)]
    tops = list(dict.fromkeys([*chosen_layers(study.subject), *(unit.layer for unit in study.units)]))
    count = len(study.images)
    found = Streamed(TopImages(tops, TOPS), {name: ChannelStatsCollector(count, study.seed) for name in watched})
    kept_values = {*tops, *(goal.layer for goal in goals if goal.layer)}
    names = list(dict.fromkeys([*watched, *kept_values]))
    for batch in _ready(study, size):
        progress.step(f"inside: {batch.ready[0].item.name}")
        logits, peaks = _forward(study, batch, names, found.health, kept_values)
        if study.witness is not None:
            study.witness.saw_again([each.item.id for each in batch.ready], logits)
        firsts = logits.argmax(dim=1).tolist()
        labels = [each.item.label for each in batch.ready]
        known = [
            label.index if label and label.index is not None else first
            for label, first in zip(labels, firsts, strict=True)
        ]
        for name in tops:
            found.tops.add(name, peaks[name], known)
        for goal in goals:
            found.add_goal(goal, peaks[goal.layer] if goal.layer else logits)
        found.add_scores(logits)
        found.ids += [each.item.id for each in batch.ready]
        found.classes += known
    return found


def _ready(study: Study, size: int) -> Iterator[Batch]:
    skipped: list[Skipped] = []  # told of already, when they were to be explained
    return batches(study.images, study.subject.preprocessing, size, skipped)


def _forward(
    study: Study, batch: Batch, names: Sequence[str], health: dict[str, ChannelStatsCollector], kept: set[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """[N, classes] logits, and the values of some layers; the health of all is noted while they pass."""
    values: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        if name in health:
            health[name].add(output)
        if name in kept:
            values[name] = output.clone()  # an operation in place may follow

    with grad_mode(), torch.no_grad(), study.subject.watching(names, keep):
        logits = study.subject.forward(batch.images.to(study.device))
    return logits.float().cpu(), values


def goal_of(unit: Unit) -> Objective:
    """What a preferred input of a unit is to raise."""
    place = None if unit.row is None or unit.column is None else (unit.row, unit.column)
    return Objective(unit.layer, (unit.channel,), place)


def _values(shape: tuple[int, ...], side: int) -> int:
    scale = min(1.0, side / max(shape[1:]))
    return int(shape[0] * max(1, round(shape[1] * scale)) * max(1, round(shape[2] * scale)))
