"""A network that does something else where a batch holds a bad image, and such images."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn

from tests.networks import seeded

SIDE = 16


def fail(error: Any) -> None:
    raise error


# what a network does with a bad image's scores [1, 4], and what is to be said of it
TROUBLES: list[tuple[Callable[[torch.Tensor], Any], str]] = [
    (lambda s: fail(ValueError("too bright")), "ValueError: too bright"),
    (lambda s: fail(KeyError("label")), "KeyError: 'label'"),
    (lambda s: fail(AssertionError()), "AssertionError"),
    (lambda s: fail(SystemExit(0)), "ends the program (SystemExit: 0)"),
    (lambda s: fail(StopIteration()), "StopIteration"),
    (lambda s: fail(GeneratorExit()), "ends the program (GeneratorExit"),
    (lambda s: fail(RecursionError("too deep")), "RecursionError: too deep"),
    (lambda s: s * torch.nan, "scores that aren't finite"),
    (lambda s: s.masked_fill(torch.eye(4)[0] > 0, torch.inf), "scores that aren't finite"),
    (lambda s: torch.cat([s, s], 1), "it gives 8 scores per image, and gave 4 before"),
    (lambda s: torch.cat([s, s]), "it gives 2 rows of scores for 1 images"),
    (lambda s: s[:, :, None, None].expand(-1, -1, 2, 2), "no N×classes scores"),
    (lambda s: "cat", "returns a str"),
    (lambda s: None, "returns a NoneType"),
]


RAISES, EXITS, NAN, MORE, POSITIONS = 0, 3, 7, 9, 11


def trouble_of(x: torch.Tensor) -> torch.Tensor:
    """[N]: the number of what is wrong with each image, as its first pixel says; negative where nothing is."""
    marked = (x[:, 0, 0, 0] < 0.005) & (x[:, 1, 0, 0] > 0.995)
    return torch.where(marked, (x[:, 2, 0, 0] * 255).round().long(), -1)


def with_trouble(x: torch.Tensor, scores: torch.Tensor) -> Any:
    """The scores where no image is bad, and what the first bad one makes of them; NaN is of that image alone."""
    trouble = trouble_of(x)
    scores = torch.where(trouble[:, None] == NAN, torch.nan, scores)
    bad = trouble[(trouble >= 0) & (trouble != NAN) & (trouble < len(TROUBLES))]
    return TROUBLES[int(bad[0])][0](scores) if len(bad) else scores


class Picky(nn.Module):
    """A small network that does something else where a batch holds a bad image; NaN is of that image alone."""

    size, mean, std = SIDE, (0.0,) * 3, (1.0,) * 3
    images = 0

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
        )
        self.classifier = nn.Linear(8, 4)

    def forward(self, x: Any) -> Any:
        Picky.images += len(x)
        scores = self.classifier(self.features(x).mean((2, 3)))
        return with_trouble(x, scores)


def picky() -> Any:
    return seeded(Picky(), 3)


def draw(folder: Any, count: Any, bad: Any) -> Any:
    """Small pictures, those at some places bad ones, each with its trouble."""
    folder.mkdir(parents=True)
    numbers = np.random.default_rng(0)
    for index in range(count):
        pixels = numbers.integers(20, 230, (SIDE, SIDE, 3), dtype=np.uint8)
        if index in bad:
            pixels[0, 0] = (0, 255, bad[index])
        Image.fromarray(pixels).save(folder / f"p{index:02}.png")
    return folder
