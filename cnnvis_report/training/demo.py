"""Train a small network on synthetic images, for the demonstration on others that it hasn't seen."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.models.architectures import SMALL
from cnnvis_report.models.model import Model, Training
from cnnvis_report.synthetic.shapes import CLASSES, shapes
from cnnvis_report.training.model import Source
from cnnvis_report.training.splits import Data
from cnnvis_report.training.tensors import Pictures, read_pictures
from cnnvis_report.training.train import TrainConfig, TrainProgress, train_on

SIDE = 80
DRAWN = {"training": 1500, "validation": 150, "test": 300}
EPOCHS = 12


@dataclass(frozen=True)
class Demonstration:
    """A trained model, its accuracy on all held-out pictures, and some of these to explain."""

    model: Model
    accuracy: float
    images: ImageSet


def demonstrate(explained: int, seed: int, progress: TrainProgress) -> Demonstration:
    """Draw, train and check; half a minute on two cores.

    Args:
        explained: how many of the held-out pictures to hand on.
        seed: of the pictures, the weights and the order of training.
        progress: told how it goes on.
    """
    first, parts = 0, {}
    progress.reading(sum(DRAWN.values()))
    for name, count in DRAWN.items():
        parts[name] = _drawn(count, seed, first, progress)
        first += count
    data = Data(CLASSES, parts["training"], parts["validation"], parts["test"], (), ())
    order = TrainConfig(
        Path("shapes"), Path("demo.pt"), epochs=EPOCHS, batch_size=25, augment="d4", patience=0, seed=seed
    )
    trained, _ = train_on(order, data, Source(SMALL), torch.device("cpu"), progress)
    record = replace(trained.training, data="synthetic shapes")
    right = record.test.accuracy if record.test else 0.0
    words = (
        f"trained for {EPOCHS} epochs on {DRAWN['training']:,} synthetic images, "
        f"test accuracy {right:.1%} on {DRAWN['test']:,} held out"
    )
    model = Model(trained.network, "shapes demo", words, trained.preprocessing, CLASSES, Training(record))
    held_out = first - DRAWN["test"]
    return Demonstration(model, right, shapes(explained, seed=seed, side=SIDE, first=held_out))


def _drawn(count: int, seed: int, first: int, progress: TrainProgress) -> Pictures:
    drawn = shapes(count, seed=seed, side=SIDE, first=first)
    plain = Preprocessing((0.0,) * 3, (1.0,) * 3, resize=(SIDE, SIDE))
    pictures, _ = read_pictures(tuple(drawn), plain, gray=False, advance=progress.file_read)
    return pictures
