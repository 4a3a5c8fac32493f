"""Which layers are inspected, and one pass over the set for what needs all of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cnnvis_report.data.batches import Batch, batches
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.inspection.channel_stats import ChannelStatsCollector
from cnnvis_report.inspection.objectives import Objective
from cnnvis_report.inspection.top_images import TopImages
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.pipeline.explaining.rejected_images import check_finite, in_one_line
from cnnvis_report.pipeline.inspection.budget import (
    LAYERS,
    TOP_IMAGES,
    InspectionBudget,
    InspectionPlan,
    objective_of,
)
from cnnvis_report.pipeline.not_applicable import Reasons
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor
from cnnvis_report.progress import Progress
from cnnvis_report.records.network import LayerRecord, blocks
from cnnvis_report.records.run import Skipped

# Of what fraction of the images feature maps are kept, and what their sides are cut down to, until they are few enough.
LADDER = (
    *((1, 10_000), (1, 112), (1, 56), (0.75, 56), (0.5, 56), (0.5, 40)),
    *((0.25, 56), (0.5, 28), (0.25, 28), (0, 20), (0, 14)),
)


def feature_layers(subject: Subject) -> list[LayerRecord]:
    """The layers whose feature maps are steps of their own, in the order in which they run."""
    return [layer for layer in subject.layers if layer.kind and layer.spatial]


def shown_layers(subject: Subject, budget: InspectionBudget) -> list[LayerRecord]:
    """The layers that are shown of an image: blocks, and where the budget says so every operation."""
    names = set(blocks(subject.layers))
    if budget.operations:
        names |= {layer.name for layer in feature_layers(subject)}
    return [layer for layer in subject.layers if layer.name in names and layer.spatial]


def main_layers(subject: Subject) -> list[str]:
    """The last layer at each of the three smallest sizes, in order of running, the default layer at its own size.

    A module that holds others ends after them, so this is a whole block or group of blocks where there is one.
    """
    last = {layer.shape[1:]: layer.name for layer in subject.layers if layer.spatial}
    if subject.default_layer:
        last[subject.layer().shape[1:]] = subject.layer().name
    order = [layer.name for layer in subject.layers]
    sizes = sorted(last, key=lambda size: size[0] * size[1])[:LAYERS]
    return sorted((last[size] for size in sizes), key=order.index)


def kept_maps(shapes: Sequence[tuple[int, ...]], images: int, budget: InspectionBudget) -> tuple[int, int]:
    """Of how many images feature maps are kept, and the longest side, so that they stay within the budget."""
    for fraction, side in LADDER:
        count = max(1, int(images * fraction))
        if count * sum(_values(shape, side) for shape in shapes) <= budget.values:
            break
    return count, side


@dataclass
class SetPass:
    """What one pass over the set has brought.

    ids, classes: of the images in order; the class is the label's, or the predicted one.
    failed: the images that the network fails on, or gives no finite scores for, by name, with the reason.
    objectives: the highest value that an image has for each objective or unit, and the image's number.
    best, best_image: [classes], the same of all classes.
    """

    tops: TopImages
    channels: dict[str, ChannelStatsCollector]
    ids: list[str] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    failed: Reasons = field(default_factory=list)
    objectives: dict[Objective, tuple[float, int]] = field(default_factory=dict)
    best: Tensor | None = None
    best_image: Tensor | None = None

    def best_of(self, objective: Objective) -> tuple[float, str] | None:
        """The highest value that an image has for an objective, and that image's id; None where there is no image."""
        if self.best is None or self.best_image is None:
            return None
        if not objective.layer and len(objective.channels) == 1:
            return float(self.best[objective.channels]), self.ids[int(self.best_image[objective.channels])]
        value, number = self.objectives[objective]
        return value, self.ids[number]

    def merge(self, later: "SetPass") -> None:
        """Take in what a pass over the images that follow has brought."""
        if later.best is not None and later.best_image is not None:
            self._take_scores(later.best, later.best_image + len(self.ids))
        for objective, (value, number) in later.objectives.items():
            self._take_objective(objective, value, number + len(self.ids))
        self.tops.merge(later.tops)
        for name, collector in later.channels.items():
            self.channels[name].merge(collector)
        self.ids += later.ids
        self.classes += later.classes
        self.failed += later.failed

    def add_scores(self, logits: Tensor) -> None:
        """Keep each class's highest score [N, classes] and whose it is."""
        best, number = logits.max(dim=0)
        self._take_scores(best, number + len(self.ids))

    def _take_scores(self, best: Tensor, number: Tensor) -> None:
        if self.best is None or self.best_image is None:
            self.best, self.best_image = best, number
            return
        higher = best > self.best
        self.best, self.best_image = torch.where(higher, best, self.best), torch.where(higher, number, self.best_image)

    def add_objective(self, objective: Objective, values: Tensor) -> None:
        """Keep the highest value that an objective has in a batch [N, …] of its layer's values, and whose it is."""
        channels = values[:, list(objective.channels)].float()
        means = (
            channels.flatten(1).mean(1) if objective.position is None else channels[:, :, *objective.position].mean(1)
        )
        value, number = means.max(dim=0)
        self._take_objective(objective, float(value), len(self.ids) + int(number))

    def _take_objective(self, objective: Objective, value: float, number: int) -> None:
        if objective not in self.objectives or value > self.objectives[objective][0]:
            self.objectives[objective] = value, number


