"""From what may be there to what a test knows is there, in the words of the type checker."""

from typing import TypeVar

from torch import nn

T = TypeVar("T")
Layer = TypeVar("Layer", bound=nn.Module)


def present(value: T | None) -> T:
    """The value, which isn't None."""
    assert value is not None
    return value


def layer(network: nn.Module, name: str, kind: type[Layer]) -> Layer:
    """A network's layer of this name, which is of this kind."""
    module = network.get_submodule(name)
    assert isinstance(module, kind), f"{name} is a {type(module).__name__}"
    return module
