"""A subject from what a user types: a torchvision name, with or without a file of weights, or a factory."""

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import nn
from torchvision.models import WeightsEnum

from cnnvis_report.errors import BadRequest, CnnVisError, UnknownName, nearest
from cnnvis_report.loading.checkpoints import State, check_finite, load_into, read_state
from cnnvis_report.loading.trained import read_trained
from cnnvis_report.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cnnvis_report.records_training import TrainingRecord
from cnnvis_report.running import frozen

IMAGENET_CLASSES = 1000


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
            `package.module:factory`.
        weights: a file of weights; torchvision's own where None.

    Raises:
        UnknownName, BadRequest: nothing is called so, or the weights don't fit or can't be had.
    """
    name, _, version = model.partition("@")
    known = torchvision.models.list_models(module=torchvision.models)
    if name not in known and Path(model).is_file():
        loaded = _from_training(Path(model), weights)
    elif ":" in model:
        loaded = _from_factory(model, weights)
    else:
        if name not in known:
            raise _unknown(name, known)
        if weights is None:
            loaded = _pretrained(name, version)
        elif version:
            raise BadRequest(f"{model}: give either @{version} or --weights, not both.")
        else:
            loaded = _from_file(name, weights)
    check_finite(loaded.network, loaded.name)
    return replace(loaded, network=loaded.network.float().eval())


def input_channels(network: nn.Module) -> int | None:
    """The channels that the network reads, or None where it has no convolution.

    Those of the convolution that is declared first, if it alone speaks for grey or color pictures; otherwise the
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
        with torch.no_grad(), frozen(network):
            network(torch.zeros(1, channels, *sides, device=like.device, dtype=like.dtype))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError):
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


def _pretrained(name: str, version: str) -> Model:
    """The architecture with weights that torchvision knows where to fetch."""
    versions = torchvision.models.get_model_weights(name)
    if version and version not in versions.__members__:
        raise UnknownName(f"weights version of {name}", version, versions.__members__)
    entry: WeightsEnum = versions[version] if version else versions.DEFAULT
    try:
        state = entry.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (OSError, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        file = Path(entry.url).name
        raise BadRequest(
            f"{name}: its weights {file} can't be downloaded ({_brief(error)}). "
            f"Fetch {entry.url} where there is a network, and give --weights {file}."
        ) from error
    network = torchvision.models.get_model(name, weights=None, **_quirks(name, state), **_sizes(name, state))
    load_into(network, state, Path(Path(entry.url).name))
    return Model(network, name, f"torchvision {entry.name}", _preprocessing(entry), tuple(entry.meta["categories"]))


def _from_file(name: str, path: Path) -> Model:
    """The architecture with somebody's weights, and as many classes as they have."""
    state = read_state(path)
    network = torchvision.models.get_model(name, weights=None, **_quirks(name, state), **_sizes(name, state))
    load_into(network, state, path)
    versions = list(torchvision.models.get_model_weights(name))
    # a file by torchvision's name is torchvision's; a training of one's own usually keeps the first preprocessing
    entry = next((version for version in versions if Path(version.url).name == path.name), versions[0])
    imagenet = _sizes(name, state)["num_classes"] == IMAGENET_CLASSES
    classes = tuple(entry.meta["categories"]) if imagenet else None
    return Model(network, name, path.name, _preprocessing(entry), classes)


def _from_factory(spec: str, weights: Path | None) -> Model:
    """A network of the user's own: `package.module:factory`, called without arguments.

    The network may bring `class_names`, `mean`, `std` and `size` as attributes, and `scores`, what its scores mean.
    """
    network = _call_factory(spec)
    if weights is not None:
        load_into(network, read_state(weights), weights)
    channels = input_channels(network) or 3
    size = getattr(network, "size", 224)
    height, width = (size, size) if isinstance(size, int) else tuple(size)
    known = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, resize=(height, width)).with_channels(channels)
    mean, std = getattr(network, "mean", known.mean), getattr(network, "std", known.std)
    names = getattr(network, "class_names", None)
    return Model(
        network,
        spec.partition(":")[2],
        weights.name if weights else "as the factory made them",
        replace(known, mean=tuple(map(float, mean)), std=tuple(map(float, std))),
        tuple(map(str, names)) if names is not None else None,
    )


def _call_factory(spec: str) -> nn.Module:
    module_name, _, name = spec.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # as `python -m` does, so that a module of one's own is found
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise BadRequest(
            f"{spec}: can't import {module_name!r} ({_brief(error)}). Start in the folder that holds it."
        ) from error
    factory = getattr(module, name, None)
    if not callable(factory):
        near = nearest(name, vars(module))
        hint = f" Did you mean {near!r}?" if near else ""
        raise BadRequest(f"{spec}: {module_name} has no function {name!r}.{hint}")
    try:
        network = factory()
    except CnnVisError:
        raise
    except TypeError as error:
        raise BadRequest(f"{spec}: can't be called without arguments ({_brief(error)}).") from error
    if not isinstance(network, nn.Module):
        raise BadRequest(f"{spec}: returns a {type(network).__name__}; a torch.nn.Module is needed.")
    return network


def _sizes(name: str, state: State) -> dict[str, int]:
    """The number of classes, read from the head: the tensor whose shape follows `num_classes`."""
    with torch.device("meta"):
        few, more = (
            torchvision.models.get_model(name, weights=None, num_classes=count, **_quirks(name, state)).state_dict()
            for count in (10, 11)
        )
    heads = [key for key in few if few[key].shape != more[key].shape and key in state]
    sides = state[heads[-1]].shape if heads else (IMAGENET_CLASSES,)
    return {"num_classes": int(sides[0]) if sides else 1}


def _quirks(name: str, state: State) -> dict[str, Any]:
    """What the builders of two old architectures want to know."""
    if name not in ("googlenet", "inception_v3"):
        return {}
    auxiliary = any(key.startswith(("aux", "Aux")) for key in state)
    # torchvision's own weights of these were trained elsewhere, on pictures scaled otherwise
    return {"init_weights": False, "aux_logits": auxiliary, "transform_input": _outputs(state) == IMAGENET_CLASSES}


def _outputs(state: State) -> int:
    return int(state["fc.weight"].shape[0]) if "fc.weight" in state and state["fc.weight"].ndim else 0


def _preprocessing(entry: WeightsEnum) -> Preprocessing:
    preset = entry.transforms()
    return Preprocessing(
        tuple(map(float, preset.mean)),
        tuple(map(float, preset.std)),
        resize=preset.resize_size[0],
        crop=(preset.crop_size[0], preset.crop_size[0]),
        interpolation=preset.interpolation.value,
    )


def _unknown(name: str, known: Sequence[str]) -> CnnVisError:
    everything = torchvision.models.list_models()
    if name in everything:
        return BadRequest(f"{name} is no classifier; the models that can be explained are torchvision's classifiers.")
    if Path(name).suffix in (".pt", ".pth", ".safetensors"):
        return BadRequest(f"{name}: there is no such file. MODEL is a file that 'cnnvis-report train' has written.")
    near = nearest(name, known)
    hint = f" Did you mean {near!r}?" if near else ""
    return BadRequest(
        f"No model is called {name!r}.{hint} Give a file that 'cnnvis-report train' has written, a torchvision "
        f"classifier ({', '.join(known[:3])}, … {len(known)} in all), or package.module:factory for a network of "
        f"your own."
    )


def _brief(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
