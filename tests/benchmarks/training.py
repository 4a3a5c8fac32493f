"""How much longer a round of training takes than its forward and backward passes, and how fast pictures are drawn.

    python tests/benchmarks/training.py [--images 400] [--size 128]

Prints, for each kind of augmentation, a round over the time of the same passes in a plain loop, in one process and
taking turns; and pictures drawn a second.
"""

import argparse
import time
from functools import partial
from statistics import median

import torch

from cnnvis_report.data.image_set import ImageItem
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.models.architectures import SMALL, Architecture, blocks_for, build
from cnnvis_report.records.images import Label
from cnnvis_report.synthetic import layers
from cnnvis_report.training.augment import augmentation
from cnnvis_report.training.config import AUGMENTATIONS
from cnnvis_report.training.epochs import EpochProgress, Epochs
from cnnvis_report.training.state import Hyperparameters
from cnnvis_report.training.tensors import read_pictures


def plain(network: torch.nn.Module, inputs: torch.Tensor, targets: torch.Tensor, batch: int) -> float:
    """Seconds of a loop that does nothing but what has to be done."""
    optimizer = torch.optim.AdamW(network.parameters(), 1e-3)
    network.train()
    start = time.perf_counter()
    for images, wanted in zip(inputs.split(batch), targets.split(batch), strict=True):
        loss = torch.nn.functional.cross_entropy(network(images), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--size", type=int, default=128)
    given = parser.parse_args()
    start = time.perf_counter()
    drawn = [layers.draw(number, 0, 213) for number in range(200)]
    print(f"draw: {200 / (time.perf_counter() - start):.0f} pictures of 213² a second, without writing them")
    examples = [drawn[number % len(drawn)] for number in range(given.images)]
    items = [
        ImageItem(str(number), str(number), partial(getattr, example, "picture"), "", (Label("", example.target),))
        for number, example in enumerate(examples)
    ]
    size = (given.size, given.size)
    pictures, _ = read_pictures(items, Preprocessing((0.5,), (0.2,), resize=size), gray=True, advance=lambda _: None)
    network = build(Architecture(SMALL, 2, 1, blocks_for(size))).to(memory_format=torch.channels_last)
    assert pictures.stored is not None
    inputs = pictures.preprocessing.normalize(pictures.stored.float() / 255).contiguous(
        memory_format=torch.channels_last
    )
    plain(network, inputs, pictures.targets, 32)
    for level in AUGMENTATIONS:
        epochs = Epochs(
            network, pictures, Hyperparameters(20, 32, 1e-3, 0, augmentation(level, size)), torch.device("cpu")
        )
        ratios = []
        for number in range(1, 4):
            start = time.perf_counter()
            epochs.run(number, EpochProgress())
            ratios.append((time.perf_counter() - start) / plain(network, inputs, pictures.targets, 32))
        print(f"augment {level:<7} a round takes {median(ratios):.2f} of a plain loop's time")


if __name__ == "__main__":
    main()
