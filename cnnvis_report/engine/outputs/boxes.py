"""Detection: the scores are those of a class's best boxes, which perturbed versions of the image have to find again.

There is a column for the best box of each class, then one for the second box of each, and so on. Where a part of the
image is hidden the boxes may be other ones, elsewhere. So a box counts there by its score times its overlap
(intersection over union) with the box of the image as it is, as D-RISE does it (Petsiuk et al. 2021, arXiv 2006.03204).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchvision.ops import box_iou

from cnnvis_report.engine.outputs.readers import Anchor, Shape
from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.context import described
from cnnvis_report.records.scores import BOXES

MOST = 100  # boxes of an image that are kept
PARTS = ("boxes", "labels", "scores")


@dataclass(frozen=True)
class Boxes:
    """What is detected in N images.

    best: [N, columns, 4], corners x0, y0, x1, y1 in pixels of each class's best box, then of each one's second, up to
    `BOXES`. shares: [N, columns], their scores, 0 where the class has no such box. all: [M, 6] for each image: the
    corners, class and score of every box, best first.
    """

    best: Tensor
    shares: Tensor
    all: tuple[Tensor, ...]

    def rows(self, indices: Tensor) -> "Boxes":
        """The boxes of other images [M], each a version of one of the N."""
        indices = indices.to(self.best.device)
        return Boxes(self.best[indices], self.shares[indices], tuple(self.all[index] for index in indices.tolist()))

    def moved(self, device: str) -> "Boxes":
        """The same on another device."""
        return Boxes(self.best.to(device), self.shares.to(device), tuple(boxes.to(device) for boxes in self.all))


@dataclass(frozen=True)
class BoxScores:
    """Reads detections, for each image a dictionary with its boxes, their labels and scores, as scores of classes.

    classes: how many there are.
    """

    reads: str
    classes: int
    notes: dict[str, None] = field(default_factory=dict)
    anchored = True
    names: ClassVar[tuple[str, ...] | None] = None
    shapes: ClassVar[frozenset[Shape]] = frozenset()

    @classmethod
    def of(cls, output: Any, network: nn.Module, name: str) -> "BoxScores":
        """The reader of detections like a network's first ones.

        Args:
            name: of the network.
        """
        highest = max((int(image["labels"].max()) for image in output if len(image["labels"])), default=0)
        return cls(name, max(declared_classes(network) or 0, highest + 1))

    def read(self, output: Any, count: int, anchor: Anchor | None = None) -> tuple[Tensor, Anchor | None]:
        """[N, columns]: the scores of the best boxes, or of those that overlap most with the anchor's."""
        if not are_detections(output, count):
            raise BadRequest(f"{self.reads} returns {described(output)}, and gave boxes of {count} images before.")
        anchors = anchor if isinstance(anchor, Boxes) else None
        rows = [
            self._read_image(image, None if anchors is None else anchors.best[index])
            for index, image in enumerate(output)
        ]
        scores = torch.stack([scores for scores, _ in rows])
        if anchors is not None:
            return scores, anchors
        best = torch.stack([corners for _, corners in rows])
        return scores, Boxes(best, scores.detach(), tuple(map(_listed, output)))

    def _read_image(self, image: Mapping[str, Tensor], anchor: Tensor | None) -> tuple[Tensor, Tensor]:
        """[columns] scores of an image, and [columns, 4] the boxes that have them."""
        boxes, labels, scores = (image[part] for part in PARTS)
        if len(labels) and int(labels.max()) >= self.classes:
            raise BadRequest(f"{self.reads} gives a box of class {int(labels.max())}, and has {self.classes} classes.")
        columns = self.classes * BOXES
        values = scores.new_zeros(columns) + scores.sum() * 0  # an image without a box still leads back to it
        corners = boxes.new_zeros(columns, 4)
        if not len(labels):
            return values, corners
        if anchor is not None:
            overlaps = box_iou(boxes.detach().float(), anchor.float()).to(scores)
            of_class = labels.view(-1, 1) == torch.arange(columns, device=labels.device) % self.classes
            return values + (scores.view(-1, 1) * overlaps * of_class).max(dim=0).values, corners
        chosen = self._best(scores.detach(), labels)
        indices, rows = (torch.tensor(list(numbers), device=labels.device) for numbers in (chosen, chosen.values()))
        return values.scatter_add(0, indices, scores[rows]), corners.index_copy(0, indices, boxes.detach()[rows])

    def _best(self, scores: Tensor, labels: Tensor) -> dict[int, int]:
        """Which box stands in a column, of the columns that have one."""
        order = scores.argsort(descending=True, stable=True)
        chosen: dict[int, int] = {}
        counts: dict[int, int] = {}
        for row, label in zip(order.tolist(), labels[order].tolist(), strict=True):
            rank = counts.get(label, 0)
            if rank < BOXES:
                chosen[rank * self.classes + label] = row
            counts[label] = rank + 1
        return chosen


def are_detections(output: Any, count: int) -> bool:
    """Whether an output is a list with a dictionary of boxes, labels and scores for each image."""
    return (
        isinstance(output, list | tuple)
        and len(output) == count > 0
        and all(
            isinstance(image, Mapping) and all(isinstance(image.get(part), Tensor) for part in PARTS)
            for image in output
        )
        and all(image["boxes"].shape == (len(image["labels"]), 4) for image in output)
        and all(image["scores"].shape == image["labels"].shape for image in output)
    )


def declared_classes(network: nn.Module) -> int | None:
    """How many classes a detector of torchvision's or transformers' says that it has, a background among them."""
    labels = getattr(getattr(network, "config", None), "num_labels", None)
    if isinstance(labels, int):
        return labels
    for module in network.modules():
        predictor = getattr(module, "cls_score", None)
        if isinstance(predictor, nn.Linear):
            return predictor.out_features
        for name in ("num_classes", "num_columns"):
            count = vars(module).get(name)
            if isinstance(count, int) and count > 1:
                return count
    return None


def _listed(image: Mapping[str, Tensor]) -> Tensor:
    """[M, 6]: corners, class and score of an image's boxes, best first."""
    boxes, labels, scores = (image[part].detach().float() for part in PARTS)
    order = scores.argsort(descending=True, stable=True)[:MOST]
    return torch.cat([boxes[order], labels[order, None], scores[order, None]], dim=1)
