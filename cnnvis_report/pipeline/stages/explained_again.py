"""Explaining a few images again, for tests of maps: under small changes, for other classes, by another network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.outputs.readers import Anchor
from cnnvis_report.engine.subject import Subject
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings, explain_batch
from cnnvis_report.records.methods import Array
from cnnvis_report.records.metrics import MethodTest

TRIED = 2  # times the images that are wanted are read at most, until enough can be

TaskKey = tuple[str, str]  # method, layer
Maps = dict[TaskKey, list[Array]]  # of each class that is explained, one value a position


@dataclass(frozen=True)
class PredictedImage:
    """An image [C, H, W] on the network's device, and the class that is predicted for it."""

    values: Tensor
    predicted: int


@dataclass
class ValuesByTest:
    """Values of the tests, one for each image, by the test's name and then by task."""

    of_test: dict[str, dict[TaskKey, list[float]]] = field(default_factory=dict)

    def add(self, name: str, key: TaskKey, value: float | None) -> None:
        """Put in the value of one more image, where there is one."""
        if value is not None:
            self.of_test.setdefault(name, {}).setdefault(key, []).append(round(value, 4))

    def records(self) -> tuple[MethodTest, ...]:
        """One a test and task; tasks without a value have none."""
        return tuple(
            MethodTest(name, method, layer, tuple(values))
            for name, of_task in self.of_test.items()
            for (method, layer), values in of_task.items()
        )


def read_images(subject: Subject, images: ImageSet, count: int, tried: int = TRIED) -> list[PredictedImage]:
    """The first images that can be read, so many at most, of `tried` times as many."""
    read = (read_item(item, subject.preprocessing) for item in images.items[: tried * count])
    decoded = islice((image for image in read if isinstance(image, DecodedImage)), count)
    return [_predicted(subject, image.picture.values.to(subject.device)) for image in decoded]


def in_place_of(subject: Subject, network: nn.Module, example: Tensor) -> Subject:
    """Another network of the same form, read as the subject is, and tried on an example [1, C, H, W].

    Raises:
        BadRequest: it gives no finite scores for the example.
    """
    other = Subject(
        network.to(subject.device),
        example,
        name=subject.name,
        classes=subject.classes,
        preprocessing=subject.preprocessing,
        task=subject.meaning.kind,
        reader=subject.reader,
    )
    other.one_by_one = subject.one_by_one
    return other


def anchored_to(subject: Subject, image: PredictedImage) -> Callable[[Tensor], Anchor] | None:
    """What versions of an image, and other networks' passes over it, are read by; None where nothing is."""
    anchor = subject.anchor(image.values[None])
    return None if anchor is None else lambda images: anchor.rows(torch.zeros(len(images), dtype=torch.long))


def maps_of(
    subject: Subject, images: Tensor, tasks: Sequence[Task], targets: Sequence[int], settings: BatchSettings
) -> list[Maps]:
    """The maps of each image for each of these classes, as they are shown.

    Tasks without a map are left out, as are maps with values that aren't finite; all are where the network fails.

    Args:
        images: [N, C, H, W]. targets: the same classes for all. settings: its capacity is the size of a batch.
    """
    size = 1 if subject.one_by_one else settings.capacity or len(images)
    return [maps for part in torch.split(images, size) for maps in _of_batch(subject, part, tasks, targets, settings)]


def _of_batch(
    subject: Subject, images: Tensor, tasks: Sequence[Task], targets: Sequence[int], settings: BatchSettings
) -> list[Maps]:
    chosen = torch.tensor([list(targets)] * len(images), device=images.device)
    try:
        explained = explain_batch(subject, images, tasks, chosen, settings)
    except Exception as error:  # an image that the network took may fail when it is changed, or in another network
        if is_out_of_memory(error):
            raise
        return [{} for _ in images]
    maps: list[Maps] = [{} for _ in images]
    for (result,) in explained.results:
        if result.maps is None:
            continue
        info, key = result.task.method.info, (result.task.name, result.task.layer)
        for of_image, values in zip(maps, result.maps, strict=True):
            if bool(values.isfinite().all()):
                of_image[key] = [np.asarray(info.shown(of_class.numpy()), dtype=np.float32) for of_class in values]
    return maps


def _predicted(subject: Subject, values: Tensor) -> PredictedImage:
    with torch.no_grad():
        return PredictedImage(values, int(subject.ranking(values[None])[0].argmax()))
