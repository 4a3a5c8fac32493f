"""Stage: what the layers hold, into the run folder."""

from collections.abc import Callable, Iterator, Sequence

import torch

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.limit import evenly
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.passes import BACKWARD, FORWARD
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import told
from cnnvis_report.inspection.filters import kernels
from cnnvis_report.pipeline.inspection.budget import InspectionPlan
from cnnvis_report.pipeline.inspection.image_inspector import ImageInspector
from cnnvis_report.pipeline.inspection.maximization import maximized
from cnnvis_report.pipeline.inspection.set_pass import SetPass, main_layers
from cnnvis_report.pipeline.inspection.top_images import top_images
from cnnvis_report.pipeline.inspection.unit_pictures import UnitPictures
from cnnvis_report.pipeline.inspection.view import Arrays, InspectionView
from cnnvis_report.pipeline.not_applicable import all_of
from cnnvis_report.pipeline.planning.forecast import Spent
from cnnvis_report.pipeline.planning.pass_time import PassTime
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor
from cnnvis_report.progress import Progress
from cnnvis_report.records.inspection import (
    ChannelStatsRecord,
    ImageInspection,
    InspectionRecord,
    KernelRecord,
    ReceptiveFieldRecord,
)
from cnnvis_report.store.files.names import NETWORK
from cnnvis_report.store.files.os_errors import refusal
from cnnvis_report.store.writer import RunWriter

EXAMPLES = 12  # channels of a kind that are named


def inspection(
    subject: Subject,
    images: ImageSet,
    plan: InspectionPlan,
    size: int,
    seed: int,
    *,
    named_classes: Sequence[int],
    set_pass: Callable[[], SetPass],
    monitor: PassMonitor,
    writer: RunWriter,
    progress: Progress,
) -> InspectionRecord:
    """Inspect the filters, the channels over the set, some images one by one, and feature visualizations.

    Args:
        images: those that the network has taken. size: images at a time. named_classes: that are explained.
        set_pass: makes the pass over all images.

    Raises:
        RuntimeError, MemoryError: out of memory.
    """
    pictures, arrays = UnitPictures(subject, size, plan.budget.side), Arrays()
    with subject.in_eval_mode(), torch.no_grad():  # arithmetic on maps is no part of the network
        reasons = [(f"{rule} projections", reason) for rule, reason in pictures.not_applicable.items()]
        filters = all_of("filters", lambda: _kernels(subject, arrays), reasons)
        seen = set_pass()
        reasons += [(f"inspection of {name}", reason) for name, reason in seen.failed]
        view = InspectionView(subject, images, plan, seed, pictures, seen, monitor, progress, arrays, reasons)
        of_images = tuple(_images(view, writer))
        record = InspectionRecord(
            budget=plan.budget.name,
            image_count=len(seen.ids),
            kernels=filters,
            receptive_fields=view.all("receptive fields", lambda: _receptive_fields(view)),
            channel_stats=view.all("channel statistics", lambda: _channel_stats(view)),
            top_images=view.all("top images", lambda: top_images(view)),
            maximized=view.all("feature visualizations", lambda: maximized(view, named_classes)),
            images=of_images,
            projection_rules=pictures.rules,
            not_applicable=tuple(dict.fromkeys(reasons)),
        )
    writer.add_inspection(NETWORK, arrays)
    return record


def inspection_seconds(spent: Spent, plan: InspectionPlan, subject: Subject, images: int, time: PassTime) -> float:
    """A forecast: passes of the same kinds as those of the maps, at the pace that these had."""
    named = len(plan.objectives) + len(plan.units)
    repeats = len(spent.predicted) < spent.images  # else other images of the set will be of other classes
    classes = named or (len(spent.predicted) if repeats else images)
    layers = len(main_layers(subject))
    forward, backward = plan.budget.passes(images, min(classes, len(subject.classes)), layers)
    pace = spent.passes.mean(FORWARD) or time.forward, spent.passes.mean(BACKWARD) or time.backward
    return forward * pace[0] + backward * pace[1]


def _images(view: InspectionView, writer: RunWriter) -> Iterator[ImageInspection]:
    """What the layers compute for each of some images; one on which the network fails is recorded."""
    inspector = ImageInspector(view, writer)
    for image in _some(view):
        view.progress.step(f"inspection: {image.item.name}")
        try:
            yield inspector.inspect(image)
        except Exception as error:  # the other images are worth a look without it
            if refusal(error) is not None:  # what couldn't be written can be made up for
                raise
            if is_out_of_memory(error):
                raise
            view.reasons.append((f"inspection of {image.item.name}", told(error)))


def _some(view: InspectionView) -> Iterator[DecodedImage]:
    """Images spread over those of the set that can be read."""
    readable = set(view.set_pass.ids)
    for item in evenly((item for item in view.images if item.id in readable), view.plan.budget.images):
        image = read_item(item, view.subject.preprocessing)
        if isinstance(image, DecodedImage):
            yield image


def _kernels(subject: Subject, arrays: Arrays) -> Iterator[KernelRecord]:
    for kernel in kernels(subject):
        arrays[f"kernels/{kernel.layer}"] = kernel.values.numpy()
        channels = tuple(kernel.channels.tolist())
        yield KernelRecord(kernel.layer, kernel.shape, kernel.stride, kernel.first, channels)


def _receptive_fields(view: InspectionView) -> Iterator[ReceptiveFieldRecord]:
    """What the layers see of a picture of the first image's size."""
    subject = view.subject
    image = torch.zeros(subject.preprocessing.channels, *subject.size, device=subject.device)
    for name, field in view.pictures.fields(image).items():
        yield ReceptiveFieldRecord(name, field.size)


def _channel_stats(view: InspectionView) -> Iterator[ChannelStatsRecord]:
    for name, channels in view.set_pass.channels.items() if view.set_pass.ids else ():
        stats = channels.found()
        rows = [stats.highest, stats.mean, stats.active, stats.duplicate_of]
        view.arrays[f"channel_stats/{name}"] = torch.stack([row.float() for row in rows]).numpy()
        kinds = [kind.nonzero().flatten().tolist() for kind in (stats.dead, stats.saturated, stats.duplicate_of >= 0)]
        dead, saturated, duplicates = map(len, kinds)
        active = round(float(stats.active.mean()), 5)
        examples = tuple(tuple(kind[:EXAMPLES]) for kind in kinds)
        yield ChannelStatsRecord(name, len(stats.highest), dead, saturated, duplicates, active, examples)
