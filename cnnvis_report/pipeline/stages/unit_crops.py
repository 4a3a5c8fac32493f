"""Pictures of units: what a position of a layer sees of an image, and its projection back to the pixels."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from cnnvis_report.data.batches import DecodedImage
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.projections import Unit, cropped, project
from cnnvis_report.inspection.receptive_fields import Field, receptive_fields
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.view_gaps import reason_of
from cnnvis_report.records.inspection import UnitRecord

Bytes = npt.NDArray[np.uint8]
WAYS = ("deconvnet", "guided", "gradient")
CLIPPED_AT = 0.99  # projections have few very large values


class UnitPictures:
    """Makes pictures of units: what they see of an image, and their projections."""

    def __init__(self, study: Study, capacity: int) -> None:
        self._study, self._capacity = study, capacity
        self._layers = [layer.name for layer in study.subject.layers if layer.spatial]
        self._known: dict[tuple[int, ...], dict[str, Field]] = {}

    def fields(self, image: Tensor) -> dict[str, Field]:
        """By layer: what its positions see of an image [C, H, W] of this size."""
        size = tuple(image.shape[1:])
        if size not in self._known:
            tape = Tape(self._study.subject, image[None], layers=self._layers)
            self._known[size] = receptive_fields(tape, self._layers)
        return self._known[size]

    @cached_property
    def refused(self) -> dict[str, str]:
        """By rule: why it isn't defined for the network."""
        if not self._layers:
            return dict.fromkeys(WAYS, "no layer has a spatial size")
        image = torch.zeros(1, self._study.subject.preprocessing.channels, *self._study.subject.size)
        found = {}
        for way in WAYS:
            try:
                project(self._study.subject, image.to(self._study.device), [Unit(self._layers[0], 0)], how=way)
            except Exception as error:  # a network may refuse any of these passes
                found[way] = reason_of(error)
        return found

    @property
    def ways(self) -> tuple[str, ...]:
        """The rules that are defined for the network."""
        return tuple(way for way in WAYS if way not in self.refused)

    def of(
        self, ready: Sequence[DecodedImage], wanted: Sequence[Unit], ways: Sequence[str]
    ) -> tuple[tuple[UnitRecord, ...], dict[str, Bytes]]:
        """One unit of each image; the pictures are called "N/crop", "N/deconvnet", …."""
        found = {way: self._projected(ready, wanted, way) for way in ways}
        records: list[UnitRecord] = []
        pictures: dict[str, Bytes] = {}
        for number, (each, unit) in enumerate(zip(ready, wanted, strict=True)):
            _, value, (row, column) = found[ways[0]][number]
            box = self.fields(each.picture.values.to(self._study.device))[unit.layer].box(row, column)
            pictures[f"{number}/crop"] = cropped(each.picture.seen, box)
            for way in ways:
                pictures[f"{number}/{way}"] = signed_bytes(cropped(found[way][number][0], box))
            records.append(UnitRecord(each.item.id, unit.channel, round(value, 5), row, column, box))
        return tuple(records), pictures

    def _projected(
        self, ready: Sequence[DecodedImage], wanted: Sequence[Unit], way: str
    ) -> list[tuple[Tensor, float, tuple[int, int]]]:
        """Of each unit: its map [C, H, W], its activation, and where it is; all at once where sizes allow."""
        sizes = {each.picture.values.shape for each in ready}
        parts = [slice(None)] if len(sizes) == 1 else [slice(place, place + 1) for place in range(len(ready))]
        found = []
        for part in parts:
            images = torch.stack([each.picture.values for each in ready[part]]).to(self._study.device)
            made = project(self._study.subject, images, wanted[part], how=way, capacity=self._capacity)
            places = [(int(row), int(column)) for row, column in made.places.tolist()]
            found += list(zip(made.maps, made.activations.tolist(), places, strict=True))
        return found


def signed_bytes(values: Tensor) -> Bytes:
    """[h, w] or [h, w, 3] of a map [C, h, w]: 128 is zero; the ends are where 99 % of its other values are."""
    sizes = values[values != 0].abs().float().cpu()
    end = float(np.quantile(sizes.numpy(), CLIPPED_AT)) if len(sizes) else 1.0
    return _picture(((values / end).clamp(-1, 1) * 127 + 128).round())


def as_bytes(picture: Tensor) -> Bytes:
    """[h, w] or [h, w, 3] of a picture [C, h, w] in 0..1."""
    return _picture((picture.clamp(0, 1) * 255).round())


def _picture(values: Tensor) -> Bytes:
    pixels = values.to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])
