"""From what may be there to what a test knows is there: to the type checker, and of PyTorch's versions."""

from typing import TypeVar

import pytest
import torch
from torch import nn

T = TypeVar("T")
Layer = TypeVar("Layer", bound=nn.Module)
OLD_EXPORT = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 8)
needs_programs = pytest.mark.skipif(OLD_EXPORT, reason="PyTorch before 2.8 writes programs in another form")


def present(value: T | None) -> T:
    """The value, which isn't None."""
    assert value is not None
    return value


def layer(network: nn.Module, name: str, kind: type[Layer]) -> Layer:
    """A network's layer of this name, which is of this kind."""
    module = network.get_submodule(name)
    assert isinstance(module, kind), f"{name} is a {type(module).__name__}"
    return module
