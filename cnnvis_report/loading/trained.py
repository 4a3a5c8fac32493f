"""Models that were trained here: one file with all that is needed to use them, read without running anything in it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cnnvis_report.architectures import Architecture, build
from cnnvis_report.errors import BadRequest
from cnnvis_report.files import beside
from cnnvis_report.loading.checkpoints import load_into, read_content
from cnnvis_report.preprocessing import Preprocessing
from cnnvis_report.records_json import from_json
from cnnvis_report.records_training import TrainingRecord

FORMAT = "cnnvis-report-model/1"


@dataclass(frozen=True)
class TrainedModel:
    """What such a file holds; `seen` has the fingerprints of the images that it was trained on."""

    network: nn.Module
    architecture: Architecture
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    training: TrainingRecord
    seen: frozenset[str]


def write_trained(path: Path, trained: TrainedModel) -> None:
    """Write the file, whole or not at all; the same model gives the same bytes.

    Raises:
        OSError: the disk is full, say.
    """
    content = {
        "format": FORMAT,
        "architecture": asdict(trained.architecture),
        "preprocessing": asdict(trained.preprocessing),
        "classes": list(trained.classes),
        "training": asdict(trained.training),
        "seen": sorted(trained.seen),
        "state_dict": {key: value.detach().cpu().contiguous() for key, value in trained.network.state_dict().items()},
    }
    # through an open file: by a path, the archive would have the file's name within
    with beside(path) as temporary, temporary.open("wb") as file:
        torch.save(content, file)


def read_trained(path: Path) -> TrainedModel | None:
    """The model of such a file, in eval mode; None where the file is a checkpoint of another kind.

    Raises:
        BadRequest: it can't be read, or is damaged.
    """
    content = read_content(path)
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        return None
    try:
        architecture = from_json(Architecture, content["architecture"])
        preprocessing = from_json(Preprocessing, content["preprocessing"])
        training = from_json(TrainingRecord, content["training"])
        classes = tuple(map(str, content["classes"]))
        seen = frozenset(map(str, content["seen"]))
        state = dict(content["state_dict"])
        _check(preprocessing, architecture, classes)
        network = build(architecture)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise BadRequest(f"{path}: isn't a model that this version can use ({error!r}). Train it again.") from error
    load_into(network, state, path)
    return TrainedModel(network.eval(), architecture, preprocessing, classes, training, seen)


def plain_name(name: str) -> bool:
    """Whether a file name from within a checkpoint stays in the folder of that checkpoint."""
    return bool(name) and Path(name).name == name and name not in (".", "..")


def _check(preprocessing: Preprocessing, architecture: Architecture, classes: tuple[str, ...]) -> None:
    numbers: list[Any] = [*preprocessing.mean, *preprocessing.std]
    if not all(isinstance(number, float) for number in numbers) or not all(std > 0 for std in preprocessing.std):
        raise ValueError("constants of the normalisation")
    if len(preprocessing.mean) != len(preprocessing.std) or preprocessing.channels not in (1, 3):
        raise ValueError("channels of the normalisation")
    sides = preprocessing.resize if isinstance(preprocessing.resize, tuple) else (preprocessing.resize,)
    if not all(
        side is None or (isinstance(side, int) and 0 < side <= 10_000) for side in (*sides, *(preprocessing.crop or ()))
    ):
        raise ValueError("sizes of the preprocessing")
    if len(classes) != architecture.classes:
        raise ValueError(f"{len(classes)} class names for {architecture.classes} classes")
