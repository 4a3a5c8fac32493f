"""How a network of a user's own is to be used, by its attributes and the dictionary that its factory gives."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from cnnvis_report.data.preprocessing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cnnvis_report.engine.outputs.scores import attribute
from cnnvis_report.errors import BadRequest, UnknownName, shown
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.model import Model
from cnnvis_report.models.network_within import network_within
from cnnvis_report.models.own_code.transform import with_transform
from cnnvis_report.models.timm_models.config import timm_preprocessing
from cnnvis_report.records.scores import TASKS, kind_named

SIDE = 224
# what a factory may say beside the network
SETTINGS = (
    *("size", "resize", "crop", "interpolation", "mean", "std", "classes", "transform", "layer", "task", "channels"),
)
BY_TRANSFORM = ("size", "resize", "crop", "interpolation", "mean", "std")  # that a transform decides
ATTRIBUTES = {"classes": "class_names"}  # settings that a network has under another name
Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Declared:
    """What is known of a network's use.

    layer: the default layer of class activation maps; empty for the last features. task: of the network, or "auto".
    """

    preprocessing: Preprocessing
    classes: tuple[str, ...] | None
    notices: tuple[str, ...] = ()
    layer: str = ""
    task: str = "auto"


def declared(network: nn.Module, spec: str, settings: Settings) -> Declared:
    """What the network and its factory say, and ImageNet's usual preprocessing where they say nothing.

    Args:
        settings: what the factory says; it goes over the attributes of the network.

    Raises:
        UnknownName, BadRequest: a setting doesn't exist, or holds something that can't be meant.
    """
    check_settings(settings, spec)
    channels = settings.get("channels") or input_channels(network) or 3
    named = _names(_value(network, settings, "classes"), spec)
    layer, task = settings.get("layer") or "", settings.get("task") or "auto"
    if settings.get("transform") is not None:
        return Declared(with_transform(settings["transform"], spec, channels), named, (), layer, task)
    preprocessing, notices = _of_timm(network, spec, settings, channels) or _steps(network, spec, settings, channels)
    return Declared(preprocessing, named, notices, layer, task)


def declared_model(
    module: nn.Module, spec: str, weights: str, settings: Settings, notices: tuple[str, ...], name: str = ""
) -> Model:
    """The network that a module is or holds, used as it and its factory say.

    Args:
        spec: what messages call it. weights: where they come from. settings: as of `declared`. notices: of how it was
            loaded. name: what it is called; by its type where empty.

    Raises:
        UnknownName, BadRequest: the module holds no network, or a setting can't be meant.
    """
    network, which = network_within(module, spec)
    use = declared(network, spec, settings)
    return Model(
        network,
        name or type(network).__name__,
        weights,
        use.preprocessing,
        use.classes,
        notices=(*notices, *which, *use.notices),
        layer=use.layer,
        task=use.task,
    )


def check_settings(settings: Settings, spec: str) -> None:
    """Refuse what a factory can't say beside a network."""
    for key in settings:
        if key not in SETTINGS:
            raise UnknownName(f"setting of a network (in the dictionary that {spec} gives)", str(key), SETTINGS)
    doubled = [key for key in BY_TRANSFORM if settings.get(key) is not None]
    if settings.get("transform") is not None and doubled:
        raise BadRequest(f"{spec}: gives a transform and {' and '.join(doubled)}, which the transform decides.")
    geometry = [key for key in ("resize", "crop") if settings.get(key) is not None]
    if settings.get("size") is not None and geometry:
        raise BadRequest(f"{spec}: gives size and {' and '.join(geometry)}; size is a resize of the whole picture.")
    kinds: dict[str, tuple[type, str]] = {"layer": (str, "the name of a layer"), "channels": (int, "a whole number")}
    for key, (kind, needed) in kinds.items():
        if settings.get(key) is not None and not isinstance(settings[key], kind):
            raise BadRequest(f"{spec}: its {key} is {shown(settings[key])}; {needed} is needed.")
    task = settings.get("task")
    if task not in (None, "auto") and (not isinstance(task, str) or kind_named(task) is None):
        raise BadRequest(f"{spec}: its task is {shown(task)}; it can be auto, {', '.join(TASKS)}.")


