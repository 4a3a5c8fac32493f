"""The subject of a run, tried on an image that the network takes."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch

from cnnvis_report.data.batches import DecodedImage, first_usable, read_item, sampled
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable, RunFailed, UnknownName, told
from cnnvis_report.isolation.buffers import OwnState
from cnnvis_report.isolation.context import as_scores, grad_mode
from cnnvis_report.isolation.diagnosis import check_open
from cnnvis_report.isolation.eval_mode import eval_mode
from cnnvis_report.isolation.process_state import running_user_code
from cnnvis_report.models.model import Model

FIRST, SPREAD = 16, 48  # images that are tried before giving up on a network: the first ones, and some over the set


def make_subject(model: Model, images: ImageSet, device: torch.device, scores: str = "auto") -> Subject:
    """The subject, tried on the first image that can be read and that the network takes.

    Raises:
        RunFailed: none can be read, or the network fails on all that are tried, and takes noise of their size.
        BadRequest: the network takes nothing of their size, or the scores can't be what was asked for.
    """
    model.network.to(device)  # somebody's own may return nothing
    if not len(images):
        return _without_images(model, device, scores)
    first = first_usable(images, model.preprocessing)
    if not isinstance(first, DecodedImage):
        count = f"None of the {len(images)} images" if len(images) > 1 else "The image"
        verb = "can" if len(images) > 1 else "can't"
        raise RunFailed(f"{count} {verb} be read. {first.name}: {first.reason}.")
    several = any(len(item.labels) > 1 for item in images)
    start = partial(_subject, model, device=device, scores=scores, several=several)
    others = _others(images, first, model)
    try:
        subject = start(first)
    except BadRequest as error:
        check_open(model.network, model.name)
        if _columns(model, _batch_of(first, device)):
            raise  # it isn't the image
        other = next((image for image in others if _columns(model, _batch_of(image, device))), None)
        if other is None:
            if not _takes_noise(model, _batch_of(first, device)):
                raise
            raise _hopeless(model, images, first, error) from error
        subject = start(other)
    better = _outvoted(model, subject.columns, device, others)
    return subject if better is None else start(better)


def _hopeless(model: Model, images: ImageSet, first: DecodedImage, error: BadRequest) -> RunFailed:
    """Why there is no image to begin with, where others of their size would do."""
    which = f"{len(images)} images" if len(images) > 1 else "the image"
    message = told(error.__cause__) if error.__cause__ else str(error).rstrip(".")
    return RunFailed(f"{model.name} fails on {which}, and not on noise of that size. {first.item.name}: {message}.")


def _takes_noise(model: Model, example: torch.Tensor) -> bool:
    noise = torch.randn(example.shape, generator=torch.Generator().manual_seed(0)).to(example)
    return any(_columns(model, image) for image in (noise, torch.zeros_like(example)))


def _others(images: ImageSet, first: DecodedImage, model: Model) -> Iterator[DecodedImage]:
    """More images: the next ones, and then some spread over the set."""
    near = images.items[: FIRST + 1]
    far = [item for item in sampled(images, SPREAD) if item not in near]
    for item in (item for item in (*near, *far) if item is not first.item):
        image = read_item(item, model.preprocessing)
        if isinstance(image, DecodedImage):
            yield image


def _outvoted(model: Model, columns: int, device: torch.device, others: Iterator[DecodedImage]) -> DecodedImage | None:
    """An image to begin with in place of another, where the first number of scores that two images have isn't its."""
    votes = Counter({columns: 1})
    for image in others:
        count = _columns(model, _batch_of(image, device))
        if count is not None:
            votes[count] += 1
        if count is not None and votes[count] == 2:
            return None if count == columns else image
    return None


def _columns(model: Model, image: torch.Tensor) -> int | None:
    """How many scores the network gives for an image [1, C, H, W]; None where it fails, or they aren't finite."""
    try:
        state = OwnState(model.network)
        with (
            grad_mode(),
            torch.no_grad(),
            eval_mode(model.network),
            state.working_copies(),
            running_user_code(model.name),
        ):
            scores = as_scores(model.network(image.clone()), model.name, 1)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return None
    return int(scores.shape[1]) if len(scores) == 1 and bool(scores.isfinite().all()) else None


def _batch_of(image: DecodedImage, device: torch.device) -> torch.Tensor:
    return image.picture.values.unsqueeze(0).to(device)


def _subject(
    model: Model, image: DecodedImage | torch.Tensor, *, device: torch.device, scores: str, several: bool = False
) -> Subject:
    example = _batch_of(image, device) if isinstance(image, DecodedImage) else image
    known = model.training is not None and scores == "auto" and not several  # `train` knows one class an image
    subject = Subject(
        model.network,
        example,
        name=model.name,
        classes=model.classes,
        preprocessing=model.preprocessing,
        scores="softmax" if known else model.scores if scores == "auto" else scores,
        several=several,
    )
    if known:
        subject.meaning = replace(subject.meaning, reason="as it was trained for one class an image")
    elif scores == "auto" != model.scores:
        subject.meaning = replace(subject.meaning, reason="as the network's factory says").between(subject.classes)
    if model.layer:
        subject.default_layer = _default_layer(subject, model.layer)
    return subject


def _default_layer(subject: Subject, name: str) -> str:
    """The layer that the network's factory names, as it is called here."""
    try:
        return subject.layer(name).name
    except (UnknownName, NotApplicable) as error:
        raise BadRequest(f"The default layer that {subject.name} comes with: {error}") from error


def _without_images(model: Model, device: torch.device, scores: str) -> Subject:
    """The subject, tried on noise of the size that it expects."""
    size = model.preprocessing.size
    if size is None:
        raise BadRequest(f"{model.name} without images has no size to run at; give --size a side or HEIGHTxWIDTH.")
    generator = torch.Generator().manual_seed(0)
    example = torch.randn(1, model.preprocessing.channels, *size, generator=generator).to(device)
    return _subject(model, example, device=device, scores=scores)
