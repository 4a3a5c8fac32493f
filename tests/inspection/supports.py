"""Receptive fields by the pixels that gradients reach, where nothing that is seen cancels."""

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from cnnvis_report.engine.subject import Subject
from cnnvis_report.engine.tape import Tape
from cnnvis_report.inspection.receptive_fields import receptive_fields
from cnnvis_report.isolation.context import grad_mode

ACTIVATIONS = {"relu", "relu_", "relu6", "hardtanh", "hardtanh_", "hardswish", "silu", "hardsigmoid", "gelu"}


class EverythingPasses(TorchFunctionMode):
    """Activations pass everything on, max pooling sends back everywhere, and normalizing over channels is left out."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name, given = getattr(function, "__name__", ""), dict(kwargs or {})
        if name in ACTIVATIONS or name == "layer_norm":
            return args[0]
        if name == "max_pool2d":
            given.pop("dilation", None), given.pop("return_indices", None)
            return F.avg_pool2d(*args, **given | {"count_include_pad": False})
        return function(*args, **given)


def averaging(network: Any) -> Any:
    """All weights positive, so that nothing that is seen cancels; each output is a mean, so that nothing overflows."""
    for parameter in network.parameters():
        nn.init.ones_(parameter)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    return network.eval()


def supports(subject: Any, image: Any, names: Any, positions: Any) -> Iterator[Any]:
    """The bounding box of the pixels that the gradient of all channels at a position reaches."""
    values: dict[str, torch.Tensor] = {}
    with grad_mode(), EverythingPasses():
        leaf = image.clone().requires_grad_()
        with subject.watching(names, lambda name, output: values.__setitem__(name, output.clone())):
            subject.forward(leaf)
        for name in names:
            for row, column in positions(*values[name].shape[2:]):
                score = values[name][0, :, row, column].sum()
                (gradient,) = torch.autograd.grad(score, leaf, retain_graph=True)
                yield name, row, column, bounding_box(gradient[0].abs().sum(0))


def bounding_box(values: Any) -> Any:
    rows, columns = values.nonzero().numpy().T
    return (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1) if len(rows) else (0, 0, 0, 0)


def agree(network: Any, image: Any, choose: Any, positions: Any) -> Any:
    subject = Subject(network, image)
    names = choose([layer.name for layer in subject.layers if layer.spatial])
    fields = receptive_fields(Tape(subject, image, layers=names), names)
    wrong = [
        (name, row, column, box, fields[name].box(row, column))
        for name, row, column, box in supports(subject, image, names, positions)
        if fields[name].box(row, column) != box
    ]
    assert not wrong, wrong
    return fields


class Headed(nn.Module):
    def __init__(self, body: Any) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Any) -> Any:
        return self.body(x).mean((2, 3))


class Does(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Any) -> Any:
        return self.function(x)


def conv(*arguments: Any, **options: Any) -> nn.Conv2d:
    return nn.Conv2d(*arguments, **options | {"bias": False})
