"""How a model's description refers to the results of its layers, where versions of Keras differ.

A reference is a layer's name, the number of its call, and the number of the result. Keras 2 counts the calls of a model
within the model from 1; Keras 3 counts all from 0, but adds 1 where the last layer is a functional model.
"""

from typing import Any


def translate_references(model: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """A functional model whose references are Keras 3's, to layers by names without dots: PyTorch takes none.

    Args:
        model: layers, input_layers and output_layers. names: of the layers, as they are now.
    """
    layers = [{**layer, "inbound_nodes": _undotted(layer["inbound_nodes"], names)} for layer in model["layers"]]
    ends = {key: _undotted(model[key], names) for key in ("input_layers", "output_layers")}
    if any(isinstance(node, list) for layer in layers for node in _nodes(layer)):
        models = {
            layer["name"]: layer["class_name"] for layer in layers if layer["class_name"] in ("Model", "Sequential")
        }
        references = [call for layer in layers for node in _nodes(layer) for call in _calls(node)]
        counted = {name for name in models if _first_call(name, references) > 0}
        for call in references:
            call[1] -= call[0] in counted
        last = ends["output_layers"]
        if _is_reference(last) and models.get(last[0]) == "Sequential" and last[1] > 0:
            last[1] -= 1
    return {**model, **ends, "layers": layers}


def _first_call(name: str, references: list[Any]) -> int:
    return min((number for layer, number, *_ in references if layer == name), default=0)


def _nodes(layer: dict[str, Any]) -> list[Any]:
    nodes = layer["inbound_nodes"]
    return nodes if isinstance(nodes, list) else []


def _calls(node: Any) -> list[Any]:
    """The references of one call, in the form of Keras 2."""
    return [part for part in node if _is_reference(part)] if isinstance(node, list) else []


def _is_reference(part: Any) -> bool:
    return isinstance(part, list) and len(part) >= 3 and isinstance(part[0], str) and isinstance(part[1], int)


def _undotted(value: Any, names: set[str]) -> Any:
    if isinstance(value, list):
        return [_undotted(part, names) for part in value]
    if isinstance(value, dict):
        return {key: _undotted(part, names) for key, part in value.items()}
    plain = value.replace(".", "_") if isinstance(value, str) else value
    return plain if plain in names else value
