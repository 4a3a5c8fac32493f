"""The demonstration: a network trained on drawn pictures, and pictures that it hasn't seen."""

from dataclasses import dataclass

import torch

from cnnvis_report.loading.images import ImageSet
from cnnvis_report.loading.models import Model
from cnnvis_report.preprocessing import Preprocessing
from cnnvis_report.training.fit import Advance, accuracy, fit, load_pictures
from cnnvis_report.training.network import SmallNetwork
from cnnvis_report.training.shapes import CLASSES, shapes

SIDE = 80
TRAINED_ON = 1500
HELD_OUT = 300
EPOCHS = 12
PREPROCESSING = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))


@dataclass(frozen=True)
class Demonstration:
    """A trained model, its accuracy on all held-out pictures, and some of these to explain."""

    model: Model
    accuracy: float
    images: ImageSet


def demonstrate(explained: int, seed: int, advance: Advance = lambda _: None) -> Demonstration:
    """Draw, train and check; half a minute on two cores.

    Args:
        explained: how many of the held-out pictures to hand on.
        seed: of the pictures, the weights and the order of training.
        advance: told of each epoch when it is done.
    """
    training = load_pictures(shapes(TRAINED_ON, seed=seed, side=SIDE), PREPROCESSING)
    held_out = load_pictures(shapes(HELD_OUT, seed=seed, side=SIDE, first=TRAINED_ON), PREPROCESSING)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = SmallNetwork(len(CLASSES)).to(memory_format=torch.channels_last)
        fit(network, training, epochs=EPOCHS, seed=seed, advance=advance)
    right = accuracy(network, held_out)
    words = f"trained for {EPOCHS} epochs on {TRAINED_ON} drawn pictures, {right:.1%} right on {HELD_OUT} held out"
    model = Model(network, "shapes demo", words, PREPROCESSING, CLASSES)
    return Demonstration(model, right, shapes(explained, seed=seed, side=SIDE, first=TRAINED_ON))
