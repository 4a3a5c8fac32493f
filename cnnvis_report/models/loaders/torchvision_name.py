"""Classifiers of torchvision by name, with its own weights or somebody's."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import torchvision
from torchvision.models import WeightsEnum

from cnnvis_report.data.preprocessing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cnnvis_report.models.checkpoints.read_checkpoint import candidates_in, load_into, read_content, split_key
from cnnvis_report.models.checkpoints.tensor_matching import match
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.loader import ModelRequest, Way, loader
from cnnvis_report.models.model import Model
from cnnvis_report.models.timm_models.training import timm_notices
from cnnvis_report.models.torchvision_models.classifiers import CLASSES, build_for, skeleton
from cnnvis_report.models.torchvision_models.fastai import fastai_network
from cnnvis_report.models.torchvision_models.heads import with_head
from cnnvis_report.models.torchvision_models.pretrained import fetched, weights_asked_for


@lru_cache(maxsize=1)
def classifiers() -> tuple[str, ...]:
    """The names that torchvision has for classifiers."""
    return tuple(torchvision.models.list_models(module=torchvision.models))


def is_classifier(model: str) -> bool:
    """Whether a text is NAME or NAME@VERSION of a classifier of torchvision."""
    return model.partition("@")[0] in classifiers()


TENSORS = "every tensor by name and shape; classes, channels and head are read from the file"


@loader(
    title="a classifier of torchvision",
    example="resnet50 or resnet50@IMAGENET1K_V2",
    matches=is_classifier,
    order=10,
    ways=(
        Way("a classifier of torchvision", "resnet50@IMAGENET1K_V2", "the file's hash, as torchvision states it"),
        Way("a state dict for one, `.pth` or `.pt`", "resnet18 --weights FILE", TENSORS),
        Way("the same as `.safetensors`", "resnet18 --weights FILE.safetensors", TENSORS),
        Way("a checkpoint of a training script, by whatever key", "resnet18 --weights FILE", TENSORS),
        Way("a checkpoint of several networks, or averaged ones", "resnet18 --weights FILE#KEY", TENSORS),
        Way("a state dict of a fastai learner, `learn.save()`", "resnet18 --weights FILE", TENSORS),
    ),
)
def torchvision_name(request: ModelRequest) -> Model:
    """Open a classifier of torchvision by name, with torchvision's weights or those of a file."""
    name, entry = weights_asked_for(request)
    if request.weights is not None:
        return _with_file(name, request.weights)
    return _untrained(name) if request.untrained else _pretrained(name, entry)


def _pretrained(name: str, entry: WeightsEnum) -> Model:
    """The architecture with weights that torchvision knows where to fetch."""
    file = Path(entry.url).name
    built = build_for(name, fetched(name, entry, file), file)
    load_into(built.network, built.state, Path(file))
    classes = tuple(entry.meta["categories"])
    return Model(built.network, name, f"torchvision {entry.name}", preprocessing_of(entry), classes)


def _untrained(name: str) -> Model:
    """The architecture with random weights."""
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = torchvision.models.get_model(name, weights=None, **options)
    side = 299 if name == "inception_v3" else 224
    preprocessing = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, resize=(side, side))
    return Model(network, name, "none", preprocessing.with_channels(input_channels(network) or 3), None)


def _with_file(name: str, path: Path) -> Model:
    """The architecture with somebody's weights, and as many classes, channels and layers of the head as they have."""
    file = split_key(path)[0]
    content = read_content(file)
    weights = match(candidates_in(content, path), skeleton(name).state_dict())
    learner = fastai_network(name, weights.state, file.name)
    if learner is not None:
        load_into(learner.network, weights.state, path, architecture=name)
        entry = next(iter(torchvision.models.get_model_weights(name)))
        notices = (*weights.notices(file.name), learner.notice)
        return Model(learner.network, name, path.name, preprocessing_of(entry), None, notices=notices)
    weights, guessed = with_head(name, weights, file.name)
    built = build_for(name, weights.state, file.name)
    strangers = tuple(key for key in weights.strangers if key in built.state)
    load_into(built.network, replace(weights, state=built.state, strangers=strangers), path, architecture=name)
    versions = list(torchvision.models.get_model_weights(name))
    # a file by torchvision's name is torchvision's; a training of one's own usually keeps the first preprocessing
    entry = next((version for version in versions if Path(version.url).name == file.name), versions[0])
    preprocessing = preprocessing_of(entry).with_channels(input_channels(built.network) or 3)
    classes = tuple(entry.meta["categories"]) if built.classes == CLASSES else None
    notices = (*timm_notices(content, file, name), *weights.notices(file.name), *guessed, *built.notices)
    return Model(built.network, name, path.name, preprocessing, classes, notices=notices)


def preprocessing_of(entry: WeightsEnum) -> Preprocessing:
    """What torchvision does to an image before it goes into the network."""
    preset = entry.transforms()
    return Preprocessing(
        tuple(map(float, preset.mean)),
        tuple(map(float, preset.std)),
        resize=preset.resize_size[0],
        crop=(preset.crop_size[0], preset.crop_size[0]),
        interpolation=preset.interpolation.value,
    )
