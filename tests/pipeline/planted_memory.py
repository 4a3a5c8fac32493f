"""A method that needs more memory than there is for several images."""

import weakref

import torch
from torch import Tensor

from cnnvis_report.plugin import Kind, Sign, Tape, method

ALIVE: list[int] = []  # how many tapes of batches that didn't fit were there at each call
TAPES: "list[weakref.ref[Tape]]" = []


@method(title="Greedy", family="planted", source="no source: planted", sign=Sign.POSITIVE, kind=Kind.AREA)
def greedy(tape: Tape, targets: Tensor) -> Tensor:
    """What fits for one image alone."""
    ALIVE.append(sum(reference() is not None for reference in TAPES))
    if len(tape.images) > 1:
        TAPES.append(weakref.ref(tape))
        raise torch.OutOfMemoryError("CUDA out of memory")
    return tape.images[:, 0].abs()
