"""Pictures of units: what a position of a layer sees of an image, and its projection back to the pixels."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.data.batches import DecodedImage
from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.errors import NotApplicable
from cnnvis_report.inspection.feature_maps import shrunk
from cnnvis_report.inspection.projections import Unit, cropped, project
from cnnvis_report.inspection.receptive_fields import Field, receptive_fields
from cnnvis_report.pipeline.not_applicable import reason_of
from cnnvis_report.records.inspection import UnitRecord

Bytes = npt.NDArray[np.uint8]
Projection = tuple[Tensor, float, tuple[int, int]]  # the map [C, H, W], the unit's activation, and where it is
RULES = ("deconvnet", "guided", "gradient")
CLIPPED_AT = 0.99  # projections have few very large values


class UnitPictures:
    """Makes pictures of units: the crop of the image that they see, and their projections.

    Args:
        capacity: how many images the network takes at a time. side: in pixels, that pictures are averaged down to.
    """

    def __init__(self, subject: Subject, capacity: int, side: int) -> None:
        self._subject, self._capacity, self._side = subject, capacity, side
        self._layers = [layer.name for layer in subject.layers if layer.spatial]
        self._fields: dict[tuple[int, ...], dict[str, Field]] = {}

    def fields(self, image: Tensor) -> dict[str, Field]:
        """By layer: what its positions see of an image [C, H, W] of this size."""
        size = tuple(image.shape[1:])
        if size not in self._fields:
            tape = Tape(self._subject, image[None], layers=self._layers)
            self._fields[size] = receptive_fields(tape, self._layers)
        return self._fields[size]

    @cached_property
    def not_applicable(self) -> dict[str, str]:
        """By rule: why it isn't applicable to the network."""
        if not self._layers:
            return dict.fromkeys(RULES, "no layer has a spatial size")
        subject = self._subject
        image = torch.zeros(1, subject.preprocessing.channels, *subject.size)
        reasons = {}
        for rule in RULES:
            try:
                project(subject, image.to(subject.device), [Unit(self._layers[0], 0)], how=rule)
            except Exception as error:  # a network may refuse any of these passes
                reasons[rule] = reason_of(error)
        return reasons

    @property
    def rules(self) -> tuple[str, ...]:
        """The backward rules that are applicable to the network."""
        return tuple(rule for rule in RULES if rule not in self.not_applicable)

    def make(
        self, images: Sequence[DecodedImage], units: Sequence[Unit], rules: Sequence[str]
    ) -> tuple[tuple[UnitRecord, ...], dict[str, Bytes]]:
        """One unit of each image; the pictures are called "N/crop", "N/deconvnet", …."""
        projections = {rule: self._projected(images, units, rule) for rule in rules}
        records: list[UnitRecord] = []
        pictures: dict[str, Bytes] = {}
        for number, (image, unit) in enumerate(zip(images, units, strict=True)):
            _, value, (row, column) = projections[rules[0]][number]
            box = self.fields(image.picture.values.to(self._subject.device))[unit.layer].box(row, column)
            pictures[f"{number}/crop"] = smaller(cropped(image.picture.seen, box), self._side)
            for rule in rules:
                projected = signed_bytes(cropped(self._subject.preprocessing.shown(projections[rule][number][0]), box))
                pictures[f"{number}/{rule}"] = smaller(projected, self._side)
            records.append(UnitRecord(image.item.id, unit.channel, round(value, 5), row, column, box))
        return tuple(records), pictures

    def _projected(self, images: Sequence[DecodedImage], units: Sequence[Unit], rule: str) -> list[Projection]:
        """The projection of each unit; all at once where sizes allow."""
        sizes = {image.picture.values.shape for image in images}
        parts = [slice(None)] if len(sizes) == 1 else [slice(row, row + 1) for row in range(len(images))]
        projections: list[Projection] = []
        for part in parts:
            inputs = torch.stack([image.picture.values for image in images[part]]).to(self._subject.device)
            projected = project(self._subject, inputs, units[part], how=rule, capacity=self._capacity)
            if not bool(projected.maps.isfinite().all() and projected.activations.isfinite().all()):
                raise NotApplicable("the projection isn't finite (NaN or infinity)")
            positions = [(int(row), int(column)) for row, column in projected.positions.tolist()]
            projections += list(zip(projected.maps, projected.activations.tolist(), positions, strict=True))
        return projections


def signed_bytes(values: Tensor) -> Bytes:
    """[h, w] or [h, w, 3] of a map [C, h, w]: 128 is zero; the ends are where 99% of its other values are."""
    sizes = values[values != 0].abs().float().cpu()
    end = float(np.quantile(sizes.numpy(), CLIPPED_AT)) if len(sizes) else 1.0
    return _picture(((values / end).clamp(-1, 1) * 127 + 128).round())


def smaller(picture: Bytes, side: int) -> Bytes:
    """A picture [h, w] or [h, w, 3], averaged down to so many pixels along its longer side."""
    if max(picture.shape[:2]) <= side:
        return picture
    values = torch.tensor(np.atleast_3d(picture)).permute(2, 0, 1).float()
    return _picture(shrunk(values, side).round())


def as_bytes(picture: Tensor) -> Bytes:
    """[h, w] or [h, w, 3] of a picture [C, h, w] in 0..1."""
    return _picture((picture.clamp(0, 1) * 255).round())


def _picture(values: Tensor) -> Bytes:
    pixels = values.to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
