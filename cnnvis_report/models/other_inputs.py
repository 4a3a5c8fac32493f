"""Networks that read something else than one image: videos and volumes, or several inputs."""

import torch
from torch import Tensor, nn

from cnnvis_report.data.preprocessing.shown_bands import MOST_BANDS
from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.diagnosis import is_needed, parameters_of
from cnnvis_report.isolation.eval_mode import eval_mode
from cnnvis_report.isolation.process_state import running_user_code

CONVOLUTIONS = (nn.Conv2d, nn.Conv3d)
FOLDED = (
    f"Wrap it in a module whose forward takes N×C×H×W and unfolds time or depth from the channels, x.unflatten(1, "
    f"(channels, -1)): every slice is then a band of its own, up to {MOST_BANDS} (docs/inputs.md)"
)
PROBE = (8, 32, 32)  # time, height and width of what a first convolution is watched with


def check_inputs(network: nn.Module, name: str) -> None:
    """Refuse a network that no single image can be given to."""
    needed = [parameter.name for parameter in parameters_of(getattr(network, "forward", None)) if is_needed(parameter)]
    if len(needed) > 1:
        raise BadRequest(
            f"{name} reads {len(needed)} inputs, {', '.join(needed)}, and one image is explained. Wrap it in a module "
            f"whose forward takes the image alone and gives the others itself, as constants (docs/inputs.md)."
        )
    convolutions = [(path, module) for path, module in network.named_modules() if isinstance(module, CONVOLUTIONS)]
    path, first = convolutions[0] if convolutions else ("", None)
    if isinstance(first, nn.Conv3d) and _gets_five_sides(network, first):
        raise BadRequest(
            f"{name} reads videos or volumes: its first convolution, {path}, is a {type(first).__name__} over "
            f"N×{first.in_channels}×T×H×W, and images N×C×H×W are explained. {FOLDED}."
        )


def _gets_five_sides(network: nn.Module, first: nn.Conv3d) -> bool:
    """Whether a video goes to the first convolution as it is; one that unfolds images itself makes six sides of it."""
    sides: list[int] = []

    def watch(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        sides.append(inputs[0].ndim)
        raise _Seen

    hook = first.register_forward_pre_hook(watch)
    try:
        with torch.no_grad(), eval_mode(network), running_user_code():
            network(first.weight.new_zeros(1, first.in_channels, *PROBE))
    except Exception:  # it takes something else
        pass
    finally:
        hook.remove()
    return sides == [5]


class _Seen(Exception):
    """The first convolution was reached, and nothing behind it need run."""
