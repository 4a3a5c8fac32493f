"""Frees a program of torch.export of the number of images that it was exported for."""

import torch
from torch.export import ExportedProgram
from torch.fx import Node

aten = torch.ops.aten
RESHAPINGS = {aten.view.default, aten.reshape.default, aten._unsafe_view.default}


def free_batch(program: ExportedProgram) -> None:
    """Let reshapings to (batch, ...) of what has the images along its first dimension leave their number open.

    For the number that it was exported for the program computes what it did; whether it is right for others shows when
    an image goes through alone and among others.
    """
    name = program.graph_signature.user_inputs[0]
    images = next(node for node in program.graph.nodes if node.name == name)
    batch = _sides(images)[0]
    if not isinstance(batch, int):
        return
    for node in program.graph.nodes:
        if node.target not in RESHAPINGS or not isinstance(node.args[1], list | tuple):
            continue
        before, shape = _sides(node.args[0]), list(node.args[1])
        if before[:1] == [batch] and shape[:1] == [batch] and -1 not in shape:
            node.update_arg(1, [-1, *shape[1:]])
        elif before[:1] == [batch] and shape[:1] == [batch] and shape.count(-1) == 1 and isinstance(batch, int):
            after = _sides(node)
            if len(after) == len(shape) and all(isinstance(side, int) for side in after):
                node.update_arg(1, [-1, *after[1:]])


def image_sides(program: ExportedProgram) -> list[int | None]:
    """The sides of what the program reads, None for one that isn't fixed."""
    name = program.graph_signature.user_inputs[0]
    images = next(node for node in program.graph.nodes if node.name == name)
    return [side if isinstance(side, int) else None for side in _sides(images)]


def _sides(node: object) -> list[object]:
    value = node.meta.get("val") if isinstance(node, Node) else None
    return list(value.shape) if isinstance(value, torch.Tensor) else []
