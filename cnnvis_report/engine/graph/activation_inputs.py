"""What activations read, noted while they run: of some, autograd keeps the result alone, which doesn't tell it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import Node
from torch.nn import functional
from torch.overrides import TorchFunctionMode

aten = torch.ops.aten

# by any name that they are called by: torch.nn's, torch's, a tensor's and an export's
NAMES = ("relu", "sigmoid", "tanh", "elu", "selu", "leaky_relu")
FUNCTIONS: frozenset[Callable[..., Any]] = frozenset(
    function
    for name in (*NAMES, *(f"{name}_" for name in NAMES))
    for function in (
        *(getattr(home, name, None) for home in (functional, torch, Tensor)),
        getattr(getattr(aten, name, None), "default", None),
    )
    if function is not None
)


@dataclass
class ActivationInputs(TorchFunctionMode):
    """While it is open, notes what activations read.

    inputs: by the node of an activation's result. They are copies, as what was read may be written over.
    """

    inputs: dict[Node, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def __torch_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        """Run the function, and note what it was called with."""
        keywords = kwargs or {}
        if function not in FUNCTIONS:
            return function(*args, **keywords)
        x: Tensor = args[0] if args else keywords["input"]
        before = x.detach().clone() if x.requires_grad else None
        result = function(*args, **keywords)
        if before is not None and result.grad_fn is not None:
            self.inputs[result.grad_fn] = before
        return result
