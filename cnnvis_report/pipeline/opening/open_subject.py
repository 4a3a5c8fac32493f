"""The subject of a run, tried on an image that the network takes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

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
    if not len(images):
        return _without_images(model, device, task, reader)
    first = first_usable(images, model.preprocessing)
    if not isinstance(first, DecodedImage):
        count = f"None of the {len(images)} images" if len(images) > 1 else "The image"
        verb = "can" if len(images) > 1 else "can't"
        raise RunFailed(f"{count} {verb} be read. {first.name}: {first.reason}.")
    several = any(len(item.labels) > 1 for item in images)
    start = partial(_subject, model, device=device, task=task, several=several, reader=reader)
    tried = _Tried(model, device, task, reader)
    others = _others(images, first, model)
    try:
        subject = start(first)
    except BadRequest as error:
        check_open(model.network, model.name)
        if tried.columns(_batch_of(first, device)):
            raise  # it isn't the image
        other = next((image for image in others if tried.columns(_batch_of(image, device))), None)
        if other is None:
            if not tried.takes_noise(_batch_of(first, device)):
                raise
            raise _hopeless(model, images, first, error) from error
        subject = start(other)
    better = _outvoted(tried, subject.columns, others)
    return subject if better is None else start(better)


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


def _outvoted(tried: "_Tried", columns: int, others: Iterator[DecodedImage]) -> DecodedImage | None:
    """An image to begin with in place of another, where the first number of scores that two images have isn't its."""
    votes = Counter({columns: 1})
    for image in others:
        count = tried.columns(_batch_of(image, tried.device))
        if count is not None:
            votes[count] += 1
        if count is not None and votes[count] == 2:
            return None if count == columns else image
    return None


@dataclass(frozen=True)
class _Tried:
    """A network that images are tried on, and how its output would be read."""

    model: Model
    device: torch.device
    task: str
    reader: OutputReader | None

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


def _batch_of(image: DecodedImage, device: torch.device) -> torch.Tensor:
    return image.picture.values.unsqueeze(0).to(device)


def _subject(
    model: Model,
    image: DecodedImage | torch.Tensor,
    *,
    device: torch.device,
    task: str,
    several: bool = False,
    reader: OutputReader | None = None,
) -> Subject:
    example = _batch_of(image, device) if isinstance(image, DecodedImage) else image
    trained = model.training is not None and task == "auto" and reader is None
    known = trained and not several  # `train` knows one class per image
    stated = model.task if reader is None else "auto"  # of the network's own scores
    subject = Subject(
        model.network,
        example,
        name=model.name,
        classes=None if reader is not None and task == "auto" else model.classes,  # they are those of its own scores
        preprocessing=model.preprocessing,
        task="classification" if known else stated if task == "auto" else task,
        several=several,
        reader=reader,
    )
    if known:
        subject.meaning = replace(subject.meaning, reason="as it was trained for one class per image")
    elif task == "auto" != stated:
        subject.meaning = replace(subject.meaning, reason="as MODEL says").between(subject.classes)
    if model.layer:
        subject.default_layer = _default_layer(subject, model.layer)
    return subject


def _default_layer(subject: Subject, name: str) -> str:
    """The layer that the network's factory names, as it is called here."""
    try:
        return subject.layer(name).name
    except (UnknownName, NotApplicable) as error:
        raise BadRequest(f"The default layer that {subject.name} comes with: {error}") from error


def _without_images(model: Model, device: torch.device, task: str, reader: OutputReader | None) -> Subject:
    """The subject, tried on noise of the size that it expects."""
    size = model.preprocessing.size
    if size is None:
        raise BadRequest(f"{model.name} without images has no size to run at; give --size a side or HEIGHTxWIDTH.")
    generator = torch.Generator().manual_seed(0)
    example = torch.randn(1, model.preprocessing.channels, *size, generator=generator).to(device)
    return _subject(model, example, device=device, task=task, reader=reader)
