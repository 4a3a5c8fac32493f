"""Networks that read something else than one image: videos and volumes, or several inputs."""

import inspect

from torch import nn

from cnnvis_report.data.shown_bands import MOST_BANDS
from cnnvis_report.errors import BadRequest

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)
FOLDED = (
    f"Wrap it in a module whose forward takes N×C×H×W and unfolds time or depth from the channels, x.unflatten(1, "
    f"(channels, -1)): every slice is then a band of its own, up to {MOST_BANDS} (docs/inputs.md)"
)


def check_inputs(network: nn.Module, name: str) -> None:
    """Refuse a network that no single image can be given to.

    Raises:
        BadRequest: saying what it reads, and what to do.
    """
    needed = _needed(network)
    if len(needed) > 1:
        raise BadRequest(
            f"{name} reads {len(needed)} inputs, {', '.join(needed)}, and one image is explained. Wrap it in a module "
            f"whose forward takes the image alone and gives the others itself, as constants (docs/inputs.md)."
        )
    convolutions = [(path, module) for path, module in network.named_modules() if isinstance(module, CONVOLUTIONS)]
    if convolutions and all(isinstance(module, nn.Conv3d) for _, module in convolutions):
        path, first = convolutions[0]
        raise BadRequest(
            f"{name} reads videos or volumes: its first convolution, {path}, is a {type(first).__name__} over "
            f"N×{first.in_channels}×T×H×W, and images N×C×H×W are explained. {FOLDED}."
        )


def _needed(network: nn.Module) -> list[str]:
    """What the network's forward can't be called without; nothing where it doesn't say."""
    try:
        parameters = inspect.signature(network.forward).parameters.values()
    except (TypeError, ValueError, AttributeError):
        return []
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [entry.name for entry in parameters if entry.default is entry.empty and entry.kind not in several]
