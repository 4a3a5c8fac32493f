"""The last activation of a network, taken off so that logits are explained."""

from torch import nn

from cnnvis_report.models.keras.graph import KerasGraph

ENDINGS = (nn.Softmax, nn.Sigmoid, nn.LogSoftmax, nn.LogSigmoid)


def take_off_ending(graph: KerasGraph, columns: int | None) -> nn.Module | None:
    """Replace a final softmax or sigmoid; what it was, or None where the network ends in something else.

    Args:
        columns: numbers an image that the network gives, where they are in a row. The softmax of one is always 1, and
            stays.
    """
    index = len(graph.steps) - 1
    number = graph.output.number
    while index >= 0:
        step = graph.steps[index]
        if step.output != number:
            index -= 1
            continue
        if sum(other.child == step.child for other in graph.steps) > 1:
            return None  # it stands elsewhere too
        layer = graph.get_submodule(step.child)
        if isinstance(layer, nn.Identity | nn.Dropout) and len(step.inputs) == 1:
            number, index = step.inputs[0].number, index - 1
            continue
        return _taken_off(graph, step.child, layer, columns)
    return None


def _taken_off(graph: nn.Module, name: str, layer: nn.Module, columns: int | None) -> nn.Module | None:
    if isinstance(layer, KerasGraph):
        return take_off_ending(layer, columns)
    if isinstance(layer, nn.Sequential):
        ending = _taken_off(layer, list(layer._modules)[-1], layer[-1], columns)
        if ending is not None and len(layer) == 2:
            setattr(graph, name, layer[0])
        return ending
    if not isinstance(layer, ENDINGS) or (columns == 1 and isinstance(layer, nn.Softmax | nn.LogSoftmax)):
        return None
    setattr(graph, name, nn.Identity())
    return layer
