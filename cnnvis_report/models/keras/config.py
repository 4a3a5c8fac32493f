"""The description of a Keras model, written anew from what a file says: only layers that are known come into it.

Keras makes objects of whatever its descriptions name. What goes to it is therefore never a file's own text: classes
are those of a table, initializers and regularizers are left out, and what a value may be is looked at one by one. The
differences of Keras 2 are translated on the way.
"""

import re
from typing import Any

from cnnvis_report.models.keras.references import translate_references
from cnnvis_report.models.keras.registry import BUILDERS, OPERATION, NotConverted

MODELS = ("Functional", "Model", "Sequential")
MOST_LAYERS = 10_000
ELSEWHERE = {  # layers that keras.layers doesn't have
    "LayerScale": "keras.src.applications.convnext",
    "StochasticDepth": "keras.src.applications.convnext",
    "CustomScaleLayer": "keras.src.applications.inception_resnet_v2",
}
OPERATIONS = re.compile(r"keras\.src\.ops\.(numpy|nn|core)")
DROPPED = re.compile(
    r".*_(regularizer|constraint)|batch_input_shape|quantization_config|lora_rank|lora_alpha|build_config"
)
SPECIAL = ("__keras_tensor__", "__tensor__", "__numpy__", "__slice__", "__ellipsis__")
KERAS_2 = {  # options of Keras 2 that later versions don't have, and that don't matter once a network is trained
    "BatchNormalization": ("renorm", "renorm_clipping", "renorm_momentum", "fused", "virtual_batch_size", "adjustment"),
    "DepthwiseConv2D": ("groups", "filters", "kernel_initializer"),
    "SeparableConv2D": ("groups", "kernel_initializer"),
    "Conv2DTranspose": ("groups",),
}


class RunsCode(Exception):
    """A part of a file that is a program; the message says which."""


def checked_model(config: Any) -> dict[str, Any]:
    """A model's description with nothing in it but layers of Keras that are known here.

    Args:
        config: what a file says, parsed from JSON.

    Raises:
        NotConverted: it is of another kind, or one of its layers isn't known. RunsCode: one of them is a program.
    """
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise NotConverted("describes no model of Keras")
    name, inner = config["class_name"], config.get("config")
    if name not in MODELS or not _is_own(config):
        raise RunsCode(f"its class {_short(name)}, which is no Sequential or functional model of Keras and")
    if isinstance(inner, list):  # Sequential before Keras 2.2
        inner = {"name": "sequential", "layers": inner}
    if not isinstance(inner, dict) or not isinstance(inner.get("layers"), list):
        raise NotConverted(f"describes a {name} without layers, so one whose layers are made by code")
    if len(inner["layers"]) > MOST_LAYERS:
        raise NotConverted(f"describes {len(inner['layers']):,} layers; at most {MOST_LAYERS:,} are read")
    layers = [_checked_layer(layer, sequential=name == "Sequential") for layer in inner["layers"]]
    model: dict[str, Any] = {"name": _text(inner.get("name", "model")).replace(".", "_"), "layers": layers}
    if isinstance(inner.get("trainable"), bool):
        model["trainable"] = inner["trainable"]
    if name == "Sequential":
        model["layers"] = [*_missing_input(inner["layers"]), *layers]
        return {"module": "keras", "class_name": "Sequential", "config": model, "registered_name": None}
    for key in ("input_layers", "output_layers"):
        model[key] = _alone(_plain(inner.get(key), key))
    names = {layer["name"] for layer in layers}
    translated = translate_references({**model, "layers": layers}, names)
    return {"module": "keras", "class_name": "Model", "config": translated, "registered_name": None}


def _alone(references: Any) -> Any:
    """An input or output that is the only one, out of the list that it stands in: Keras 3 would give a list, too."""
    single = isinstance(references, list) and len(references) == 1 and isinstance(references[0], list)
    return references[0] if single else references


def _missing_input(layers: list[Any]) -> list[dict[str, Any]]:
    """An input layer where a Sequential has none: its first layer says the shape."""
    first = layers[0] if layers and isinstance(layers[0], dict) else {}
    inner = first.get("config")
    shape = inner.get("batch_input_shape") if isinstance(inner, dict) else None
    if first.get("class_name") in ("InputLayer", *MODELS) or not isinstance(shape, list):
        return []
    return [_entry("keras.layers", "InputLayer", {"batch_shape": _plain(shape, "batch_input_shape")})]


