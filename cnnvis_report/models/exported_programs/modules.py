"""A program of torch.export as modules that run as generated code, for any number of images."""

import torch
from torch import fx, nn
from torch.export import ExportedProgram
from torch.fx import Node

aten = torch.ops.aten
RESHAPINGS = {aten.view.default, aten.reshape.default, aten._unsafe_view.default}


def modules_of(program: ExportedProgram) -> nn.Module:
    """The program's network with the modules that it was exported from, in eval mode as it was."""
    converted: dict[int, nn.Module] = {}
    network = _generated(torch.export.unflatten(program), converted)
    if isinstance(network, fx.GraphModule):
        _return_single(network)
    return network


def _generated(module: nn.Module, converted: dict[int, nn.Module]) -> nn.Module:
    """The module, and those within, with its graph as a forward; one that has no graph is left as it is."""
    if id(module) in converted:
        return converted[id(module)]
    for name, child in list(module.named_children()):
        setattr(module, name, _generated(child, converted))
    graph = getattr(module, "graph", None)
    kind = str(getattr(module, "ty", None) or type(module).__name__).rpartition(".")[2]
    converted[id(module)] = fx.GraphModule(module, graph, kind) if isinstance(graph, fx.Graph) else module
    return converted[id(module)]


def _return_single(network: fx.GraphModule) -> None:
    """Give the one result of a program by itself, which the graph has in a tuple."""
    output = next(node for node in network.graph.nodes if node.op == "output")
    results = output.args[0]
    if isinstance(results, list | tuple) and len(results) == 1:
        output.args = (results[0],)
        network.recompile()


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
