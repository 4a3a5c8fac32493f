"""A small detector whose scores and boxes can be computed by hand."""

import torch
from torch import Tensor, nn
from torchvision.ops import nms


class Detector(nn.Module):
    """Scores a grid of 4×4 boxes of 8×8 pixels for background and `classes` others, each by a linear map of its pixels.

    A box is kept where a class's probability is above `least`; of those that overlap the best one is.
    """

    def __init__(self, classes: int = 3, least: float = 0.2, side: int = 8) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.num_classes = classes + 1
        self.features = nn.Sequential(nn.Conv2d(3, 8, side, stride=side // 2), nn.ReLU())
        self.head = nn.Conv2d(8, classes + 1, 1)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.4
        self.side, self.least = side, least

    def probabilities(self, images: Tensor) -> Tensor:
        """[N, positions, classes + 1]."""
        scores: Tensor = self.head(self.features(images))
        return scores.softmax(dim=1).flatten(2).transpose(1, 2)

    def corners(self, images: Tensor) -> Tensor:
        """[positions, 4]."""
        step = self.side // 2
        rows, columns = ((side - self.side) // step + 1 for side in images.shape[2:])
        tops, lefts = torch.meshgrid(torch.arange(rows) * step, torch.arange(columns) * step, indexing="ij")
        corners = torch.stack([lefts, tops, lefts + self.side, tops + self.side], dim=-1)
        return corners.view(-1, 4).to(images)

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        """Boxes, labels and scores of each image."""
        corners = self.corners(images)
        results = []
        for probabilities in self.probabilities(images):
            positions, labels = (probabilities[:, 1:] > self.least).nonzero(as_tuple=True)
            scores = probabilities[positions, labels + 1]
            keep = nms(corners[positions], scores, 0.5) if len(scores) else positions
            results.append({"boxes": corners[positions][keep], "labels": labels[keep] + 1, "scores": scores[keep]})
        return results