def _of_timm(
    network: nn.Module, spec: str, settings: Settings, channels: int
) -> tuple[Preprocessing, tuple[str, ...]] | None:
    """The steps that a network of timm brings with it; None where it is no such one, or other steps are said."""
    config = attribute(network, "pretrained_cfg")
    stated = any(settings.get(name) is not None for name in BY_TRANSFORM)
    stated = stated or any(attribute(network, name) is not None for name in ("size", "mean", "std"))
    if stated or not isinstance(config, Mapping) or not config.get("input_size") or "timm" not in sys.modules:
        return None
    return timm_preprocessing(config, f"{spec}: pretrained_cfg").with_channels(channels), ()


def _steps(network: nn.Module, spec: str, settings: Settings, channels: int) -> tuple[Preprocessing, tuple[str, ...]]:
    """Resizing, cropping and normalizing as the network or its factory says; what a user has to know of it."""
    known = replace(_geometry(network, spec, settings), interpolation=_interpolation(settings, spec))
    known = known.with_channels(channels)
    in_network = [name for name in ("mean", "std") if name in network._buffers or name in network._parameters]
    constants = [name for name in in_network if settings.get(name) is None]
    if constants:  # a network that normalizes by itself keeps its constants so
        notice = (
            f"The network's tensors {' and '.join(constants)} are taken for its own arithmetic: pictures are "
            f"normalized by ImageNet's constants before. Where it normalizes by itself, "
            f"give --mean and --std with zeros and ones."
        )
        return known, (notice,)
    values = [_value(network, settings, name) for name in ("mean", "std")]
    mean, std = (
        _constants(value, name, spec, getattr(known, name)) for value, name in zip(values, ("mean", "std"), strict=True)
    )
    if len(mean) != len(std):
        raise BadRequest(f"{spec}: its mean has {len(mean)} numbers, its std {len(std)}; each needs one per channel.")
    return replace(known, mean=mean, std=std), ()


def _value(network: nn.Module, settings: Settings, name: str) -> Any:
    """A setting, or the attribute that holds something; a method of its name says nothing."""
    if settings.get(name) is not None:
        return settings[name]
    value = attribute(network, ATTRIBUTES.get(name, name))
    return None if callable(value) or isinstance(value, nn.Module) else value


def _geometry(network: nn.Module, spec: str, settings: Settings) -> Preprocessing:
    plain = Preprocessing(IMAGENET_MEAN, IMAGENET_STD)
    resize, crop = settings.get("resize"), settings.get("crop")
    if resize is None and crop is None:
        return replace(plain, resize=_sides(_value(network, settings, "size"), "size", spec) or (SIDE, SIDE))
    shorter = isinstance(resize, int) and not isinstance(resize, bool) and resize > 0
    return replace(plain, resize=resize if shorter else _sides(resize, "resize", spec), crop=_sides(crop, "crop", spec))


def _sides(size: Any, name: str, spec: str) -> tuple[int, int] | None:
    if size is None:
        return None
    sides = list(size) if isinstance(size, Sequence | torch.Size) and not isinstance(size, str) else [size]
    sides = sides[-2:] * 2 if len(sides) == 1 else sides[-2:]
    if not sides or not all(isinstance(side, int) and side > 0 for side in sides):
        raise BadRequest(f"{spec}: its {name} is {size!r}; a side in pixels or (height, width) is needed.")
    return int(sides[0]), int(sides[1])


def _interpolation(settings: Settings, spec: str) -> str:
    interpolation = settings.get("interpolation")
    name = str(getattr(interpolation, "value", interpolation) or "bilinear").lower()  # torchvision's is an enumeration
    known = [filter.name.lower() for filter in Image.Resampling]
    if name not in known:
        raise UnknownName(f"interpolation (in the dictionary that {spec} gives)", name, known)
    return name


def _constants(value: Any, name: str, spec: str, otherwise: tuple[float, ...]) -> tuple[float, ...]:
    if value is None:
        return otherwise
    try:
        numbers: list[float] = torch.as_tensor(value, dtype=torch.float64).flatten().tolist()
    except (TypeError, ValueError, RuntimeError):
        numbers = []
    if not numbers:
        raise BadRequest(f"{spec}: its {name} is {type(value).__name__}; one number per channel is needed.")
    return tuple(numbers)


def _names(names: Any, spec: str) -> tuple[str, ...] | None:
    if names is None:
        return None
    if isinstance(names, str | Tensor) or not hasattr(names, "__iter__"):
        raise BadRequest(f"{spec}: its class_names is {type(names).__name__}; a list of names is needed.")
    if isinstance(names, dict) and all(isinstance(key, int) for key in names):
        names = [names[key] for key in sorted(names)]
    return tuple(map(str, names))
