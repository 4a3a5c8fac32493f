"""Segmentation: the score of a class is the mean of its scores over the region that is predicted as that class."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from cnnvis_report.engine.outputs.readers import Anchor, Shape
from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.context import KEYS, described, fits_as_scores
from cnnvis_report.records.scores import Quantity

FRACTIONS = (1, 2, 4, 8)  # of the image's sides that are taken for those of a segmentation where nothing says so
TOLERANCE = 1e-3  # of sums of probabilities, which half precision rounds


@dataclass(frozen=True)
class Regions:
    """The class that is predicted at each position of N images, [N, h, w], of so many classes."""

    labels: Tensor
    count: int

    @classmethod
    def of(cls, maps: Tensor) -> "Regions":
        """The regions that maps of scores [N, classes, h, w] predict."""
        return cls(maps.detach().argmax(dim=1), int(maps.shape[1]))

    def rows(self, indices: Tensor) -> "Regions":
        """The regions of other images [M], each a version of one of the N."""
        return Regions(self.labels[indices.to(self.labels.device)], self.count)

    def moved(self, device: str) -> "Regions":
        """The same on another device."""
        return Regions(self.labels.to(device), self.count)

    @property
    def shares(self) -> Tensor:
        """[N, classes]: which share of an image is predicted as each class; 0 where the class has no region."""
        flat = self.labels.flatten(1)
        counts = torch.zeros(len(flat), self.count, device=flat.device)
        return counts.scatter_add_(1, flat, torch.ones_like(flat, dtype=counts.dtype)) / flat.shape[1]

    def means(self, maps: Tensor) -> Tensor:
        """[N, classes]: the mean of each class's map [N, classes, h, w] over its region, of all where it has none.

        Raises:
            ValueError: the maps are of other images, or of another size.
        """
        if (len(maps), *maps.shape[2:]) != tuple(self.labels.shape):
            sides = ("×".join(map(str, shape)) for shape in ((len(maps), *maps.shape[2:]), self.labels.shape))
            raise ValueError("it gives maps of {} positions, and gave {} before".format(*sides))
        inside = torch.zeros_like(maps.detach()).scatter_(1, self.labels.unsqueeze(1), 1.0)
        sizes = inside.sum(dim=(2, 3), keepdim=True)
        weights = torch.where(sizes > 0, inside / sizes.clamp(min=1), 1.0 / self.labels[0].numel())
        return (maps * weights).sum(dim=(2, 3))


@dataclass(frozen=True)
class RegionMeans:
    """Reads maps of scores [N, classes, h, w] as the mean of each class over its region.

    A single map is that of the foreground, and its negation, or what is left to 1, that of the background.

    quantity: what the maps hold.
    """

    reads: str
    quantity: Quantity
    names: tuple[str, ...] | None
    notes: dict[str, None] = field(default_factory=dict)
    anchored = True
    shapes: ClassVar[frozenset[Shape]] = frozenset()

    @classmethod
    def of(cls, maps: Tensor, note: str, name: str) -> "RegionMeans":
        """The reader of maps like a network's first ones [N, classes, h, w].

        Args:
            note: which part of the output they are, in words. name: of the network.
        """
        names = ("background", "foreground") if maps.shape[1] == 1 else None
        return cls(name, _quantity(maps.detach()), names, {note: None} if note else {})

    def read(self, output: Any, count: int, anchor: Anchor | None = None) -> tuple[Tensor, Anchor | None]:
        """The means, over the regions of the anchor or else those that the maps themselves predict."""
        maps, _ = score_maps_in(output, count)
        if maps is None:
            raise BadRequest(f"{self.reads} returns {described(output)}, and gave N×classes×h×w scores before.")
        maps = maps.float() if maps.element_size() < 4 else maps  # a mean of so many is off in half precision
        if maps.shape[1] == 1:
            maps = torch.cat([1 - maps if self.quantity is Quantity.PROBABILITY else -maps, maps], dim=1)
        regions = anchor if isinstance(anchor, Regions) else Regions.of(maps)
        return regions.means(maps), regions


def score_maps_in(output: Any, count: int) -> tuple[Tensor | None, str]:
    """The maps of scores [N, classes, h, w] in an output and, in words, which they are where that was a choice.

    Of several, those of the usual name, or the largest ones; None where there are none.
    """
    logits = getattr(output, "logits", None)
    for tensor in (logits, output):
        if _are_maps(tensor, count):
            return tensor, ""
    if isinstance(output, Mapping):
        maps = {str(key): value for key, value in output.items() if _are_maps(value, count)}
        key = next((key for key in KEYS if key in maps), next(iter(maps), "") if len(maps) == 1 else "")
        note = f"{described(output)}; {key!r} is taken as the maps of scores" if len(output) > 1 else ""
        return (maps[key], note) if key else (None, "")
    if isinstance(output, tuple | list) and not any(fits_as_scores(part, count) for part in output):
        parts = [(index, part) for index, part in enumerate(output) if _are_maps(part, count)]
        if parts:
            index, part = max(parts, key=lambda pair: (pair[1][0, 0].numel(), -pair[0]))
            sides = "×".join(["N", *map(str, part.shape[1:])])
            choice = f"item {index + 1}, {sides}, is taken as the maps of scores" if len(output) > 1 else ""
            return part, f"{described(output)}; {choice}" if choice else ""
    return None, ""


def is_regular(grid: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether maps of this height and width are as large as the images, or a usual fraction of their sides."""
    return any(
        all(side in (-(-whole // part), whole // part) for side, whole in zip(grid, size, strict=True))
        for part in FRACTIONS
    )


def _are_maps(value: Any, count: int) -> bool:
    """Whether something is N×classes×h×w with more than one position."""
    return (
        isinstance(value, Tensor)
        and value.ndim == 4
        and len(value) == count
        and value.is_floating_point()
        and value.shape[1] > 0
        and value.shape[2] * value.shape[3] > 1
    )


def _quantity(maps: Tensor) -> Quantity:
    """Whether maps hold probabilities: of a single class, or of classes that sum to 1 at each position."""
    sums = maps.float().sum(dim=1)
    within = bool((maps >= 0).all()) and bool((maps <= 1).all())
    whole = maps.shape[1] == 1 or bool(((sums - 1).abs() < TOLERANCE).all())
    return Quantity.PROBABILITY if within and whole else Quantity.LOGIT
