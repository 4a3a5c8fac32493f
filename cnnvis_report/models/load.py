"""A network from what a user types: a name of torchvision, with or without a file of weights, or one of their own."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torchvision
from torch import nn
from torchvision.models import WeightsEnum

from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.errors import BadRequest, EndsProgram, UnknownName, brief
from cnnvis_report.isolation.eval_mode import eval_mode
from cnnvis_report.isolation.process_state import running_user_code
from cnnvis_report.models.checkpoints import check_finite, load_into, read_for, silent_channels, split_key
from cnnvis_report.models.declared import declared
from cnnvis_report.models.factories import is_factory, make_network
from cnnvis_report.models.fastai_models import fastai_network
from cnnvis_report.models.torchvision_heads import with_head
from cnnvis_report.models.torchvision_models import CLASSES, build_for, skeleton
from cnnvis_report.models.trained_file import read_trained
from cnnvis_report.models.unknown_name import unknown
from cnnvis_report.records.training import TrainingRecord


@dataclass(frozen=True)
class Training:
    """How a model was trained; `seen` has the fingerprints of the images, `folder` the snapshots if they are there."""

    record: TrainingRecord
    seen: frozenset[str] = frozenset()
    folder: Path | None = None


@dataclass(frozen=True)
class Model:
    """A network as it was loaded, and what is known of how it is meant to be used.

    weights: where its weights come from, in words, without any folder of this machine.
    classes: names in index order, or None where nobody has said. training: where it was trained here.
    notices: what a user has to know of how it was loaded, a sentence each.
    """

    network: nn.Module
    name: str
    weights: str
    preprocessing: Preprocessing
    classes: tuple[str, ...] | None
    training: Training | None = None
    notices: tuple[str, ...] = ()


def load_model(model: str, weights: Path | None = None) -> Model:
    """The network called `model`.

    Args:
        model: a file that `train` has written, a torchvision classifier (`resnet50`, `resnet50@IMAGENET1K_V2`), or
            `package.module:name` or `path/to/file.py:name` for a function, a class or a network.
        weights: a file of weights, or FILE#KEY for those under a key of it; torchvision's own where None.

    Raises:
        UnknownName, BadRequest: nothing is called so, or the weights don't fit or can't be had.
    """
    if not model.strip():
        raise BadRequest("MODEL is empty: give a name of torchvision, a file of 'train', or path/to/file.py:factory.")
    if model.startswith("~"):  # a shell leaves it alone where it is quoted
        model = str(Path(model).expanduser())
    name, _, version = model.partition("@")
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known and Path(model).exists():
        loaded = _from_training(Path(model), weights)
    elif name not in known and is_factory(model):
        loaded = _from_factory(model, weights)
    else:
        if name not in known:
            raise unknown(model, known)
        if weights is None:
            loaded = _pretrained(name, version)
        elif version:
            raise BadRequest(f"{model}: give either @{version} or --weights, not both.")
        else:
            loaded = _from_file(name, weights)
    check_finite(loaded.network, loaded.name)
    notices = (*loaded.notices, *silent_channels(loaded.network))
    network = _single(loaded.network)
    network.eval()  # somebody's own may return nothing
    return replace(loaded, network=network, notices=notices)


def _single(network: nn.Module) -> nn.Module:
    """The network with float32 weights, unless it casts its images itself and takes none but those of its own type."""
    own = [
        (place, name, value.dtype)
        for module in network.modules()
        for place in (module._parameters, module._buffers)
        for name, value in place.items()
        if value is not None and value.is_floating_point() and value.dtype != torch.float32
    ]
    network.float()
    if own and input_channels(network) and not any(_takes(network, channels) for channels in (3, 1)):
        for place, name, dtype in own:
            place[name].data = place[name].to(dtype)  # type: ignore[union-attr]
    return network


def input_channels(network: nn.Module) -> int | None:
    """The channels that the network reads, or None where it has no convolution.

    Those of the convolution that is declared first, if it alone speaks for gray or color pictures; otherwise the
    network is tried on both, as a head or a gate may be declared before the features.
    """
    declared = [module.in_channels for module in network.modules() if isinstance(module, nn.Conv2d)]
    if not declared:
        return None
    likely = {*declared} & {1, 3}
    if {declared[0]} == likely:
        return declared[0]
    return next((channels for channels in (3, 1) if _takes(network, channels)), declared[0])


def _takes(network: nn.Module, channels: int) -> bool:
    """Whether the network runs on a picture of so many channels."""
    size = getattr(network, "size", 224)
    sides = (size, size) if isinstance(size, int) else tuple(size)
    like = next((parameter for parameter in network.parameters()), torch.zeros(()))
    try:
        with torch.no_grad(), eval_mode(network), running_user_code():
            network(torch.zeros(1, channels, *sides, device=like.device, dtype=like.dtype))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError, EndsProgram):
        return False
    return True


def _from_training(path: Path, weights: Path | None) -> Model:
    """A model that was trained here, from its one file."""
    trained = read_trained(path)
    if trained is None:
        raise BadRequest(
            f"{path.name} is a file with weights alone: give the architecture as MODEL and the file as --weights, "
            f"as in: cnnvis-report run resnet50 IMAGES --weights {path.name}"
        )
    if weights is not None:
        raise BadRequest(f"{path.name} has weights of its own; leave out --weights {weights.name}.")
    training = Training(trained.training, trained.seen, path.parent)
    # fingerprints of earlier versions begin with the file's size, and were of its two ends
    old = any("-" in each for each in trained.seen)
    notices = (f"{path.name} is of an earlier version: which images it was trained on can't be told.",) if old else ()
    return Model(
        network=trained.network,
        name=trained.architecture.name,
        weights=path.name,
        preprocessing=trained.preprocessing,
        classes=trained.classes,
        training=training,
        notices=notices,
    )


def check_version(name: str, version: str) -> None:
    """Refuse a version of torchvision's weights that there isn't; empty means the best.

    Raises:
        UnknownName: naming those that there are.
    """
    versions = torchvision.models.get_model_weights(name).__members__
    if version and version not in versions:
        raise UnknownName(f"weights version of {name}", version, versions)


def _pretrained(name: str, version: str) -> Model:
    """The architecture with weights that torchvision knows where to fetch."""
    check_version(name, version)
    versions = torchvision.models.get_model_weights(name)
    entry: WeightsEnum = versions[version] if version else versions.DEFAULT
    file = Path(Path(entry.url).name)
    try:
        state = entry.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise BadRequest(
            f"{name}: its weights {file} can't be downloaded ({brief(error)}). "
            f"Fetch {entry.url} where there is a network, and give --weights {file}."
        ) from error
    built = build_for(name, state, file.name)
    load_into(built.network, built.state, file)
    classes = tuple(entry.meta["categories"])
    return Model(built.network, name, f"torchvision {entry.name}", _preprocessing(entry), classes)


def _from_file(name: str, path: Path) -> Model:
    """The architecture with somebody's weights, and as many classes, channels and layers of the head as they have."""
    file = split_key(path)[0]
    found = read_for(skeleton(name), path)
    learner = fastai_network(name, found.state, file.name)
    if learner is not None:
        load_into(learner.network, found.state, path, asked=name)
        entry = next(iter(torchvision.models.get_model_weights(name)))
        notices = (*found.notices(file.name), learner.notice)
        return Model(learner.network, name, path.name, _preprocessing(entry), None, notices=notices)
    found, guessed = with_head(name, found, file.name)
    built = build_for(name, found.state, file.name)
    strangers = tuple(key for key in found.strangers if key in built.state)
    load_into(built.network, replace(found, state=built.state, strangers=strangers), path, asked=name)
    versions = list(torchvision.models.get_model_weights(name))
    # a file by torchvision's name is torchvision's; a training of one's own usually keeps the first preprocessing
    entry = next((version for version in versions if Path(version.url).name == file.name), versions[0])
    preprocessing = _preprocessing(entry).with_channels(input_channels(built.network) or 3)
    classes = tuple(entry.meta["categories"]) if built.classes == CLASSES else None
    notices = (*found.notices(file.name), *guessed, *built.notices)
    return Model(built.network, name, path.name, preprocessing, classes, notices=notices)


def _from_factory(spec: str, weights: Path | None) -> Model:
    """A network of the user's own, by the name of a function, a class or the network itself.

    The network may bring `class_names`, `mean`, `std` and `size` as attributes, and `scores`, what its scores mean.
    """
    network, notices = make_network(spec)
    if weights is not None:
        found = read_for(network, weights)
        load_into(network, found, weights)
        notices = (*notices, *found.notices(split_key(weights)[0].name))
    said = declared(network, spec, input_channels(network) or 3)
    return Model(
        network,
        spec.rpartition(":")[2],
        weights.name if weights else "as the factory made them",
        said.preprocessing,
        said.classes,
        notices=(*notices, *said.notices),
    )


def _preprocessing(entry: WeightsEnum) -> Preprocessing:
    preset = entry.transforms()
    return Preprocessing(
        tuple(map(float, preset.mean)),
        tuple(map(float, preset.std)),
        resize=preset.resize_size[0],
        crop=(preset.crop_size[0], preset.crop_size[0]),
        interpolation=preset.interpolation.value,
    )
