"""Small trainings, and what is seen of them."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from cnnvis_report.data.image_set import ImageItem
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.training.state import Hyperparameters
from cnnvis_report.training.tensors import Pictures
from cnnvis_report.training.train import TrainConfig, TrainProgress, train
from tests.narrow import present

CPU = torch.device("cpu")


def class_folders(
    folder: Path, counts: Mapping[str, int], *, side: int = 28, color: bool = True, first: int = 0
) -> Path:
    """Pictures of noise, a class brighter than the one before it, so many of each."""
    random = np.random.default_rng([first, *counts.values()])
    for level, (name, count) in enumerate(counts.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            pixels = random.integers(0, 180, (side, side, 3)) + 35 * level
            picture = Image.fromarray(np.uint8(pixels if color else np.repeat(pixels[..., :1], 3, axis=2)))
            picture.save(folder / name / f"{number}.png")
    return folder


def nothing() -> Image.Image:
    raise AssertionError("a picture in memory isn't opened")


def pictures(targets: list[int], seed: int = 0) -> Pictures:
    """Gray noise in memory, 5 pixels a side."""
    generator = torch.Generator().manual_seed(seed)
    stored = torch.randint(0, 256, (len(targets), 1, 5, 5), dtype=torch.uint8, generator=generator)
    items = tuple(ImageItem(f"{at}", f"{at}.png", nothing, f"{at}") for at in range(len(targets)))
    return Pictures(items, torch.tensor(targets), Preprocessing((0.4,), (0.3,), resize=(5, 5)), stored)


def ready(several: Pictures) -> Tensor:
    """[N, C, H, W] as a network reads them, worked out again."""
    shape = (1, -1, 1, 1)
    mean, std = (torch.tensor(values).view(shape) for values in (several.preprocessing.mean, several.preprocessing.std))
    return (present(several.stored).float() / 255 - mean) / std


def linear() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(25, 3))


def hyperparameters(**changes: Any) -> Hyperparameters:
    return replace(
        Hyperparameters(epochs=3, batch_size=8, rate=0.02, patience=0, augment=lambda batch: batch), **changes
    )


class Watching(TrainProgress):
    """Keeps what it is told, and the weights after each epoch."""

    def __init__(self, network: Any = None) -> None:
        self.network = network
        self.states: list[dict[str, Tensor]] = []

    def ready(self, data: Any, trainee: Any, hyperparameters: Any) -> None:
        self.data, self.network, self.hyperparameters = data, trainee.network, hyperparameters
        self.before = copy.deepcopy(trainee.network.state_dict())

    def epoch_done(self, progress: Any) -> None:
        self.states.append(copy.deepcopy(self.network.state_dict()))


def same(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def trained(folder: Path, output: Any, **order: Any) -> Any:
    """What came of a training, and what was seen of it."""
    seen = Watching()
    order = {"epochs": 2, "batch_size": 8, "augment": "none", **order}
    return train(TrainConfig(folder, output, **order), CPU, seen), seen


TARGETS = [at % 3 for at in range(23)]
