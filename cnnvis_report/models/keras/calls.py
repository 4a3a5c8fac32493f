"""The calls of a Keras graph, read from the configuration that Keras itself writes of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from cnnvis_report.models.keras.axes import Shape
from cnnvis_report.models.keras.registry import Input, NotConverted

TensorName = tuple[str, int, int]  # layer, number of its call, number of the result


@dataclass(frozen=True)
class GraphCall:
    """A call of a layer: which tensors it reads, its other arguments, and the tensor that it makes."""

    layer: str
    tensors: tuple[TensorName, ...]
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    result: TensorName


def calls_of(config: dict[str, Any]) -> list[GraphCall]:
    """All calls of a functional model, each after those whose results it reads.

    Raises:
        NotConverted: a call reads what nothing makes.
    """
    waiting = [
        _read_call(layer["name"], number, node)
        for layer in config["layers"]
        for number, node in enumerate(layer["inbound_nodes"])
    ]
    ready: set[TensorName] = {(layer["name"], 0, 0) for layer in config["layers"] if not layer["inbound_nodes"]}
    calls: list[GraphCall] = []
    while waiting:
        left = []
        for call in waiting:
            if ready.issuperset(call.tensors):
                calls.append(call)
                ready.add(call.result)
            else:
                left.append(call)
        if len(left) == len(waiting):
            raise NotConverted("reads a tensor that no layer makes")
        waiting = left
    return calls


def shapes_of(config: Any) -> Iterator[tuple[TensorName, Shape]]:
    """The shapes of all tensors that calls read."""
    if isinstance(config, dict):
        if config.get("class_name") == "__keras_tensor__":
            yield _name(config), tuple(config["config"]["shape"])
        else:
            for value in config.values():
                yield from shapes_of(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from shapes_of(value)


def _name(config: dict[str, Any]) -> TensorName:
    layer, call, result = config["config"]["keras_history"]
    return str(layer), int(call), int(result)


def _read_call(layer: str, number: int, node: dict[str, Any]) -> GraphCall:
    tensors: list[TensorName] = []
    arguments = tuple(_argument(value, tensors) for value in node["args"])
    options = {name: _argument(value, tensors) for name, value in node["kwargs"].items()}
    if options.get("training") is True:
        raise NotConverted("runs as in training, with another result each time")
    return GraphCall(layer, tuple(tensors), arguments, options, (layer, number, 0))


def _argument(value: Any, tensors: list[TensorName]) -> Any:
    """An argument of a call; tensors go into the list, and stand as `Input`."""
    if isinstance(value, list | tuple):
        return [_argument(part, tensors) for part in value]
    if not isinstance(value, dict):
        return value
    inner = value.get("config", {})
    match value.get("class_name"):
        case "__keras_tensor__":
            tensors.append(_name(value))
            return Input(len(tensors) - 1)
        case "__tensor__" | "__numpy__":
            return torch.tensor(inner["value"], dtype=torch.float32)
        case "__slice__":
            return slice(inner["start"], inner["stop"], inner["step"])
        case "__ellipsis__":
            return Ellipsis
    return value
