"""Stage: what the layers hold, into the run folder."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt
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
from cnnvis_report.pipeline.not_applicable import Reasons, all_of
from cnnvis_report.pipeline.planning.forecast import Spent
from cnnvis_report.pipeline.planning.pass_time import PassTime
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor
from cnnvis_report.progress import Progress
from cnnvis_report.records.inspection import (
    ChannelStatsRecord,
    ImageInspection,
    InspectionRecord,
    KernelRecord,
    MaximizedRecord,
    ReceptiveFieldRecord,
    TopImagesRecord,
)
from cnnvis_report.store.files.names import NETWORK
from cnnvis_report.store.files.os_errors import refusal
from cnnvis_report.store.writer import RunWriter

EXAMPLES = 12  # channels of a kind that are named
Arrays = dict[str, npt.NDArray[np.generic]]
T = TypeVar("T")


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
    with subject.in_eval_mode(), torch.no_grad():  # arithmetic on maps is no part of the network
        inspected = _Inspection(subject, images, plan, size, seed, set_pass, monitor, writer, progress)
        record = inspected.record(named_classes)
    writer.add_inspection(NETWORK, inspected.arrays)
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


class _Inspection:
    """One inspection, view by view; arrays of the network itself and reasons for missing views are gathered."""

    def __init__(
        self,
        subject: Subject,
        images: ImageSet,
        plan: InspectionPlan,
        size: int,
        seed: int,
        set_pass: Callable[[], SetPass],
        monitor: PassMonitor,
        writer: RunWriter,
        progress: Progress,
    ) -> None:
        self.subject, self.images, self.plan, self.seed, self.progress = subject, images, plan, seed, progress
        self.arrays: Arrays = {}
        self.pictures = UnitPictures(subject, size, plan.budget.side)
        rules = self.pictures.not_applicable
        self.reasons: Reasons = [(f"{rule} projections", reason) for rule, reason in rules.items()]
        self.kernels = self.all("filters", self._kernels)
        self.set_pass = set_pass()
        self.reasons += [(f"inspection of {name}", reason) for name, reason in self.set_pass.failed]
        self.inspector = ImageInspector(
            subject,
            plan,
            len(images),
            seed,
            pictures=self.pictures,
            monitor=monitor,
            writer=writer,
            reasons=self.reasons,
        )

    def record(self, named_classes: Sequence[int]) -> InspectionRecord:
        """Every view, those of the images first."""
        images = tuple(self._images())
        fields = self.all("receptive fields", self._receptive_fields)
        statistics = self.all("channel statistics", self._channel_stats)
        tops = self.all("top images", self._top_images)
        visualizations = self.all("feature visualizations", lambda: self._maximized(named_classes))
        return InspectionRecord(
            budget=self.plan.budget.name,
            image_count=len(self.set_pass.ids),
            kernels=self.kernels,
            receptive_fields=fields,
            channel_stats=statistics,
            top_images=tops,
            maximized=visualizations,
            images=images,
            projection_rules=self.pictures.rules,
            not_applicable=tuple(dict.fromkeys(self.reasons)),
        )

    def all(self, what: str, make: Callable[[], Iterable[T]]) -> tuple[T, ...]:
        """All views of a kind, or as many as could be made, with the reason."""
        return all_of(what, make, self.reasons)

    def _images(self) -> Iterator[ImageInspection]:
        """What the layers compute for each of some images; one on which the network fails is recorded."""
        for image in self._some():
            self.progress.step(f"inspection: {image.item.name}")
            try:
                yield self.inspector.inspect(image)
            except Exception as error:  # the other images are worth a look without it
                if refusal(error) is not None:  # what couldn't be written can be made up for
                    raise
                if is_out_of_memory(error):
                    raise
                self.reasons.append((f"inspection of {image.item.name}", told(error)))

    def _some(self) -> Iterator[DecodedImage]:
        """Images spread over those of the set that can be read."""
        readable = set(self.set_pass.ids)
        for item in evenly((item for item in self.images if item.id in readable), self.plan.budget.images):
            image = read_item(item, self.subject.preprocessing)
            if isinstance(image, DecodedImage):
                yield image

    def _kernels(self) -> Iterator[KernelRecord]:
        for kernel in kernels(self.subject):
            self.arrays[f"kernels/{kernel.layer}"] = kernel.values.numpy()
            channels = tuple(kernel.channels.tolist())
            yield KernelRecord(kernel.layer, kernel.shape, kernel.stride, kernel.first, channels)

    def _receptive_fields(self) -> Iterator[ReceptiveFieldRecord]:
        """What the layers see of a picture of the first image's size."""
        subject = self.subject
        image = torch.zeros(subject.preprocessing.channels, *subject.size, device=subject.device)
        for name, field in self.pictures.fields(image).items():
            yield ReceptiveFieldRecord(name, field.size)

    def _channel_stats(self) -> Iterator[ChannelStatsRecord]:
        for name, channels in self.set_pass.channels.items() if self.set_pass.ids else ():
            stats = channels.found()
            rows = [stats.highest, stats.mean, stats.active, stats.duplicate_of]
            self.arrays[f"channel_stats/{name}"] = torch.stack([row.float() for row in rows]).numpy()
            kinds = [
                kind.nonzero().flatten().tolist() for kind in (stats.dead, stats.saturated, stats.duplicate_of >= 0)
            ]
            dead, saturated, duplicates = map(len, kinds)
            active = round(float(stats.active.mean()), 5)
            examples = tuple(tuple(kind[:EXAMPLES]) for kind in kinds)
            yield ChannelStatsRecord(name, len(stats.highest), dead, saturated, duplicates, active, examples)

    def _top_images(self) -> Iterator[TopImagesRecord]:
        return top_images(
            self.subject,
            self.images,
            self.plan,
            set_pass=self.set_pass,
            pictures=self.pictures,
            arrays=self.arrays,
            reasons=self.reasons,
            progress=self.progress,
        )

    def _maximized(self, named_classes: Sequence[int]) -> Iterator[MaximizedRecord]:
        return maximized(
            self.subject,
            self.images,
            self.plan,
            self.seed,
            set_pass=self.set_pass,
            named_classes=named_classes,
            arrays=self.arrays,
            progress=self.progress,
        )
