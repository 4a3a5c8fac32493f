"""Units projected back to the pixels: what in an image makes a channel answer at one position of a layer."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.engine.rules.relu import DECONVOLUTION, GUIDED
from cnnvis_report.engine.rules.rule import Rule
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import BadRequest, NotApplicable, UnknownName, shown

Picture = TypeVar("Picture", Tensor, npt.NDArray[Any])

RULES: dict[str, Rule | None] = {"deconvnet": DECONVOLUTION, "guided": GUIDED, "gradient": None}
WRITTEN = re.compile(r"(?P<layer>[^:]+):(?P<channel>[0-9]{1,9})(:(?P<row>[0-9]{1,9}),(?P<column>[0-9]{1,9}))?")


@dataclass(frozen=True)
class Unit:
    """One channel of a layer at one position; where row and column are None, where it is strongest in the image."""

    layer: str
    channel: int
    row: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        position = "" if self.row is None or self.column is None else f":{self.row},{self.column}"
        return f"{self.layer}:{self.channel}{position}"


@dataclass(frozen=True)
class Projections:
    """Units projected back, one from each of M images.

    maps: [M, C, H, W], in units of the activation per unit of the normalized input.
    activations: [M], the values of the units themselves.
    positions: [M, 2], the row and column of each, in its layer.
    """

    maps: Tensor
    activations: Tensor
    positions: Tensor


def parse_unit(text: str, subject: Subject) -> Unit:
    """What "LAYER:CHANNEL" or "LAYER:CHANNEL:ROW,COLUMN" says, all counted from 0.

    Raises:
        BadRequest: it isn't written so, or the layer has no space, or no such channel or position.
        UnknownName: no layer is called so.
    """
    match = WRITTEN.fullmatch(text.strip())
    if match is None:
        raise BadRequest(
            f"A unit is LAYER:CHANNEL or LAYER:CHANNEL:ROW,COLUMN, such as conv1:5 or conv1:5:10,12, "
            f"counted from 0; not {shown(text)}."
        )
    try:
        record = subject.layer(match["layer"])
    except NotApplicable as error:
        raise BadRequest(f"{text}: {error}. See: cnnvis-report layers MODEL.") from error
    row, column = (None if match[name] is None else int(match[name]) for name in ("row", "column"))
    unit = Unit(record.name, int(match["channel"]), row, column)
    _check(unit, record.shape)
    return unit


def strongest_channels(values: Tensor, count: int) -> Tensor:
    """The channels that answer most anywhere in an image, strongest first.

    Args:
        values: of a layer, [K, h, w] or [N, K, h, w].
        count: how many; all where there are fewer.

    Returns:
        [count] or [N, count] channel indices; of equal ones the first comes first.
    """
    return values.amax((-2, -1)).argsort(dim=-1, descending=True, stable=True)[..., :count]


def project(
    subject: Subject, images: Tensor, units: Sequence[Unit], *, how: str = "deconvnet", capacity: int | None = None
) -> Projections:
    """One unit of each image sent back to the pixels, all other units of its layer at zero.

    The signal starts as 1 at the unit's own result (Zeiler and Fergus start with its activation, which scales the map
    and changes nothing else), and goes down through the network: convolutions transposed, max-pooling through the
    switches that this image set, and at each ReLU

        deconvnet: R * 1[R > 0];    guided: R * 1[R > 0] * 1[z > 0];    gradient: R * 1[z > 0]

    Args:
        images: [M, C, H, W], normalized; an image is repeated for several of its units.
        units: one per image; they may be of different layers.
        how: "deconvnet", "guided" or "gradient".
        capacity: the most images that go through at a time; all where None.

    Raises:
        BadRequest: not one unit per image, no such way, or a layer has no such channel or position.
        UnknownName, NotApplicable: as `Subject.layer`; or the network has activations that the rule doesn't speak of.

    Source: Zeiler & Fergus 2013, arXiv:1311.2901; Springenberg et al. 2014, arXiv:1412.6806.
    """
    if how not in RULES:
        raise UnknownName("projection", how, RULES)
    if len(units) != len(images):
        raise BadRequest(f"{len(units)} units were given for {len(images)} images; one unit per image is needed.")
    maps = torch.zeros_like(images)
    activations = images.new_zeros(len(images))
    positions = torch.zeros(len(images), 2, dtype=torch.long, device=images.device)
    for numbers in _groups(units, capacity or max(len(images), 1)):
        part = _projected(subject, images[numbers], [units[number] for number in numbers], RULES[how])
        maps[numbers], activations[numbers], positions[numbers] = part.maps, part.activations, part.positions
    return Projections(maps, activations, positions)


def cropped(values: Picture, box: tuple[int, int, int, int]) -> Picture:
    """The part of a map or picture within a field's box, as `Field.box` gives it.

    Args:
        values: a tensor [..., H, W], or an array H×W or H×W×C.
    """
    top, left, bottom, right = box
    if isinstance(values, Tensor):
        return values[..., top:bottom, left:right]
    return values[top:bottom, left:right]


def _groups(units: Sequence[Unit], capacity: int) -> list[list[int]]:
    """The numbers of units of the same layer, at most `capacity` at a time."""
    of: dict[str, list[int]] = {}
    for number, unit in enumerate(units):
        of.setdefault(unit.layer, []).append(number)
    return [numbers[start : start + capacity] for numbers in of.values() for start in range(0, len(numbers), capacity)]


def _projected(subject: Subject, images: Tensor, units: Sequence[Unit], rule: Rule | None) -> Projections:
    """Units of one layer."""
    layer = units[0].layer
    tape = Tape(subject, images, layers=[layer])
    values = tape.layer(layer)
    for unit in units:
        _check(unit, values.shape[1:])
    width = values.shape[3]
    batch = range(len(units))
    channels = values[batch, [unit.channel for unit in units]]
    strongest = channels.flatten(1).argmax(1).tolist()
    asked_for = [None if unit.row is None or unit.column is None else unit.row * width + unit.column for unit in units]
    flat = [peak if cell is None else cell for cell, peak in zip(asked_for, strongest, strict=True)]
    positions = torch.tensor([divmod(cell, width) for cell in flat], device=images.device)
    at = (batch, [unit.channel for unit in units], positions[:, 0], positions[:, 1])
    signal = torch.zeros_like(values)
    signal[at] = 1.0
    return Projections(tape.project(layer, signal, rule), values[at], positions)


def _check(unit: Unit, shape: Sequence[int]) -> None:
    channels, height, width = shape
    if not 0 <= unit.channel < channels:
        raise BadRequest(f"Layer {unit.layer!r} has no channel {unit.channel}: it has {channels}, counted from 0.")
    if (unit.row is None) != (unit.column is None):
        raise BadRequest(f"Unit {unit} of layer {unit.layer!r} has a row or a column alone; both are needed, or none.")
    if unit.row is None or unit.column is None:
        return
    if not (0 <= unit.row < height and 0 <= unit.column < width):
        raise BadRequest(
            f"Layer {unit.layer!r} has no position {unit.row},{unit.column}: "
            f"it has {height} rows and {width} columns, counted from 0."
        )
