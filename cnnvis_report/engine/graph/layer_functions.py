"""Functions of PyTorch that are layers, by any name that they are called by: torch.nn's, torch's and an export's."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

aten = torch.ops.aten


@dataclass(frozen=True)
class LayerFunction:
    """A function that is a layer, or a part of one.

    kind: what it is: a convolution, linear, addmm, product, sum or norm. parameters: their names, by position.
    """

    kind: str
    parameters: tuple[str, ...]

    def image_operand(self, operands: Mapping[str, Any]) -> Tensor | None:
        """The operand that depends on the image; None where none does, or not the one that a layer reads."""
        names = {"addmm": ("mat1",), "sum": ("input", "other")}.get(self.kind, ("input",))
        values = [operands.get(name) for name in names]
        dependent = [value for value in values if isinstance(value, Tensor) and value.requires_grad]
        return dependent[0] if len(dependent) == 1 else None


CONVOLUTIONS = (
    functional.conv1d,
    functional.conv2d,
    functional.conv3d,
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
    torch.conv1d,
    torch.conv2d,
    torch.conv3d,
    torch.convolution,
    *(getattr(aten, f"conv{dims}d").default for dims in (1, 2, 3)),
    *(getattr(aten, f"conv{dims}d").padding for dims in (1, 2, 3)),
    aten.conv_transpose1d.default,
    aten.conv_transpose2d.input,
    aten.conv_transpose3d.input,
    aten.convolution.default,
)
MATRIX_PRODUCTS = (torch.mm, torch.matmul, Tensor.mm, Tensor.matmul, aten.mm.default, aten.matmul.default)
SUMS = (torch.add, Tensor.add, Tensor.add_, aten.add.Tensor, aten.add_.Tensor)


def _all(
    functions: Iterable[Callable[..., Any]], kind: str, parameters: str
) -> dict[Callable[..., Any], LayerFunction]:
    return dict.fromkeys(functions, LayerFunction(kind, tuple(parameters.split())))


_NORM = "input weight bias running_mean running_var"
LAYERS: dict[Callable[..., Any], LayerFunction] = {
    **_all(CONVOLUTIONS, "convolution", "input weight bias"),
    **_all((functional.linear, aten.linear.default), "linear", "input weight bias"),
    **_all((torch.addmm, Tensor.addmm, aten.addmm.default), "addmm", "input mat1 mat2"),
    **_all(MATRIX_PRODUCTS, "product", "input other"),
    **_all(SUMS, "sum", "input other"),
    **_all((functional.batch_norm,), "norm", "input running_mean running_var weight bias training momentum eps"),
    **_all((aten.batch_norm.default,), "norm", f"{_NORM} training momentum eps cudnn_enabled"),
    **_all((aten._native_batch_norm_legit_no_training.default,), "norm", f"{_NORM} momentum eps"),
}

# PyTorch hands the whole of its attention to an open mode, and the linear layers within it to none. The same code that
# doesn't look for modes runs as ever, and each of its linear layers is handed over.
ATTENTION = functional.multi_head_attention_forward
open_attention = FunctionType(
    ATTENTION.__code__,
    {**vars(functional), "has_torch_function": lambda _: False},
    ATTENTION.__name__,
    ATTENTION.__defaults__,
)
open_attention.__kwdefaults__ = ATTENTION.__kwdefaults__
