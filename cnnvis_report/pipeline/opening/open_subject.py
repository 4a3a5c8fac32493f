"""The subject of a run, tried on an image that the network takes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from cnnvis_report.data.batches import DecodedImage, first_usable, read_item
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.limit import evenly
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.outputs.choose_reader import choose_reader
from cnnvis_report.engine.outputs.readers import OutputReader
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable, RunFailed, UnknownName, told
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.isolation.diagnosis import check_open
from cnnvis_report.isolation.eval_mode import eval_mode
from cnnvis_report.isolation.process_state import running_user_code
from cnnvis_report.models.model import Model

FIRST, SPREAD = 16, 48  # images that are tried before giving up on a network: the first ones, and some over the set


def make_subject(
    model: Model, images: ImageSet, device: torch.device, task: str = "auto", reader: OutputReader | None = None
) -> Subject:
    """The subject, tried on the first image that can be read and that the network takes.

    Args:
        task: as --task names it. reader: makes scores of the output, where a function does.

    Raises:
        RunFailed: none can be read, or the network fails on all that are tried, and takes noise of their size.
        BadRequest: the network takes nothing of their size, or the scores can't be what was asked for.
    """
    model.network.to(device)  # somebody's own may return nothing
    opening = _Opening(model, device, task, reader, any(len(item.labels) > 1 for item in images))
    if not len(images):
        return opening.without_images()
    first = first_usable(images, model.preprocessing)
    if not isinstance(first, DecodedImage):
        count = f"None of the {len(images)} images" if len(images) > 1 else "The image"
        verb = "can" if len(images) > 1 else "can't"
        raise RunFailed(f"{count} {verb} be read. {first.name}: {first.reason}.")
    others = _others(images, first, model)
    try:
        subject = opening.subject(first)
    except BadRequest as error:
        check_open(model.network, model.name)
        if opening.columns(opening.batch_of(first)):
            raise  # it isn't the image
        other = next((image for image in others if opening.columns(opening.batch_of(image))), None)
        if other is None:
            if not opening.takes_noise(opening.batch_of(first)):
                raise
            raise _hopeless(model, images, first, error) from error
        subject = opening.subject(other)
    better = _outvoted(opening, subject.columns, others)
    return subject if better is None else opening.subject(better)


def _hopeless(model: Model, images: ImageSet, first: DecodedImage, error: BadRequest) -> RunFailed:
    """Why there is no image to begin with, where others of their size would do."""
    which = f"{len(images)} images" if len(images) > 1 else "the image"
    message = told(error.__cause__) if error.__cause__ else str(error).rstrip(".")
    return RunFailed(f"{model.name} fails on {which}, and not on noise of that size. {first.item.name}: {message}.")


def _others(images: ImageSet, first: DecodedImage, model: Model) -> Iterator[DecodedImage]:
    """More images: the next ones, and then some spread over the set."""
    near = images.items[: FIRST + 1]
    far = [item for item in evenly(images, SPREAD) if item not in near]
    for item in (item for item in (*near, *far) if item is not first.item):
        image = read_item(item, model.preprocessing)
        if isinstance(image, DecodedImage):
            yield image


def _outvoted(opening: "_Opening", columns: int, others: Iterator[DecodedImage]) -> DecodedImage | None:
    """An image to begin with in place of another, where the first number of scores that two images have isn't its."""
    votes = Counter({columns: 1})
    for image in others:
        count = opening.columns(opening.batch_of(image))
        if count is not None:
            votes[count] += 1
        if count is not None and votes[count] == 2:
            return None if count == columns else image
    return None


@dataclass(frozen=True)
class _Opening:
    """A network that images are tried on, and how its output is to be read.

    several: whether an image has several labels.
    """

    model: Model
    device: torch.device
    task: str
    reader: OutputReader | None
    several: bool

    def batch_of(self, image: DecodedImage) -> torch.Tensor:
        """[1, C, H, W] on the device."""
        return image.picture.values.unsqueeze(0).to(self.device)

    def columns(self, image: torch.Tensor) -> int | None:
        """How many scores there are for an image [1, C, H, W]; None where the network fails or they aren't finite."""
        network, name, size = self.model.network, self.model.name, (image.shape[2], image.shape[3])
        try:
            state = OwnState(network)
            with grad_mode(), torch.no_grad(), eval_mode(network), state.working_copies(), running_user_code(name):
                output = network(image.clone())
                reader = self.reader or choose_reader(output, 1, size, self.task, self.model.network, name)
                scores, _ = reader.read(output, 1, None)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            return None
        return int(scores.shape[1]) if len(scores) == 1 and bool(scores.isfinite().all()) else None

    def takes_noise(self, example: torch.Tensor) -> bool:
        """Whether it gives scores for noise of an image's size, or for zeros."""
        noise = torch.randn(example.shape, generator=torch.Generator().manual_seed(0)).to(example)
        return any(self.columns(image) for image in (noise, torch.zeros_like(example)))

    def subject(self, image: DecodedImage | torch.Tensor) -> Subject:
        """The subject, tried on an image, or on a batch [1, C, H, W]."""
        example = self.batch_of(image) if isinstance(image, DecodedImage) else image
        model, task, reader = self.model, self.task, self.reader
        trained = model.training is not None and task == "auto" and reader is None
        known = trained and not self.several  # `train` knows one class per image
        stated = model.task if reader is None else "auto"  # of the network's own scores
        subject = Subject(
            model.network,
            example,
            name=model.name,
            classes=model.classes if reader is None or task != "auto" else None,  # they are those of its own scores
            preprocessing=model.preprocessing,
            task="classification" if known else stated if task == "auto" else task,
            several=self.several,
            reader=reader,
        )
        if known:
            subject.meaning = replace(subject.meaning, reason="as it was trained for one class per image")
        elif task == "auto" != stated:
            subject.meaning = replace(subject.meaning, reason="as MODEL says").between(subject.classes)
        if model.layer:
            subject.default_layer = _default_layer(subject, model.layer)
        return subject

    def without_images(self) -> Subject:
        """The subject, tried on noise of the size that it expects."""
        model = self.model
        size = model.preprocessing.size
        if size is None:
            raise BadRequest(f"{model.name} without images has no size to run at; give --size a side or HEIGHTxWIDTH.")
        generator = torch.Generator().manual_seed(0)
        example = torch.randn(1, model.preprocessing.channels, *size, generator=generator).to(self.device)
        return self.subject(example)


def _default_layer(subject: Subject, name: str) -> str:
    """The layer that the network's factory names, as it is called here."""
    try:
        return subject.layer(name).name
    except (UnknownName, NotApplicable) as error:
        raise BadRequest(f"The default layer that {subject.name} comes with: {error}") from error
