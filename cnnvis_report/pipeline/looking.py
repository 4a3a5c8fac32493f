"""Which layers are looked at, and one pass over the set for what needs all of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cnnvis_report.inside.health import ChannelHealth
from cnnvis_report.inside.projections import Unit
from cnnvis_report.inside.top_images import TopImages
from cnnvis_report.pipeline.batches import Batch, batches
from cnnvis_report.pipeline.look_budget import LookBudget
from cnnvis_report.pipeline.study import Study
from cnnvis_report.records import LayerRecord, Skipped
from cnnvis_report.running import recording
from cnnvis_report.subject import Subject

LAYERS = 3
TOPS = 9
# Of what share of the images feature maps are kept, and what their sides are cut down to, until they are few enough.
LADDER = (
    *((1, 10_000), (1, 112), (1, 56), (0.75, 56), (0.5, 56), (0.5, 40)),
    *((0.25, 56), (0.5, 28), (0.25, 28), (0, 20), (0, 14)),
)


def stages(subject: Subject) -> list[LayerRecord]:
    """The layers whose feature maps are steps of their own, in the order in which they run."""
    return [layer for layer in subject.layers if layer.stage and layer.spatial]


def chosen_layers(subject: Subject) -> list[str]:
    """The last stage at each of the three smallest sizes, in order of running; at the smallest the default layer."""
    last = {layer.shape[1:]: layer.name for layer in stages(subject)}
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

    ids, names, classes: of the images in order; the class is the label's, or the first that the network sees.
    best: [classes], the highest score that an image has for each class. best_image: [classes], its place.
    units: the same of units that were asked for.
    """

    tops: TopImages
    health: dict[str, ChannelHealth]
    ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    classes: list[int] = field(default_factory=list)
    best: Tensor | None = None
    best_image: Tensor | None = None
    units: dict[Unit, tuple[float, int]] = field(default_factory=dict)

    def add_unit(self, unit: Unit, values: Tensor) -> None:
        """Keep the highest value that a unit that was asked for has in a batch [N, K, h, w], and whose it is."""
        channel = values[:, unit.channel]
        found = channel.mean((1, 2)) if unit.row is None else channel[:, unit.row, unit.column]
        value, place = found.max(dim=0)
        if unit not in self.units or float(value) > self.units[unit][0]:
            self.units[unit] = float(value), len(self.ids) + int(place)


def stream(study: Study, size: int, tell: Callable[[str], None]) -> Streamed:
    """Run the set once, `size` images at a time, and keep what the layers did."""
    watched = [layer.name for layer in stages(study.subject)]
    tops = list(dict.fromkeys([*chosen_layers(study.subject), *(unit.layer for unit in study.units)]))
    count = len(study.images)
    found = Streamed(TopImages(tops, TOPS), {name: ChannelHealth(count, study.seed) for name in watched})
    names = list(dict.fromkeys([*watched, *tops]))
    for batch in _ready(study, size):
        tell(f"inside: {batch.ready[0].item.name}")
        logits, peaks = _forward(study, batch, names, found.health, set(tops))
        firsts = logits.argmax(dim=1).tolist()
        labels = [each.item.label for each in batch.ready]
        known = [
            label.index if label and label.index is not None else first
            for label, first in zip(labels, firsts, strict=True)
        ]
        for name in tops:
            found.tops.add(name, peaks[name], known)
        for unit in study.units:
            found.add_unit(unit, peaks[unit.layer])
        _scores(found, logits)
        found.ids += [each.item.id for each in batch.ready]
        found.names += [each.item.name for each in batch.ready]
        found.classes += known
    return found


def _ready(study: Study, size: int) -> Iterator[Batch]:
    skipped: list[Skipped] = []  # told of already, when they were to be explained
    return batches(study.images, study.subject.preprocessing, size, skipped)


def _forward(
    study: Study, batch: Batch, names: Sequence[str], health: dict[str, ChannelHealth], kept: set[str]
) -> tuple[Tensor, dict[str, Tensor]]:
    """[N, classes] logits, and the values of some layers; the health of all is noted while they pass."""
    values: dict[str, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        if name in health:
            health[name].add(output)
        if name in kept:
            values[name] = output.clone()  # an operation in place may follow

    with recording(), torch.no_grad(), study.subject.watching(names, keep):
        logits = study.subject.forward(batch.images.to(study.device))
    return logits.float().cpu(), values


def _scores(found: Streamed, logits: Tensor) -> None:
    """Keep each class's highest score and whose it is."""
    best, place = logits.max(dim=0)
    place = place + len(found.ids)
    if found.best is None or found.best_image is None:
        found.best, found.best_image = best, place
        return
    higher = best > found.best
    found.best, found.best_image = torch.where(higher, best, found.best), torch.where(higher, place, found.best_image)


def _values(shape: tuple[int, ...], side: int) -> int:
    scale = min(1.0, side / max(shape[1:]))
    return int(shape[0] * max(1, round(shape[1] * scale)) * max(1, round(shape[2] * scale)))
