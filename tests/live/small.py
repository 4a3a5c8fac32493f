"""A small network, and images that a program holds."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from cnnvis_report import create_report
from cnnvis_report.report.loaded_report import LoadedReport

QUICK: dict[str, Any] = {"methods": "grad_cam,gradient", "metrics": "none", "inspect": "none", "progress": "none"}
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)


def network(classes: int = 4) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    layers = nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
    )
    made = nn.Sequential(layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5), nn.Linear(8, classes))
    for parameter in made.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    return made


def inputs(count: int = 3, side: int = 16) -> Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def pictures(count: int = 3, side: int = 16) -> list[Image.Image]:
    values = np.random.default_rng(2).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    return [Image.fromarray(entry) for entry in values]


def transform(picture: Image.Image) -> Tensor:
    """A picture to what the network reads."""
    values = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1).float() / 255
    return (values - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


class Samples(torch.utils.data.Dataset[Any]):
    """A dataset of pictures with labels, transformed as torchvision's are."""

    classes = ("ant", "bee", "cat", "dog")

    def __init__(self, count: int = 3, transform: Any = None) -> None:
        self.pictures, self.transform, self.read = pictures(count), transform, 0

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        self.read += 1
        picture = self.pictures[index]
        return (self.transform(picture) if self.transform else picture), index % 4


def created(images: object, folder: Path, module: nn.Module | None = None, **settings: Any) -> LoadedReport:
    """A report on a few images, quickly."""
    return create_report(module or network(), images, output=folder / "report", **(QUICK | settings))
