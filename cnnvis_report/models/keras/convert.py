"""A network of PyTorch from a model that Keras has loaded, layer by layer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from cnnvis_report.models.keras.axes import CHANNELS_FIRST, CHANNELS_LAST, Axes, Read, Shape
from cnnvis_report.models.keras.calls import GraphCall, TensorName, calls_of, shapes_of
from cnnvis_report.models.keras.graph import KerasGraph, Step
from cnnvis_report.models.keras.layers.foreign import foreign
from cnnvis_report.models.keras.registry import BUILDERS, OPERATION, Call, Converted, NotConverted, build

MODELS = ("Functional", "Sequential", "Model")


@dataclass(frozen=True)
class Conversion:
    """A converted network, which reads images [N, C, H, W]; how Keras has its images, and its result."""

    network: KerasGraph
    images: Axes
    result: Axes


def convert(model: Any, *, trusted: bool = False) -> Conversion:
    """The network of a model.

    Args:
        trusted: whether layers that nothing here stands for are run by Keras, as they are.

    Raises:
        NotConverted: naming the layer, and what about it nothing here stands for.
    """
    if len(model.inputs) != 1:
        raise NotConverted(f"{model.name!r} has {len(model.inputs)} inputs; one is needed")
    shape = tuple(model.input_shape)
    if len(shape) != 4:
        raise NotConverted(f"{model.name!r} reads tensors of shape {_written(shape)}, which are no pictures")
    formats = list(_data_formats(model))
    order = CHANNELS_FIRST if formats[:1] == ["channels_first"] else CHANNELS_LAST
    images = Axes(shape, order)
    network, result = _graph(model, images, trusted)
    wanted = result if result.rank == 4 else result.plain()  # grids of scores stay channels first
    network.output = Read.of(network.output.number, result, wanted)
    return Conversion(network, images, wanted)


def _written(shape: Shape) -> str:
    return " × ".join("N" if size is None else str(size) for size in shape)


def _data_formats(model: Any) -> Iterator[str]:
    """The orders of axes that the layers say, those of models within it among them."""
    for layer in model.layers:
        if is_model(layer):
            yield from _data_formats(layer)
        elif getattr(layer, "data_format", None) and not type(layer).__name__.startswith("Flatten"):
            yield layer.data_format


def is_model(layer: Any) -> bool:
    """Whether a layer is a model of layers."""
    return type(layer).__name__ in MODELS and hasattr(layer, "layers")


def _graph(model: Any, images: Axes, trusted: bool) -> tuple[KerasGraph, Axes]:
    """A model as a graph, and what its result is."""
    parts = _Parts(model.name, trusted)
    if type(model).__name__ == "Sequential":
        current: TensorName = ("", 0, 0)
        parts.tensors[current] = 0, images
        for layer in model.layers:
            if type(layer).__name__ == "InputLayer":
                continue
            axes = parts.tensors[current][1]
            result = (layer.name, 0, 0)
            shape = tuple(layer.compute_output_shape(axes.shape))
            parts.add(layer, GraphCall(layer.name, (current,), (), {}, result), shape)
            current = result
        return parts.graph(current)
    config = model.get_config()
    shapes = dict(shapes_of(config["layers"]))
    operations = {operation.name: operation for operation in model.operations}
    output = _only(config["output_layers"], model, "outputs")
    if type(operations[output[0]]).__name__ == "Functional":  # its calls are counted from 1 at this place alone
        output = (output[0], output[1] - 1, output[2])
    shapes[output] = tuple(model.output_shape)
    parts.tensors[_only(config["input_layers"], model, "inputs")] = 0, images
    for call in calls_of(config):
        if call.result in shapes:  # what nothing reads is left out
            parts.add(operations[call.layer], call, shapes[call.result])
    return parts.graph(output)


def _only(names: Any, model: Any, what: str) -> TensorName:
    """The only input or output of a model; one alone may stand without a list around it."""
    names = list(names) if isinstance(names, list | tuple) else []
    if len(names) == 3 and isinstance(names[0], str):
        names = [names]
    if len(names) != 1:
        raise NotConverted(f"{model.name!r} has {len(names)} {what}; one is needed")
    layer, call, result = names[0]
    return str(layer), int(call), int(result)


class _Parts:
    """A graph that is being put together.

    tensors: number and axes of each tensor of Keras.
    """

    def __init__(self, title: str, trusted: bool) -> None:
        self._title, self._trusted = title, trusted
        self.tensors: dict[TensorName, tuple[int, Axes]] = {}
        self._layers: dict[str, nn.Module] = {}
        self._steps: list[Step] = []
        self._converted: dict[str, list[tuple[str, Converted]]] = {}

    def add(self, layer: Any, call: GraphCall, shape: Shape) -> None:
        """Convert a call of a layer; one that was called before, and reads the same, is the same child."""
        tensors = [self.tensors[name] for name in call.tensors]
        try:
            inputs = tuple(axes for _, axes in tensors)
            converted = _converted(layer, Call(layer, inputs, shape, call.arguments, call.options), self._trusted)
        except NotConverted as error:
            if is_model(layer):  # it names the layer within
                raise
            raise NotConverted(f"layer {layer.name!r} {error}") from None
        child = self._child(layer.name, converted)
        reads = tuple(
            Read.of(number, axes, wanted) for (number, axes), wanted in zip(tensors, converted.inputs, strict=True)
        )
        number = len(self._steps) + 1
        self._steps.append(Step(child, reads, number))
        self.tensors[call.result] = number, converted.output

    def graph(self, output: TensorName) -> tuple[KerasGraph, Axes]:
        """The graph whose result is a tensor, and what that is."""
        number, axes = self.tensors[output]
        return KerasGraph(self._title, self._layers, self._steps, Read(number)), axes

    def _child(self, name: str, converted: Converted) -> str:
        """The child that runs a call: a new one, unless the layer has one that reads its tensors in the same order."""
        before = self._converted.setdefault(name, [])
        for child, other in before:
            if _reading(other) == _reading(converted):
                return child
        child = _free_name(name, self._layers)
        self._layers[child] = converted.module
        before.append((child, converted))
        return child


def _reading(converted: Converted) -> tuple[object, ...]:
    return tuple((axes.order, axes.grid) for axes in converted.inputs)


def _converted(layer: Any, call: Call, trusted: bool) -> Converted:
    if is_model(layer):
        axes = call.input if call.input.grid is None else call.input.plain()
        graph, output = _graph(layer, axes, trusted)
        return Converted(graph, (axes,), output.shaped(call.output))
    name = type(layer).__name__
    known = name if hasattr(layer, "weights") else OPERATION + name
    return foreign(call) if trusted and known not in BUILDERS.entries() else build(known, call)


def _free_name(name: str, others: dict[str, nn.Module]) -> str:
    """A layer's name as a child may have it: without dots, and none that a module has for something else."""
    plain = re.sub(r"[^0-9A-Za-z_-]", "_", name) or "layer"
    if hasattr(KerasGraph, plain) or plain in ("steps", "output", "title", "task"):
        plain += "_"
    free, count = plain, 1
    while free in others:
        count += 1
        free = f"{plain}_{count}"
    return free