def _entry(module: str, name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def _is_own(layer: dict[str, Any]) -> bool:
    """Whether an entry says to be of Keras itself, and not of somebody's code."""
    module, registered = layer.get("module"), layer.get("registered_name")
    of_keras = module is None or (
        isinstance(module, str) and module.split(".")[0] in ("keras", "tf_keras", "tensorflow")
    )
    return of_keras and registered in (None, "", layer["class_name"])


def _checked_layer(layer: Any, *, sequential: bool) -> dict[str, Any]:
    """One layer of a model, with its calls."""
    if not isinstance(layer, dict) or not isinstance(layer.get("class_name"), str):
        raise NotConverted("describes a layer without a class")
    inner = layer.get("config")
    if layer["class_name"] in MODELS:
        entry = checked_model(layer)
    else:
        if not isinstance(inner, dict):
            raise NotConverted("describes a layer without a configuration")
        entry = _checked_class(layer, inner)
    shared = layer.get("shared_object_id")
    if isinstance(shared, int):
        entry["shared_object_id"] = shared
    if not sequential:
        name = layer.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
        entry["name"] = _text(name).replace(".", "_")
        entry["inbound_nodes"] = _plain(layer.get("inbound_nodes"), "inbound_nodes")
    return entry


def _checked_class(layer: dict[str, Any], inner: dict[str, Any]) -> dict[str, Any]:
    """A layer's class and options."""
    name, called = layer["class_name"], _short(inner.get("name", layer.get("name", "")))
    module = layer.get("module")
    if name == "Lambda":
        raise RunsCode(f"its Lambda layer {called}")
    if isinstance(module, str) and OPERATIONS.fullmatch(module):
        if OPERATION + name not in BUILDERS.entries():
            raise NotConverted(f"layer {called} is the operation {_short(name)}, which isn't converted")
        return _entry(module, name, _options(name, inner))
    if not _is_own(layer):
        raise RunsCode(f"its layer {called}, of the class {_short(layer.get('registered_name') or name)},")
    if name != "InputLayer" and name not in BUILDERS.entries():
        raise NotConverted(f"layer {called} is a {_short(name)}, which isn't converted")
    return _entry(ELSEWHERE.get(name, "keras.layers"), name, _options(name, inner))


def _options(name: str, inner: dict[str, Any]) -> dict[str, Any]:
    """A layer's options, as Keras 3 calls them."""
    options: dict[str, Any] = {}
    for key, value in inner.items():
        if DROPPED.fullmatch(key) or key == "activity_regularizer" or key in KERAS_2.get(name, ()):
            continue
        if key == "dtype":
            options[key] = _dtype(value)
        elif key.endswith("_initializer"):
            options[key] = "zeros"  # the weights come from the file, and zeros cost no memory until they do
        elif key == "activation":
            options[key] = _activation(value)
        else:
            options[key] = _plain(value, key)
    if isinstance(options.get("name"), str):
        options["name"] = options["name"].replace(".", "_")
    if name == "InputLayer" and isinstance(inner.get("batch_input_shape"), list):
        options["batch_shape"] = _plain(inner["batch_input_shape"], "batch_input_shape")
    if name == "LeakyReLU" and "alpha" in options:
        options["negative_slope"] = options.pop("alpha")
    if name == "BatchNormalization" and isinstance(options.get("axis"), list) and len(options["axis"]) == 1:
        options["axis"] = options["axis"][0]
    return options


def _dtype(value: Any) -> str:
    """The type in which a layer computes, which is float32 here whatever it was in training."""
    name = value.get("class_name") if isinstance(value, dict) else value
    if "Quantized" in str(name) or "int8" in str(name) or "float8" in str(name):
        raise NotConverted("is quantized, and autograd can't follow it; save it before it is")
    return "float32"


def _activation(value: Any) -> Any:
    """An activation: its name, or a layer that is one."""
    if value is None:
        return None
    if isinstance(value, dict) and value.get("class_name") == "function":
        if value.get("registered_name") not in (None, "", "function", value.get("config")):
            raise RunsCode(f"its activation {_short(value['registered_name'])}")
        value = value.get("config")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, dict) and isinstance(value.get("config"), dict) and isinstance(value.get("class_name"), str):
        return _checked_class(value, value["config"])
    raise NotConverted("has an activation that can't be read")


def _plain(value: Any, key: str) -> Any:
    """A value that makes no object but tensors, slices and the like, its name in messages `key`.

    Raises:
        NotConverted: it would make another one.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_plain(part, key) for part in value]
    if isinstance(value, dict):
        name = value.get("class_name")
        if name is not None and name not in SPECIAL:
            raise NotConverted(f"has {_short(name)} as {_short(key)}, which isn't read")
        return {str(inner): _plain(part, key) for inner, part in value.items()}
    raise NotConverted(f"has a {type(value).__name__} as {_short(key)}")


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 1000:
        raise NotConverted(f"has {_short(value)} where a name is needed")
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:60]}…"
