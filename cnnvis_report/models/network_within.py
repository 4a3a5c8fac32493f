"""Which module is the network, where a module of training holds one."""

from torch import nn

from cnnvis_report.errors import BadRequest

NAMES = ("model", "net", "network", "backbone", "encoder", "classifier", "module")
WITHOUT = ("Module", "LightningModule")  # classes whose forward only says that there is none

LIBRARIES = ("torch.", "lightning", "pytorch_lightning")


def network_within(module: nn.Module, spec: str) -> tuple[nn.Module, tuple[str, ...]]:
    """The module that takes images: itself where it has a forward, else the one that it trains; and which that is.

    Args:
        spec: what messages call it.

    Raises:
        BadRequest: it has no forward, and no module within that is called as a network usually is.
    """
    kind = type(module).__name__
    if _has_forward(module):
        is_lightning = any(base.__name__ == "LightningModule" for base in type(module).__mro__)
        return module, (f"The network is {kind}'s own forward.",) if is_lightning else ()
    children = {name: child for name, child in module.named_children() if _has_forward(child)}
    name = next((name for name in NAMES if name in children), None)
    with_weights = [name for name, child in children.items() if any(True for _ in child.parameters())]
    if name is None and len(with_weights) == 1:
        (name,) = with_weights
    if name is None:
        has = f"; it has {', '.join(children)}" if children else ""
        raise BadRequest(
            f"{spec}: {kind} has no forward, and no module within it is called {', '.join(NAMES[:4])} or so{has}. "
            f"Give a function that returns the one that takes images."
        )
    return children[name], (f"The network is {kind}'s {name}; {kind} has no forward of its own.",)


def _has_forward(module: nn.Module) -> bool:
    owner = next(base for base in type(module).__mro__ if "forward" in vars(base))
    return owner.__name__ not in WITHOUT or not owner.__module__.startswith(LIBRARIES)
