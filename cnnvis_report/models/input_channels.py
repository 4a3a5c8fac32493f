"""What a network reads: how many channels, and whether it takes float32."""

import torch
from torch import nn

from cnnvis_report.data.preprocessing.shown_bands import MOST_BANDS
from cnnvis_report.errors import EndsProgram
from cnnvis_report.isolation.eval_mode import eval_mode
from cnnvis_report.isolation.process_state import running_user_code


def input_channels(network: nn.Module) -> int | None:
    """The channels that the network reads, or None where it has no convolution.

    Those of the convolution that is declared first, if it alone speaks for gray or color pictures; otherwise the
    network is tried on both, as a head or a gate may be declared before the features, and then on as many channels as
    any convolution reads, the fewest first.
    """
    declared = [module.in_channels for module in network.modules() if isinstance(module, nn.Conv2d)]
    if not declared:
        return None
    likely = {*declared} & {1, 3}
    if {declared[0]} == likely:
        return declared[0]
    others = sorted(channels for channels in {*declared} - {1, 3} if channels <= MOST_BANDS)
    if others == [declared[0]] and not likely:
        return declared[0]
    return next((channels for channels in (3, 1, *others) if _takes(network, channels)), declared[0])


def in_single_precision(network: nn.Module) -> nn.Module:
    """The network with float32 weights, unless it casts its images itself and takes none but those of its own type."""
    other = [
        (tensors, name, tensor.dtype)
        for module in network.modules()
        for tensors in (module._parameters, module._buffers)
        for name, tensor in tensors.items()
        if tensor is not None and tensor.is_floating_point() and tensor.dtype != torch.float32
    ]
    network.float()
    if (
        other
        and input_channels(network)
        and not any(_takes(network, channels) for channels in (3, 1, input_channels(network) or 3))
    ):
        for tensors, name, dtype in other:
            tensors[name].data = tensors[name].to(dtype)  # type: ignore[union-attr]
    return network


def _takes(network: nn.Module, channels: int) -> bool:
    """Whether the network runs on a picture of so many channels."""
    size = getattr(network, "size", 224)
    sides = (size, size) if isinstance(size, int) else tuple(size)
    like = next((parameter for parameter in network.parameters()), torch.zeros(()))
    try:
        with torch.no_grad(), eval_mode(network), running_user_code():
            network(torch.zeros(1, channels, *sides, device=like.device, dtype=like.dtype))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError, EndsProgram):
        return False
    return True
