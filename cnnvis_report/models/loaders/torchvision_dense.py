"""Segmentation networks and detectors of torchvision by name, with its own weights or somebody's."""

from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import torchvision
from torch import nn
from torchvision.models import detection, segmentation

from cnnvis_report.data.preprocessing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cnnvis_report.engine.outputs.boxes import declared_classes
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.read_checkpoint import load_into, read_for
from cnnvis_report.models.checkpoints.state_versions import put_tensors
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.torchvision_models.pretrained import fetched, weights_asked_for

SEGMENTATION_SIDE = 520  # pixels of the shorter side, as torchvision validates
CHECKED = "every tensor by name and shape; the number of classes is read from the file"
LAST = ("classifier.4.weight", "classifier.low_classifier.weight", "roi_heads.box_predictor.cls_score.weight")


@lru_cache(maxsize=1)
def names() -> dict[str, ModuleType]:
    """The names of both kinds, with the module of torchvision that each is in."""
    return {
        name: module for module in (segmentation, detection) for name in torchvision.models.list_models(module=module)
    }


def is_dense(model: str) -> bool:
    """Whether a text is NAME or NAME@VERSION of a segmentation network or a detector of torchvision."""
    return model.partition("@")[0] in names()


@loader(
    title="a segmentation network or detector of torchvision",
    example="fcn_resnet50 or fasterrcnn_resnet50_fpn_v2",
    matches=is_dense,
    order=12,
    ways=(
        Way("a segmentation network of torchvision", "fcn_resnet50", "the file's hash, as torchvision states it"),
        Way("a detector of torchvision", "fasterrcnn_resnet50_fpn_v2", "the file's hash, as torchvision states it"),
        Way("a state dict for one of these", "fcn_resnet50 --weights FILE", CHECKED),
    ),
)
def torchvision_dense(request: ModelRequest) -> Model:
    """Open a segmentation network or a detector of torchvision by name."""
    name, entry = weights_asked_for(request)
    if request.weights is not None:
        return _with_file(name, request.weights)
    if request.untrained:
        return _model(name, _network(name), "none", None)
    file = Path(entry.url).name
    state = fetched(name, entry, file)
    classes = tuple(map(str, entry.meta["categories"]))
    network = _network(name, num_classes=len(classes))
    missing = put_tensors(network, state, strict=False)  # a head for training alone may be too many
    if missing:
        raise BadRequest(f"{file}: has no {missing[0]}, which {name} needs. Download it again.")
    return _model(name, network, f"torchvision {entry.name}", classes)


def _with_file(name: str, path: Path) -> Model:
    """The architecture with somebody's weights, and as many classes as they have."""
    weights = read_for(_network(name), path)
    count = next((len(weights.state[key]) for key in LAST if key in weights.state), None)
    settings: dict[str, Any] = {} if count is None else {"num_classes": count}
    if any(key.startswith("aux_classifier.") for key in weights.state):
        settings["aux_loss"] = True
    network = _network(name, **settings)
    load_into(network, weights, path)
    entry = torchvision.models.get_model_weights(name).DEFAULT
    known = tuple(map(str, entry.meta["categories"]))
    classes = known if (count or declared_classes(network)) == len(known) else None
    return _model(name, network, path.name, classes)


def _network(name: str, **settings: Any) -> nn.Module:
    """The architecture with random weights."""
    network: nn.Module = torchvision.models.get_model(name, weights=None, weights_backbone=None, **settings)
    return network


def _model(name: str, network: nn.Module, weights: str, classes: tuple[str, ...] | None) -> Model:
    if names()[name] is segmentation:
        preprocessing = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, resize=SEGMENTATION_SIDE)
        return Model(network, name, weights, preprocessing, classes, task="segmentation")
    return Model(network, name, weights, Preprocessing(resize=_side(network)), classes, task="detection")


def _side(network: nn.Module) -> int | tuple[int, int]:
    """The size that a detector makes its pictures itself; given so, nothing is resized twice."""
    transform: Any = network.transform
    if transform.fixed_size is not None:
        width, height = transform.fixed_size
        return int(height), int(width)
    return int(transform.min_size[-1])
