"""Everything that is shown from within the network, into the run folder."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.image_set import ImageItem
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.errors import NotApplicable, told
from cnnvis_report.inspection.filters import kernels
from cnnvis_report.inspection.projections import Unit
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.image_layers import ImagesInside
from cnnvis_report.pipeline.stages.inspection_budget import LookBudget
from cnnvis_report.pipeline.stages.layer_pass import Streamed, chosen_layers, stream
from cnnvis_report.pipeline.stages.maximization import preferred
from cnnvis_report.pipeline.stages.unit_crops import UnitPictures
from cnnvis_report.pipeline.stages.view_gaps import all_of
from cnnvis_report.progress import Progress
from cnnvis_report.records.inspection import (
    ChannelStatsRecord,
    ImageInspection,
    InspectionRecord,
    KernelRecord,
    ReceptiveFieldRecord,
    TopImagesRecord,
)
from cnnvis_report.store.names import NETWORK
from cnnvis_report.store.os_errors import refusal
from cnnvis_report.store.writer import RunWriter

NAMED = 12  # channels of a kind
Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass
class Found:
    """What is gathered on the way: arrays of the network itself, and what isn't there."""

    arrays: Arrays = field(default_factory=dict)
    gaps: list[tuple[str, str]] = field(default_factory=list)


def look_inside(study: Study, budget: LookBudget, size: int, writer: RunWriter, progress: Progress) -> InspectionRecord:
    """Look at the filters, at what the set does to the channels, at some images, and at preferred inputs.

    Args:
        size: images at a time.

    Raises:
        RuntimeError, MemoryError: out of memory.
    """
    found = Found()
    study = replace(study, images=replace(study.images, items=tuple(_explained(study, writer))))
    pictures = UnitPictures(study, size)
    with study.subject.in_eval_mode(), torch.no_grad():  # arithmetic on maps is no part of the network
        gaps = found.gaps
        gaps += [(f"{way} projections", reason) for way, reason in pictures.refused.items()]
        filters = all_of("filters", lambda: _filters(study, found), gaps)
        streamed = stream(study, size, progress)
        looked = ImagesInside(study, budget, writer, pictures, gaps)
        images = tuple(_looked(looked, _some(study, budget, streamed), found, progress))
        fields = all_of("receptive fields", lambda: _fields(study, pictures), gaps)
        health = all_of("channel health", lambda: _health(streamed, found), gaps)
        tops = all_of("top images", lambda: _tops(study, budget, streamed, pictures, found, progress), gaps)
        wanted = all_of("preferred inputs", lambda: preferred(study, budget, streamed, found.arrays, progress), gaps)
        record = InspectionRecord(
            budget=budget.name,
            image_count=len(streamed.ids),
            kernels=filters,
            receptive_fields=fields,
            channel_stats=health,
            top_images=tops,
            maximized=wanted,
            images=images,
            projection_rules=pictures.ways,
            not_applicable=tuple(dict.fromkeys(gaps)),
        )
    writer.add_inspection(NETWORK, found.arrays)
    return record


def _explained(study: Study, writer: RunWriter) -> Iterator[ImageItem]:
    """The images that the network has taken."""
    return (item for item in study.images if item.id in writer.done)


