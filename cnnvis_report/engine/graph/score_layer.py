"""The layer of a network in which a class weighs feature maps that are then averaged."""

from collections.abc import Callable

from torch import Tensor
from torch.autograd.graph import Node

from cnnvis_report.engine.graph.cam_head import Head, ScoreLayer, find_head
from cnnvis_report.engine.graph.layer_calls import LayerCalls
from cnnvis_report.engine.graph.nodes import operation
from cnnvis_report.engine.graph.ops import FINAL_ACTIVATIONS
from cnnvis_report.errors import NotApplicable


def find_score_layer(calls: LayerCalls, end: Node, weights: Callable[[Tensor], Tensor]) -> ScoreLayer | str:
    """Where class activation maps are read, or why there is no such place.

    Args:
        end: the operation that gives the scores.
        weights: [classes, K] for the weight of each column of the output.
    """
    try:
        behind = end.next_functions[0][0] if operation(end) in FINAL_ACTIVATIONS else end
        if behind is None:
            raise NotApplicable("the scores don't depend on the input")
        return _locate(calls, find_head(behind), weights)
    except NotApplicable as error:
        return str(error)  # not the error: its traceback would hold the graph


def _locate(calls: LayerCalls, head: Head, weights: Callable[[Tensor], Tensor]) -> ScoreLayer:
    before = head.features.next_functions[0][0] if operation(head.features) == "Relu" else None
    for node, rectified in ((head.features, False), (before, True)):
        layer = calls.layer_at(node)
        if layer:
            if not calls.averages(layer, head.positions, head.weight.shape[1]):
                raise NotApplicable(f"what is averaged before the last layer, {layer!r}, has no feature maps")
            return ScoreLayer(weights(head.weight), layer, rectified, head.linear)
    raise NotApplicable("what is averaged before the last layer is no module's output")
