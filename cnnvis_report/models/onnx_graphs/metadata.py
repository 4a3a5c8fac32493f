"""What an ONNX graph says of its use beside its operations: class names, and the values that it expects."""

import ast
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from cnnvis_report.data.preprocessing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from cnnvis_report.models.onnx_graphs.inputs import ImageInput
from cnnvis_report.models.onnx_graphs.weights import Weights, constants

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

KEYS = ("names", "classes", "class_names", "labels", "id2label", "categories")
LONGEST = 2_000_000  # letters of class names
MOST_CLASSES = 100_000
SIDE = 224
COUNTED = {"Sub", "Add", "Mul", "Div"}
CHANGE = "--mean and --std change that"


def class_names(model: "ModelProto") -> tuple[str, ...] | None:
    """The names in the file's metadata, as YOLO's exports and others write them; None where there are none."""
    entries = {entry.key.lower(): entry.value for entry in model.metadata_props}
    for key in KEYS:
        names = _names(entries.get(key, ""))
        if names:
            return names
    return None


def _names(text: str) -> tuple[str, ...] | None:
    if not text or len(text) > LONGEST:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(text.strip())
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            value = text.split(",") if "," in text and not set("{[(") & set(text) else None
    if isinstance(value, dict):
        try:
            numbered = {int(key): name for key, name in value.items()}
        except (ValueError, TypeError):
            return None
        indices = sorted(numbered)
        value = [numbered[index] for index in indices] if indices == list(range(len(indices))) else None
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_CLASSES:
        return None
    return tuple(str(name).strip() for name in value) if all(isinstance(name, str) for name in value) else None


def preprocessing(
    model: "ModelProto", weights: Weights, images: ImageInput, name: str
) -> tuple[Preprocessing, tuple[str, ...]]:
    """How pictures become what the graph reads, as far as it says so, and what a user has to know of that."""
    size = (images.height or SIDE, images.width or SIDE)
    known = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, resize=size).with_channels(images.channels or 3)
    plain = replace(known, mean=(0.0,) * known.channels, std=(1.0,) * known.channels)
    notices = []
    if images.height is None or images.width is None:
        notices.append(
            f"{name} doesn't say which size it reads: {size[1]}×{size[0]} is taken, and --size changes that."
        )
    if images.channels_last:
        notices.append(f"{name} reads N×H×W×C; images are turned from N×C×H×W for it.")
    if any(entry.key == "author" and entry.value == "Ultralytics" for entry in model.metadata_props):
        return replace(plain, resize=min(size), crop=size), tuple(notices)
    largest = _largest_constant(model.graph, weights, images.name)
    if largest is not None and largest > 2:
        plain = replace(plain, std=(1 / 255,) * plain.channels)
        notices.append(f"{name} begins with a normalization of 0 to 255 of its own; {CHANGE}.")
        return plain, tuple(notices)
    if largest is not None:
        notices.append(f"{name} begins with a normalization of 0 to 1 of its own; {CHANGE}.")
        return plain, tuple(notices)
    notices.append(f"{name} doesn't say how images are normalized: ImageNet's mean and std are taken, and {CHANGE}.")
    return known, tuple(notices)


def _largest_constant(graph: "GraphProto", weights: Weights, images: str) -> float | None:
    """The largest number that the image meets before the first layer, or 1 / it; None where it meets none."""
    known, largest, value = constants(graph, weights), None, images
    while True:
        readers = [node for node in graph.node if value in node.input]
        if len(readers) != 1 or readers[0].op_type not in {*COUNTED, "Transpose", "Identity", "Cast"}:
            return largest
        node = readers[0]
        for numbers in (known[name] for name in node.input if name in known and known[name].size):
            extent = float(np.abs(numbers).max())
            extent = 1 / extent if node.op_type == "Mul" and extent else extent
            largest = max(largest or 0.0, extent)
        value = node.output[0]