def _some(study: Study, budget: LookBudget, streamed: Streamed) -> Iterator[DecodedImage]:
    """Images spread over those of the set that can be read."""
    readable = set(streamed.ids)
    items = [item for item in study.images if item.id in readable]
    most = min(budget.images, len(items))
    for place in range(most):
        ready = read_item(items[place * len(items) // most], study.subject.preprocessing)
        if isinstance(ready, DecodedImage):
            yield ready


def _looked(
    looked: ImagesInside, images: Iterator[DecodedImage], found: Found, progress: Progress
) -> Iterator[ImageInspection]:
    """What there is within the network of each image; one on which the network fails is a gap."""
    for ready in images:
        try:
            yield looked.of(ready, progress)
        except Exception as error:  # the other images are worth a look without it
            if refusal(error) is not None:  # what couldn't be written can be made up for
                raise
            if is_out_of_memory(error):
                raise
            found.gaps.append((ready.item.name, told(error)))


def _filters(study: Study, found: Found) -> Iterator[KernelRecord]:
    for each in kernels(study.subject):
        found.arrays[f"kernels/{each.layer}"] = each.values.numpy()
        channels = tuple(each.channels.tolist())
        yield KernelRecord(each.layer, each.shape, each.stride, each.first, channels)


def _health(streamed: Streamed, found: Found) -> Iterator[ChannelStatsRecord]:
    for name, channels in streamed.health.items() if streamed.ids else ():
        health = channels.found()
        rows = [health.highest, health.mean, health.active, health.duplicate_of]
        found.arrays[f"channel_stats/{name}"] = torch.stack([row.float() for row in rows]).numpy()
        kinds = [
            each.nonzero().flatten().tolist() for each in (health.dead, health.saturated, health.duplicate_of >= 0)
        ]
        dead, saturated, twins = map(len, kinds)
        active = round(float(health.active.mean()), 5)
        which = tuple(tuple(kind[:NAMED]) for kind in kinds)
        yield ChannelStatsRecord(name, len(health.highest), dead, saturated, twins, active, which)


def _fields(study: Study, pictures: UnitPictures) -> Iterator[ReceptiveFieldRecord]:
    """What the layers see of a picture of the first image's size."""
    image = torch.zeros(study.subject.preprocessing.channels, *study.subject.size, device=study.device)
    for name, seen in pictures.fields(image).items():
        yield ReceptiveFieldRecord(name, seen.size)


def _tops(
    study: Study, budget: LookBudget, streamed: Streamed, pictures: UnitPictures, found: Found, progress: Progress
) -> Iterator[TopImagesRecord]:
    """The channels that are excited most, each with the images that do it."""
    if len(streamed.ids) < 2:
        one = "the set has one image, and each channel's strongest would be that one"
        found.gaps.append(("top images", one if streamed.ids else "no images were given"))
        return
    ready = _Readable(study)
    for layer in streamed.tops.layers:
        progress.step(f"inside: what excites {layer}")
        top = streamed.tops.top(layer)
        asked = {unit.channel for unit in study.units if unit.layer == layer}
        most = budget.channels if layer in chosen_layers(study.subject) else 0
        channels = sorted({*top.values[:, 0].topk(min(most, len(top.values))).indices.tolist(), *asked})
        excitement = streamed.tops.excitement(layer)
        for channel in channels:
            count = int((top.values[channel] > 0).sum())
            if not count:
                continue
            shown = [ready.at(streamed.ids[place]) for place in top.images[channel, :count].tolist()]
            places = zip(top.rows[channel, :count].tolist(), top.columns[channel, :count].tolist(), strict=True)
            wanted = [Unit(layer, channel, *place) for place in places]
            try:
                units, drawn = pictures.of(shown, wanted, pictures.ways[:1])
            except (RuntimeError, ValueError) as error:  # the network fails on the way back from one of them
                if is_out_of_memory(error):
                    raise
                found.gaps.append((f"top images of {layer}, channel {channel}", told(error)))
                continue
            found.arrays |= {f"top_images/{layer}/{channel}/{name}": value for name, value in drawn.items()}
            classes = sorted(((float(values[channel]), index) for index, values in excitement.items()), reverse=True)
            named = tuple((study.subject.classes[index], round(value, 5)) for value, index in classes[:5])
            yield TopImagesRecord(layer, channel, units, named)


class _Readable:
    """Images of the set by their ids, the last ones kept: channels share them."""

    def __init__(self, study: Study, kept: int = 64) -> None:
        self._items = {item.id: item for item in study.images}
        self._study, self._kept = study, kept
        self._ready: dict[str, DecodedImage] = {}

    def at(self, id: str) -> DecodedImage:
        """The image, which could be read when the set streamed by.

        Raises:
            NotApplicable: it can't be any more.
        """
        if id not in self._ready:
            found = read_item(self._items[id], self._study.subject.preprocessing)
            if not isinstance(found, DecodedImage):
                raise NotApplicable(f"{found.name} can't be read any more: {found.reason}")
            if len(self._ready) >= self._kept:
                del self._ready[next(iter(self._ready))]
            self._ready[id] = found
        return self._ready[id]
