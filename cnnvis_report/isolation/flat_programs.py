"""What torch.export's `program.module()` gives, a flat graph that refuses eval mode, as a network with layers."""

from typing import Any

from torch import Tensor, fx, nn


class Operation(nn.Module):
    """One operation of a flat graph."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Any, **options: Any) -> Any:
        """What the operation gives."""
        return self.function(*args, **options)


def is_flat(network: nn.Module) -> bool:
    """Whether a network is such a graph: torch.export puts functions there that refuse `train` and `eval`."""
    return isinstance(network, fx.GraphModule) and "eval" in vars(network)


def with_layers(network: nn.Module) -> nn.Module:
    """A module of the same operations and weights, each operation a layer; other networks as they are.

    Guards of the number of images that it was exported for are left out: what it can't do for others shows when they
    are run.
    """
    if not isinstance(network, fx.GraphModule) or not is_flat(network):
        return network
    graph = fx.Graph()
    result = graph.graph_copy(network.graph, {})
    single = isinstance(result, list | tuple) and len(result) == 1
    graph.output(result[0] if single else result)  # type: ignore[index]
    module = fx.GraphModule(network, graph)
    for node in list(graph.nodes):
        if node.op == "call_module" and not node.users:
            graph.erase_node(node)
        elif node.op == "call_function" and isinstance(node.meta.get("val"), Tensor):
            path = _path(node)
            module.add_submodule(path, Operation(node.target))
            node.op, node.target = "call_module", path
    module.recompile()
    return module


def _path(node: fx.Node) -> str:
    """The path of the module that the operation was in, and the operation's own name."""
    within = list((node.meta.get("nn_module_stack") or {}).values())
    return f"{within[-1][0]}.{node.name}".strip(".") if within else node.name
