"""Images that a network doesn't take although it has taken others: said in one line, and passed over."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, CnnVisError, RunFailed, told
from cnnvis_report.isolation.context import grad_mode
from cnnvis_report.isolation.diagnosis import LIKELY, refusal
from cnnvis_report.isolation.user_code import user_code_location

NOT_FINITE = "gives scores that aren't finite (NaN or infinity)"


@contextmanager
def in_one_line(subject: Subject, images: Tensor) -> Iterator[None]:
    """While it is open, what the network says against the images becomes a BadRequest."""
    try:
        yield
    except CnnVisError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise _not_taken(subject, images, error) from error


def _not_taken(subject: Subject, images: Tensor, error: Exception) -> BadRequest:
    """What to say of images that the network fails on; another size is tried only where theirs is new to it.

    One error that neither the network nor PyTorch has raised is raised again: it is ours.
    """
    if tuple(images.shape[2:]) != subject.size:
        with subject.in_eval_mode(), subject.state.working_copies():
            return refusal(subject.network, subject.name, images, error)
    where = user_code_location(error)
    if where is None and not isinstance(error, LIKELY):
        raise error
    which = "this image" if len(images) == 1 else f"these {len(images)} images"
    return BadRequest(f"{subject.name} fails on {which} ({told(error)}{f', in {where}' if where else ''}).")


def check_finite(subject: Subject, logits: Tensor) -> None:
    """Refuse images that the network gives no finite scores [N, classes] for.

    Raises:
        BadRequest: some aren't finite.
    """
    if not bool(logits.isfinite().all()):
        raise BadRequest(f"{subject.name} {NOT_FINITE}.")


def usable(subject: Subject, images: Tensor, capacity: int) -> Tensor:
    """Those of the images [M, C, H, W] that the network gives finite scores for, tried `capacity` at a time.

    Raises:
        RunFailed: there are none.
        RuntimeError, MemoryError: out of memory.
    """
    parts = [_usable(subject, part) for part in torch.split(images, capacity)]
    indices = torch.cat(parts)
    if not len(indices):
        raise RunFailed(f"{subject.name} gives no scores for any of {len(images)} images spread over the set.")
    return indices


def _usable(subject: Subject, images: Tensor) -> Tensor:
    try:
        with grad_mode(), torch.no_grad(), subject.in_eval_mode():
            scores = subject.forward(images)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        if len(images) == 1:
            return images[:0]
        middle = len(images) // 2
        return torch.cat([_usable(subject, part) for part in (images[:middle], images[middle:])])
    return images[scores.isfinite().all(dim=1)]
