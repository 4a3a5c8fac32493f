"""Networks that know the labels of plain pictures in advance, and what runs of them have to say."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.models.load import load_model
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.planning.plan import plan_setups
from cnnvis_report.pipeline.run import run
from cnnvis_report.pipeline.setup import select_images, set_up_model
from cnnvis_report.progress import Progress
from cnnvis_report.records.images import Label
from cnnvis_report.report.write import write_site
from cnnvis_report.store import load_run
from tests.factories import described
from tests.narrow import present

SIDE = 16


UNKNOWN = "1 image with a label that the network doesn&#39;t know"


SCALE = 12.0


class Brightness(nn.Module):
    """Scores that are linear in the mean of the red, the green and the blue of a picture, 0…1: SCALE (mean − 0.5)."""

    size, mean, std = SIDE, (0.0,) * 3, (1.0,) * 3

    def __init__(self, columns: int = 3) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 3, 1), nn.Linear(3, columns)
        with torch.no_grad():
            self.conv.weight.copy_(torch.eye(3)[:, :, None, None]), present(self.conv.bias).zero_()
            self.fc.weight.copy_(SCALE * torch.eye(3)[:columns]), self.fc.bias.fill_(-SCALE / 2)

    def forward(self, x: Any) -> Any:
        return self.fc(self.conv(x).relu().mean((2, 3)))


def colors() -> nn.Module:
    """Three labels that don't exclude each other."""
    return described(Brightness(), class_names=("red", "green", "blue"), task="multilabel")


def reddish() -> nn.Module:
    return Brightness(1)


def amount() -> nn.Module:
    return described(Brightness(1), class_names=("amount",), task="regression")


# name: the picture's red, green and blue, of 255, and its labels
PICTURES = {
    "a": ((250, 20, 20), ("red",)),
    "b": ((250, 240, 20), ("red", "green")),
    "c": ((20, 240, 20), ("red",)),
    "d": ((200, 30, 150), ("red", "green")),
    "e": ((30, 30, 30), ("green", "ghost")),
    "f": ((30, 200, 30), ("ghost",)),
    "g": ((90, 140, 30), ()),
}


def open_labels(folder: Path, only: Any = "all", labels: Any = None) -> Any:
    """The setup of a run over the pictures with their labels."""
    known = labels or {name: given for name, (_, given) in PICTURES.items()}

    def images(classes: Any) -> Any:
        found = labeled(find_images((folder,)), classes)
        items = [
            replace(
                item,
                labels=tuple(Label(n, classes.index(n) if n in classes else None) for n in known[Path(item.name).stem]),
            )
            for item in found
        ]
        return replace(found, items=tuple(items))

    config = RunConfig.of(
        "tests.data.several_labels:colors",
        images=(folder,),
        methods=("gradient", "grad_cam"),
        device="cpu",
        select=only,
    )
    setup = set_up_model(load_model(config.model.model), images, config)
    return setup if only == "all" else select_images(setup, Progress())


def write(setup: Any, folder: Path) -> Any:
    run(setup, plan_setups([setup], lambda *_: 0.0)[0], folder, Progress())
    write_site(load_run(folder))
    return folder


def shares(name: str) -> Any:
    return 1 / (1 + np.exp(-SCALE * (np.array(PICTURES[name][0]) / 255 - 0.5)))


def slow_average_precision(truth: Any, scores: Any) -> Any:
    """Precision and recall at every threshold that is a score."""
    points = [(0.0, 1.0)]
    for threshold in sorted(set(scores), reverse=True):
        above = scores >= threshold
        points.append((truth[above].sum() / truth.sum(), truth[above].mean()))
    return sum((recall - before) * precision for (before, _), (recall, precision) in pairwise(points))


def page(path: Path) -> Any:
    """A page's text."""
    return path.read_text("utf-8")
