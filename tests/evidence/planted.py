"""Methods that know nothing of the network; importing this announces them, so only a run does."""

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from cnnvis_report.plugin import Kind, Sign, Tape, method


@method(title="Sobel", family="planted", source="no source", sign=Sign.POSITIVE, kind=Kind.AREA)
def sobel(tape: Tape, targets: Tensor) -> Tensor:
    """Show the edges of the image, whatever the network."""
    kernel = torch.tensor([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]]).to(tape.images)
    gray = tape.images.mean(1, keepdim=True)
    vertical, horizontal = (conv2d(gray, side[None, None], padding=1) for side in (kernel, kernel.T))
    return (vertical.square() + horizontal.square()).sqrt()[:, 0]


@method(title="Flat", family="planted", source="no source", sign=Sign.POSITIVE, kind=Kind.AREA)
def flat(tape: Tape, targets: Tensor) -> Tensor:
    """Show nothing: one value everywhere."""
    return torch.ones_like(tape.images[:, 0])


@method(title="Another random map", family="planted", source="no source", sign=Sign.POSITIVE, kind=Kind.AREA)
def chance(tape: Tape, targets: Tensor) -> Tensor:
    """Show noise, like `random`, from other draws."""
    return torch.rand(tape.images[:, 0].shape, generator=torch.Generator().manual_seed(11)).to(tape.images)
