"""Layers that Keras itself runs: programs in a file that the user trusts."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from cnnvis_report.models.keras.axes import Axes
from cnnvis_report.models.keras.registry import Call, Converted, Input


class ForeignLayer(nn.Module):
    """A layer of Keras as it is, on tensors in Keras's order.

    arguments, options: of its call, with `Input` for tensors.
    """

    def __init__(self, layer: Any, arguments: Sequence[Any], options: dict[str, Any]) -> None:
        super().__init__()
        self._layer = (layer,)  # in a tuple, as it is a module itself, whose parameters are Keras's
        self.arguments, self.options = arguments, options

    def forward(self, *tensors: Tensor) -> Tensor:
        """Run the layer where its tensors are."""
        import keras

        arguments = [_filled(argument, tensors) for argument in self.arguments]
        options = {name: _filled(option, tensors) for name, option in self.options.items()}
        with keras.device(str(tensors[0].device)):
            result: Tensor = self._layer[0](*arguments, **options)
        return result

    def extra_repr(self) -> str:
        """What a printed network says of it."""
        return f"{type(self._layer[0]).__name__} of Keras"


def _filled(argument: Any, tensors: Sequence[Tensor]) -> Any:
    """An argument with the tensors in their places."""
    if isinstance(argument, Input):
        return tensors[argument.number]
    return [_filled(part, tensors) for part in argument] if isinstance(argument, list) else argument


def foreign(call: Call) -> Converted:
    """A layer that nothing here stands for, run by Keras."""
    inputs = tuple(axes.plain() for axes in call.inputs)
    module = ForeignLayer(call.layer, call.arguments or (Input(0),), call.options)
    return Converted(module, inputs, Axes.as_in_keras(call.output))
