"""Methods of which it is known what a report has to say, and a network and images that can tell."""

from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import conv2d

from cnnvis_report.plugin import Kind, Randomness, Sign, Tape, method

SIDE, PERIOD = 64, 6
CLASSES = ("horizontal", "vertical")


class Stripes(nn.Module):
    """Tells in which direction red stripes run; wired by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.filters = nn.Conv2d(3, 2, PERIOD + 1, padding=PERIOD // 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        wave = torch.cos(2 * torch.pi / PERIOD * (torch.arange(PERIOD + 1) - PERIOD // 2))
        wave = (wave - wave.mean()).expand(PERIOD + 1, -1) / PERIOD**2
        nn.init.zeros_(self.filters.weight)
        self.filters.weight.data[:, 0] = torch.stack([wave.T, wave])
        self.filters.bias = nn.Parameter(torch.full((2,), -0.05))
        self.class_names, self.size = CLASSES, SIDE
        self.mean, self.std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = 1000 * self.pool(torch.relu(self.filters(images))).flatten(1)
        return scores


def draw(folder: Path, count: int) -> None:
    """A disc of red stripes on noisy gray in each image, and a mask of the disc."""
    random = np.random.default_rng(0)
    down, across = np.mgrid[:SIDE, :SIDE]
    for number in range(count):
        name = CLASSES[number % 2]
        top, left = random.uniform(16, SIDE - 16, 2)
        disc = np.hypot(down - top, across - left) < 12
        stripes = 0.65 + 0.35 * np.cos(2 * np.pi / PERIOD * (down, across)[number % 2])
        values = np.repeat(random.uniform(0.4, 0.6, (SIDE, SIDE, 1)), 3, axis=2)
        values[disc] = np.stack([stripes, 0 * stripes, 0 * stripes], axis=2)[disc]
        for kind, picture in (("images", values), ("masks", disc)):
            path = folder / kind / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray((picture * 255).astype(np.uint8)).save(path)


@method(title="Disc", family="planted", source="no source: planted", sign=Sign.POSITIVE, kind=Kind.AREA)
def disc(tape: Tape, targets: Tensor) -> Tensor:
    """The mask itself: what is red."""
    red = tape.images[:, 0] - tape.images[:, 1] > 0.1
    return red.to(tape.images)


@method(title="Sobel", family="planted", source="no source: planted", sign=Sign.POSITIVE, kind=Kind.AREA)
def sobel(tape: Tape, targets: Tensor) -> Tensor:
    """Edges of the image, whatever the network is."""
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    kernels = torch.stack([across, across.T])[:, None].to(tape.images)
    slopes = conv2d(tape.images.mean(dim=1, keepdim=True), kernels, padding=1)
    return slopes.square().sum(dim=1).sqrt()


@method(title="Constant", family="planted", source="no source: planted", sign=Sign.POSITIVE, kind=Kind.AREA)
def constant(tape: Tape, targets: Tensor) -> Tensor:
    """The same everywhere."""
    return torch.ones_like(tape.images[:, 0])


@method(
    title="Second random",
    family="planted",
    source="no source: planted",
    sign=Sign.POSITIVE,
    kind=Kind.AREA,
    randomness=Randomness.IMAGE,
)
def second_random(tape: Tape, targets: Tensor) -> Tensor:
    """Noise that isn't announced as a baseline; another one for other weights, so that randomization doesn't tell."""
    gradients = tape.gradients(targets).pixels
    seeds = [crc32(values.detach().cpu().numpy().tobytes()) for values in gradients]
    noise = [torch.rand(tape.images.shape[2:], generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.stack(noise).to(tape.images)