def pass_over_set(
    subject: Subject,
    images: ImageSet,
    plan: InspectionPlan,
    size: int,
    seed: int,
    monitor: PassMonitor,
    progress: Progress,
    *,
    expected: int | None = None,
) -> SetPass:
    """Run the set once, `size` images at a time, and keep what the layers did; images that fail are left out.

    Args:
        expected: how many images there are in all, where these are some of them.
    """
    shown = [layer.name for layer in feature_layers(subject)]
    objectives = [*plan.objectives, *map(objective_of, plan.units)]
    tops = list(dict.fromkeys([*main_layers(subject), *(unit.layer for unit in plan.units)]))
    count = len(images) if expected is None else expected
    result = SetPass(TopImages(tops, TOP_IMAGES), {name: ChannelStatsCollector(count, seed) for name in shown})
    returned = {*tops, *(objective.layer for objective in objectives if objective.layer)}
    names = list(dict.fromkeys([*shown, *returned]))
    skipped: list[Skipped] = []  # named already, when they were to be explained
    for batch in batches(images, subject.preprocessing, size, skipped):
        progress.step(f"inspection: {batch.ready[0].item.name}")
        for part, logits, values in _passes(subject, batch, names, result, returned):
            ids = [image.item.id for image in part.ready]
            monitor.check_again(ids, logits)
            classes = _classes(part, logits)
            for name in tops:
                result.tops.add(name, values[name], classes)
            for objective in objectives:
                result.add_objective(objective, values[objective.layer] if objective.layer else logits)
            result.add_scores(logits)
            result.ids += ids
            result.classes += classes
    return result


def _passes(
    subject: Subject, batch: Batch, names: Sequence[str], result: SetPass, returned: set[str]
) -> Iterator[tuple[Batch, Tensor, dict[str, Tensor]]]:
    """The pass over a batch, or over its parts: one with an image that fails is halved until that image is alone."""
    forget = [channels.checkpoint() for channels in result.channels.values()]
    try:
        logits, values = _forward(subject, batch, names, result.channels, returned)
    except BadRequest as error:
        for forget_batch in forget:  # layers before the one that failed have taken it in
            forget_batch()
        reason = str(error).rstrip(".")
    else:
        yield batch, logits, values
        return
    if len(batch.ready) == 1:
        result.failed.append((batch.ready[0].item.name, reason))
        return
    for half in batch.halves:
        yield from _passes(subject, half, names, result, returned)


def _classes(batch: Batch, logits: Tensor) -> list[int]:
    """Each image's label where the network knows it, else the predicted class."""
    predicted = logits.argmax(dim=1).tolist()
    labels = [image.item.label for image in batch.ready]
    return [
        label.index if label and label.index is not None else first
        for label, first in zip(labels, predicted, strict=True)
    ]


def _forward(
    subject: Subject, batch: Batch, names: Sequence[str], channels: dict[str, ChannelStatsCollector], returned: set[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """[N, classes] logits, and the values of some layers; statistics of all channels are taken while they pass.

    Raises:
        BadRequest: the network fails on an image, or gives scores that aren't finite.
    """
    values: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        if name in channels:
            channels[name].add(output)
        if name in returned:
            values[name] = output.clone()  # an operation in place may follow

    images = batch.images.to(subject.device)
    with grad_mode(), torch.no_grad(), subject.watching(names, keep), in_one_line(subject, images):
        logits = subject.forward(images)
    check_finite(subject, logits)
    return logits.float().cpu(), values


def _values(shape: tuple[int, ...], side: int) -> int:
    scale = min(1.0, side / max(shape[1:]))
    return int(shape[0] * max(1, round(shape[1] * scale)) * max(1, round(shape[2] * scale)))
