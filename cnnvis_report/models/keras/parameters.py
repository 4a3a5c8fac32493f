"""Weights of Keras's layers as tensors of PyTorch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def values(variable: Any) -> Tensor:
    """What a variable of Keras holds, in float32 on the CPU and apart from it."""
    tensor = variable.value if hasattr(variable, "value") else variable
    return torch.as_tensor(tensor).detach().to("cpu", torch.float32, copy=True)


def parameter(tensor: Tensor) -> nn.Parameter:
    """A parameter of its own memory, in the order in which it is read."""
    return nn.Parameter(tensor.contiguous())


def constant(value: Any) -> Tensor:
    """A number, list or array of a configuration, in float32."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", torch.float32)
    return torch.as_tensor(value if isinstance(value, int | float | Sequence) else value.tolist(), dtype=torch.float32)
