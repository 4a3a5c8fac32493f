"""A small network for pictures of any size."""

from itertools import pairwise

from torch import Tensor, nn


class SmallNetwork(nn.Module):
    """Four blocks of convolution, batch norm and ReLU with pooling between, global average, one linear layer.

    Args:
        classes: how many scores it gives.
        channels: of the pictures, 1 or 3.
        width: channels of the first block; the others have two, four and four times as many.
    """

    def __init__(self, classes: int, channels: int = 3, width: int = 16) -> None:
        super().__init__()
        sizes = [channels, width, 2 * width, 4 * width, 4 * width]
        blocks = [_block(before, after) for before, after in pairwise(sizes)]
        pooled = [layer for block in blocks[:-1] for layer in (block, nn.MaxPool2d(2))]
        self.features = nn.Sequential(*pooled, blocks[-1])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(sizes[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        """[N, classes] scores of [N, channels, H, W] images."""
        scores: Tensor = self.classifier(self.pool(self.features(images)).flatten(1))
        return scores


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU(inplace=True)
    )
