"""HDF5 files in the form in which Keras 2 wrote models, by hand: that version can't be beside Keras 3."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

VERSION = "2.11.0"


def layer(name: str, class_name: str, inbound: Sequence[str] | None = None, **config: Any) -> dict[str, Any]:
    """A layer of a functional model, called once on the results of others; of a Sequential without `inbound`."""
    entry: dict[str, Any] = {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}
    if class_name not in ("Functional", "Sequential", "Model"):
        entry["config"]["dtype"] = "float32"
    if inbound is not None:
        entry["name"] = name
        entry["inbound_nodes"] = [[[other, 0, 0, {}] for other in inbound]] if inbound else []
    return entry


def convolution(name: str, inbound: Sequence[str] | None = None, **config: Any) -> dict[str, Any]:
    """A Conv2D with all that Keras 2 wrote of it."""
    zeros = {"class_name": "Zeros", "config": {}}
    glorot = {"class_name": "GlorotUniform", "config": {"seed": None}}
    regular = {"class_name": "L2", "config": {"l2": 0.01}}
    options = {
        "filters": 4,
        "kernel_size": [3, 3],
        "strides": [1, 1],
        "padding": "same",
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "groups": 1,
        "activation": "relu",
        "use_bias": True,
        "kernel_initializer": glorot,
        "bias_initializer": zeros,
        "kernel_regularizer": regular,
        "bias_regularizer": None,
        "activity_regularizer": None,
        "kernel_constraint": None,
        "bias_constraint": None,
    }
    return layer(name, "Conv2D", inbound, **{**options, **config})


def images(name: str, shape: Sequence[int | None]) -> dict[str, Any]:
    return layer(name, "InputLayer", [], batch_input_shape=[None, *shape], sparse=False, ragged=False)


def functional(name: str, layers: Sequence[dict[str, Any]], first: str, last: str) -> dict[str, Any]:
    config = {"name": name, "layers": list(layers), "input_layers": [[first, 0, 0]], "output_layers": [[last, 0, 0]]}
    return {"class_name": "Functional", "config": config}


def write_keras2(path: Path, model: dict[str, Any], weights: Mapping[str, Mapping[str, np.ndarray[Any, Any]]]) -> None:
    """Write a whole model: its description, and for each layer the weights by their names."""
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"], file.attrs["backend"] = VERSION, "tensorflow"
        file.attrs["model_config"] = json.dumps(model)
        file.attrs["training_config"] = json.dumps({"loss": "categorical_crossentropy", "optimizer_config": {}})
        write_weights(file.create_group("model_weights"), weights)


def write_weights(group: Any, weights: Mapping[str, Mapping[str, np.ndarray[Any, Any]]]) -> None:
    """Write weights as `save_weights` of Keras 2 did."""
    group.attrs["layer_names"] = [name.encode() for name in weights]
    group.attrs["backend"], group.attrs["keras_version"] = b"tensorflow", VERSION.encode()
    for name, tensors in weights.items():
        part = group.create_group(name)
        part.attrs["weight_names"] = [f"{name}/{tensor}:0".encode() for tensor in tensors]
        for tensor, numbers in tensors.items():
            part.create_dataset(f"{name}/{tensor}:0", data=numbers)
