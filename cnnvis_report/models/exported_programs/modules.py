"""A program of torch.export as modules that run as generated code; PyTorch's own are interpreted, node by node."""

import torch
from torch import fx, nn
from torch.export import ExportedProgram


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
