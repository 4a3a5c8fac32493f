"""Layers that an ONNX graph has in parts as the one layer of the network that they were exported from.

Which operations an opset has decides what an exporter writes: x · sigmoid(x) for SiLU, five operations for GELU, nine
for a layer norm. Methods have rules for the layers; of their parts, a product would be explained as a gate.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from cnnvis_report.models.onnx_graphs.activations import activation
from cnnvis_report.models.onnx_graphs.layer_norms import layer_norm
from cnnvis_report.models.onnx_graphs.parts import Parts
from cnnvis_report.models.onnx_graphs.values import prune
from cnnvis_report.models.onnx_graphs.weights import Weights

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

DOMAIN = "cnnvis_report"  # of operations that only the converter within this package reads
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "SiLU": nn.SiLU,
    "Hardswish": nn.Hardswish,
    "Hardsigmoid": nn.Hardsigmoid,
    "Mish": nn.Mish,
    "GELU": nn.GELU,
    "TanhGELU": partial(nn.GELU, approximate="tanh"),
}


def join_parts(model: "ModelProto", weights: Weights) -> None:
    """Put one operation in the place of the parts of a layer; values stay the same but for rounding."""
    from onnx import helper

    graph = model.graph
    parts = Parts.of(graph, weights)
    nodes = [_joined(parts, node) or node for node in graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    prune(graph)
    if any(node.domain == DOMAIN for node in graph.node):
        model.opset_import.append(helper.make_opsetid(DOMAIN, 1))


def _joined(parts: Parts, node: "NodeProto") -> "NodeProto | None":
    """The layer that a node ends; None where there is none."""
    from onnx import helper

    if node.domain:
        return None
    joined = activation(parts, node)
    norm = None if joined else layer_norm(parts, node)
    operation, inputs = joined or ("LayerNorm", norm[0] if norm else [])
    if not inputs:
        return None
    scope, slash, _ = node.name.rpartition("/")
    name = f"{scope}/{operation}" if slash and node.name.startswith("/") else node.name
    options = {"epsilon": norm[1]} if norm else {}
    return helper.make_node(operation, inputs, list(node.output), name=name, domain=DOMAIN, **options)


def read_joined() -> None:
    """Let onnx2torch read the layers that were put together."""
    from onnx2torch.node_converters.registry import add_converter, get_converter
    from onnx2torch.utils.common import OnnxMapping, OperationConverterResult

    def layer(node: Any, graph: Any) -> Any:
        operation = node.operation_type
        module = _norm(node, graph) if operation == "LayerNorm" else ACTIVATIONS[operation]()
        return OperationConverterResult(module, OnnxMapping(node.input_values[:1], node.output_values))

    for operation in (*ACTIVATIONS, "LayerNorm"):
        try:
            get_converter(operation, 1, DOMAIN)
        except NotImplementedError:
            add_converter(operation, 1, DOMAIN)(layer)


def _norm(node: Any, graph: Any) -> nn.LayerNorm:
    """The layer norm with its weight and bias."""
    weight, bias = (graph.initializers[name].to_torch() for name in node.input_values[1:])
    norm = nn.LayerNorm(list(weight.shape), eps=node.attributes["epsilon"])
    with torch.no_grad():
        norm.weight.data, norm.bias.data = weight, bias
    return norm
