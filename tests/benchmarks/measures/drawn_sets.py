"""Drawn images with masks of what decides the class, and networks that are trained on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.image_set import ImageItem
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.engine.subject import Subject
from cnnvis_report.evaluation.baselines import BASELINES, baseline
from cnnvis_report.evaluation.metric import Mask
from cnnvis_report.models.architectures import SMALL
from cnnvis_report.records.images import Label
from cnnvis_report.synthetic.write import KINDS
from cnnvis_report.training.model import Source
from cnnvis_report.training.splits import Data
from cnnvis_report.training.tensors import Pictures, read_pictures
from cnnvis_report.training.train import TrainConfig, TrainProgress, train_on

HELD_OUT = 150  # for validation, and as many for testing


@dataclass(frozen=True)
class DrawnSet:
    """A kind of drawn images, and how a network is trained on it.

    side: of the images that the network sees, in pixels.
    """

    name: str
    side: int
    gray: bool
    training: int
    epochs: int
    augment: str

    def pictures(self, first: int, count: int, seed: int) -> Pictures:
        """So many images, from a number on."""
        kind = KINDS[self.name]
        items = tuple(
            ImageItem(str(number), str(number), partial(self.drawn, number, seed), "", (label,))
            for number in range(first, first + count)
            for label in [Label("", number % len(kind.classes))]
        )
        plain = Preprocessing((0.0,) * 3, (1.0,) * 3, resize=(self.side, self.side))
        return read_pictures(items, plain, gray=self.gray, advance=lambda _: None)[0]

    def drawn(self, number: int, seed: int) -> Image.Image:
        """The image of a number, as large as `make-dataset` draws it."""
        kind = KINDS[self.name]
        return kind.draw(number, seed, kind.side, kind.variants[0]).picture

    def mask(self, number: int, seed: int) -> Mask:
        """[side, side]: where the image of a number shows what decides the class."""
        kind = KINDS[self.name]
        mask = kind.draw(number, seed, kind.side, kind.variants[0]).mask
        return np.asarray(mask.resize((self.side, self.side), Image.Resampling.NEAREST)) > 0


SETS = {
    drawn.name: drawn
    for drawn in (
        DrawnSet("shapes", side=80, gray=False, training=1500, epochs=12, augment="d4"),
        DrawnSet("layers", side=96, gray=True, training=800, epochs=15, augment="light"),
    )
}


@dataclass(frozen=True)
class Problem:
    """A trained network and held-out images [N, C, H, W] with their classes [N] and masks [N, H, W]."""

    subject: Subject
    images: Tensor
    targets: Tensor
    masks: Sequence[Mask]

    @torch.no_grad()
    def correct(self, images: Tensor) -> Tensor:
        """[N]: whether each image is classified correctly."""
        return self.subject.forward(images).argmax(dim=1) == self.targets

    def chosen(self, indices: Sequence[int]) -> "Problem":
        """The same with these images alone."""
        return Problem(
            self.subject, self.images[list(indices)], self.targets[list(indices)], [self.masks[i] for i in indices]
        )


def problem_of(drawn: DrawnSet, seed: int) -> Problem:
    """Train a network, and draw images that it hasn't seen."""
    last = drawn.training + HELD_OUT
    data = Data(
        KINDS[drawn.name].classes,
        drawn.pictures(0, drawn.training, seed),
        drawn.pictures(drawn.training, HELD_OUT, seed),
        drawn.pictures(last, HELD_OUT, seed),
        (),
        (),
    )
    order = TrainConfig(
        Path(drawn.name),
        Path("network.pt"),
        epochs=drawn.epochs,
        batch_size=25,
        augment=drawn.augment,
        patience=0,
        seed=seed,
    )
    trained, _ = train_on(order, data, Source(SMALL), torch.device("cpu"), TrainProgress())
    assert data.test is not None
    assert data.test.stored is not None
    images = trained.preprocessing.normalize(data.test.stored.float() / 255)
    subject = Subject(trained.network, images[:1], preprocessing=trained.preprocessing)
    masks = [drawn.mask(number, seed) for number in range(last, last + HELD_OUT)]
    return Problem(subject, images, data.test.targets, masks)


def accuracies(problem: Problem) -> dict[str, float]:
    """Fractions of images classified correctly: as they are, outside the mask replaced, and inside the mask replaced.

    A network that needs what the mask doesn't show loses by the former; one that the outline of the replaced part
    tells the class doesn't lose by the latter.
    """
    masks = torch.from_numpy(np.stack(problem.masks))[:, None]
    black = problem.subject.preprocessing.black(problem.images[:1])
    fractions = {"as they are": float(problem.correct(problem.images).float().mean())}
    for name in BASELINES:
        replaced = torch.stack([baseline(image, name, black) for image in problem.images])
        for side, kept in (("outside", masks), ("inside", ~masks)):
            images = torch.where(kept, problem.images, replaced)
            fractions[f"{side}, {name}"] = float(problem.correct(images).float().mean())
    return fractions
