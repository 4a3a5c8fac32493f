"""Forward passes in bfloat16, for devices that have units for it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cnnvis_report.isolation.eager import Casting

# processors multiply in bfloat16 by tiles, in a third of float32's time, or by vectors, in half of it
UNITS = ("amx_bf16", "avx512_bf16")
LEAST_WORK = 50e6  # multiplications an image: below, converting between the two types costs what the units save

Weights = Mapping[str, Tensor]


def gains(device: torch.device, work: float) -> bool:
    """Whether a network with so many multiplications an image is faster in bfloat16 there.

    It is a matter of the device and the network, not of a clock, so that the same command decides alike each time.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False) and work >= LEAST_WORK
    return device.type == "cpu" and has_bfloat16_units() and work >= LEAST_WORK


def has_bfloat16_units() -> bool:
    """Whether the processor multiplies in bfloat16 itself; False where PyTorch is too old to say."""
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    return capabilities is not None and any(capabilities().get(unit) for unit in UNITS)


def reduced_weights(network: nn.Module) -> Weights:
    """Copies in bfloat16, channels last, of what convolutions and linear layers multiply with.

    Vectors of other layers, such as the statistics of a batch norm, stay as they are: they cost nothing.
    """
    weights = {}
    for path, module in network.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and weight.ndim >= 2 and weight.dtype == torch.float32:
            for name, parameter in module.named_parameters(recurse=False):
                layout = torch.channels_last if parameter.ndim == 4 else torch.preserve_format
                small = parameter.detach().to(torch.bfloat16, memory_format=layout)
                weights[f"{path}.{name}" if path else name] = small
    return weights


def run_reduced(network: nn.Module, weights: Weights, images: Tensor) -> object:
    """What the network gives with these weights, every operation in the type that autocasting knows to be safe."""
    with Casting(images.device.type, torch.bfloat16):
        result: object = functional_call(network, dict(weights), (images,))
    return result
