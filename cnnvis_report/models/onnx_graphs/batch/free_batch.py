"""Frees an ONNX graph of the number of images that it was exported for."""

from typing import TYPE_CHECKING

from cnnvis_report.models.onnx_graphs.batch.rows import Rows, Values, with_images
from cnnvis_report.models.onnx_graphs.batch.rules import RULES
from cnnvis_report.models.onnx_graphs.values import shapes
from cnnvis_report.models.onnx_graphs.weights import Weights, constants

if TYPE_CHECKING:
    from onnx import GraphProto


def free_batch(graph: "GraphProto", weights: Weights, images: str, batch: int) -> bool:
    """Make graphs that were exported for `batch` images take any number, as far as that can be proven.

    Along which dimension a value has the images is followed from operation to operation. A reshaping of it, to fixed
    sides, leaves them one after the other, whatever their number is, and gets -1 for that side.

    Args:
        images: the name of the input.

    Returns:
        Whether it is proven for all operations, so that the scores of an image don't depend on others beside it.
    """
    values = Values(graph, constants(graph, weights), shapes(graph), batch, {images: Rows(0)})
    reached, unproven = {images}, set[str]()
    for node in graph.node:
        if not node.output or reached.isdisjoint(node.input):
            continue
        rule = RULES.get("Reduce" if node.op_type.startswith("Reduce") else node.op_type)
        rows = rule(values, node) if rule is not None and with_images(values, node) and not node.domain else None
        reached.update(node.output)
        if rows is not None:
            values.rows.update(dict.fromkeys(node.output, rows))
        if rows is None or not unproven.isdisjoint(node.input):
            unproven.update(node.output)
    _forget_batch(graph, images)
    return all(values.rows.get(value.name) == Rows(0) and value.name not in unproven for value in graph.output)


def _forget_batch(graph: "GraphProto", images: str) -> None:
    """Let the input, and all that was inferred from it, be of any number of images."""
    for value in (*graph.input, *graph.output):
        side = value.type.tensor_type.shape.dim[:1]
        if (value.name == images or value in graph.output) and side:
            side[0].Clear()
            side[0].dim_param = "batch"
