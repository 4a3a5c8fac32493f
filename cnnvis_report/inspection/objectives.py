"""What a picture is optimized for: units of a network, checked against it and read from a pass."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, NotApplicable


@dataclass(frozen=True)
class Objective:
    """What a picture is to maximize: the mean of some units.

    layer: the name of the layer; empty for the class scores.
    channels: indices of channels, of units of a layer without positions, or of classes; several count as their mean.
    position: (row, column) in a spatial layer; None for the mean over all positions.
    """

    layer: str
    channels: tuple[int, ...]
    position: tuple[int, int] | None = None


def checked_objective(subject: Subject, objective: Objective) -> Objective:
    """The objective under the layer's own name.

    Raises:
        UnknownName: no layer is called so.
        BadRequest: it has no such unit, or a position was given where there is none.
        NotApplicable: the layer has no channels.
    """
    if not objective.layer:
        what = subject.name
    else:
        name = layer_name(subject, objective.layer)
        objective, what = replace(objective, layer=name), f"layer {name!r}"
    shapes = {layer.name: layer.shape for layer in subject.layers}
    shape = shapes[objective.layer] if objective.layer else (len(subject.classes),)
    if len(shape) not in (1, 3):
        sides = "×".join(map(str, shape))
        raise NotApplicable(f"{what} gives {sides} an image, which are no channels")
    wrong = [channel for channel in objective.channels if not 0 <= channel < shape[0]]
    if wrong or not objective.channels:
        requested = f"{wrong[0]} was asked for" if wrong else "none was asked for"
        raise BadRequest(f"The units of {what} are 0 to {shape[0] - 1}, and {requested}.")
    if objective.position is not None and len(shape) == 1:
        raise BadRequest(f"The units of {what} have no positions; leave out {objective.position}.")
    return objective


def layer_name(subject: Subject, name: str) -> str:
    """A layer's own name, of any shape.

    Raises:
        UnknownName: no layer is called so.
    """
    return name if any(layer.name == name for layer in subject.layers) else subject.layer(name).name


def objective_values(subject: Subject, objectives: Sequence[Objective], images: Tensor) -> Tensor:
    """[N]: the value of each objective for its own image of [N, C, H, W], normalized, by one pass for all.

    Raises:
        BadRequest: a position isn't on its layer.
    """
    read: dict[int, Tensor] = {}

    def keep(name: str, output: Tensor) -> None:
        # read at once: an operation in place may follow
        rows = [row for row, objective in enumerate(objectives) if objective.layer == name]
        read.update({row: _value(objectives[row], output[row]) for row in rows})

    layers = {objective.layer: None for objective in objectives if objective.layer}
    with subject.watching(list(layers), keep):
        scores = subject.forward(images)
    keep("", scores)
    return torch.stack([read[row] for row in range(len(objectives))]).to(images.dtype)


def _value(objective: Objective, output: Tensor) -> Tensor:
    """The objective's value where its layer gives this: [K] or [K, h, w]."""
    units = output[list(objective.channels)]
    if objective.position is None:
        return units.mean()
    row, column = objective.position
    height, width = output.shape[1:]
    if not (0 <= row < height and 0 <= column < width):
        raise BadRequest(
            f"Layer {objective.layer!r} has {height}×{width} positions, and {objective.position} isn't one."
        )
    return units[:, row, column].mean()
