"""Whether a network asks PyTorch to be called in its backward passes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass
class Noticed:
    """hooks: whether a tensor was given a hook, or a layer has one."""

    hooks: bool


@contextmanager
def noticing_hooks(network: nn.Module) -> Iterator[Noticed]:
    """While it is open, notes whether the network's code gives a tensor a hook for its gradient.

    Hooks that modules were given in the old way, for a layer's own operation, count too.
    """
    noticed = Noticed(any(module._backward_hooks and not module._is_full_backward_hook for module in network.modules()))
    register = Tensor.register_hook

    def noted(tensor: Tensor, hook: Callable[..., Any]) -> Any:
        noticed.hooks = True
        return register(tensor, hook)  # type: ignore[no-untyped-call]

    Tensor.register_hook = noted  # type: ignore[method-assign] # there is no other way to hear of it
    try:
        yield noticed
    finally:
        Tensor.register_hook = register  # type: ignore[method-assign]
