"""What a network of a user's own says of how it is to be used, as attributes: class_names, mean, std and size."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from cnnvis_report.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cnnvis_report.engine.outputs.scores import attribute
from cnnvis_report.errors import BadRequest

SIDE = 224


@dataclass(frozen=True)
class Declared:
    """What is known of a network's use."""

    preprocessing: Preprocessing
    classes: tuple[str, ...] | None
    notices: tuple[str, ...] = ()


def declared(network: nn.Module, spec: str, channels: int) -> Declared:
    """What the network says, and ImageNet's usual preprocessing where it says nothing.

    Raises:
        BadRequest: an attribute holds something that can't be meant.
    """
    known = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, resize=_size(network, spec)).with_channels(channels)
    constants = [name for name in ("mean", "std") if name in network._buffers or name in network._parameters]
    notices = []
    if constants:  # a network that normalizes by itself keeps its constants so
        notices.append(
            f"The network's tensors {' and '.join(constants)} are taken for its own arithmetic: pictures are "
            f"normalized by ImageNet's constants before. Where it normalizes by itself, "
            f"give --mean and --std with zeros and ones."
        )
    else:
        mean, std = (_constants(network, name, spec, getattr(known, name)) for name in ("mean", "std"))
        known = replace(known, mean=mean, std=std)
    return Declared(known, _names(network, spec), tuple(notices))


def _attribute(network: nn.Module, name: str) -> Any:
    """An attribute that holds something; a method of this name says nothing."""
    value = attribute(network, name)
    return None if callable(value) or isinstance(value, nn.Module) else value


def _size(network: nn.Module, spec: str) -> tuple[int, int]:
    size = _attribute(network, "size")
    sides = list(size) if isinstance(size, Sequence | torch.Size) and not isinstance(size, str) else [size]
    sides = sides[-2:] * 2 if len(sides) == 1 else sides[-2:]
    if size is None:
        return SIDE, SIDE
    if not all(isinstance(side, int) and side > 0 for side in sides):
        raise BadRequest(f"{spec}: its size is {size!r}; a side in pixels or (height, width) is needed.")
    return int(sides[0]), int(sides[1])


def _constants(network: nn.Module, name: str, spec: str, otherwise: tuple[float, ...]) -> tuple[float, ...]:
    value = _attribute(network, name)
    if value is None:
        return otherwise
    try:
        numbers: list[float] = torch.as_tensor(value, dtype=torch.float64).flatten().tolist()
    except (TypeError, ValueError, RuntimeError):
        numbers = []
    if not numbers:
        raise BadRequest(f"{spec}: its {name} is {type(value).__name__}; one number a channel is needed.")
    return tuple(numbers)


def _names(network: nn.Module, spec: str) -> tuple[str, ...] | None:
    names = _attribute(network, "class_names")
    if names is None:
        return None
    if isinstance(names, str | Tensor) or not hasattr(names, "__iter__"):
        raise BadRequest(f"{spec}: its class_names is {type(names).__name__}; a list of names is needed.")
    if isinstance(names, dict) and all(isinstance(key, int) for key in names):
        names = [names[key] for key in sorted(names)]
    return tuple(map(str, names))
