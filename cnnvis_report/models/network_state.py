"""What a network holds: whether its numbers are finite, and a fingerprint of all of them."""

from hashlib import sha256

import torch
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.candidates import State

RUNNING = ("running_mean", "running_var")


def check_finite(network: nn.Module, source: str) -> None:
    """Refuse parameters with NaN or infinity, and statistics of batch norms with NaN.

    Buffers may hold infinity: a mask that is added before a softmax does, and a variance without bound has a meaning.
    """
    statistics = [(key, value) for key, value in network.named_buffers() if key.rpartition(".")[2] in RUNNING]
    statistic_names = dict(statistics)
    for name, value in (*network.named_parameters(), *statistics):
        if not value.is_floating_point() or value.is_meta:
            continue
        good = ~value.isnan() if name in statistic_names else value.isfinite()
        if not bool(good.all()):
            bad = int((~good).sum())
            raise BadRequest(
                f"{source}: {name} has {bad} of {value.numel()} values that aren't finite. "
                f"The training probably diverged; use an earlier checkpoint."
            )


def silent_channels(network: nn.Module) -> tuple[str, ...]:
    """What a user has to know of variances without bound, a sentence for each batch norm that has some."""
    counts = {
        name: value.isinf().sum()
        for name, value in network.named_buffers()
        if name.rpartition(".")[2] == RUNNING[1] and not value.is_meta and bool(value.isinf().any())
    }
    return tuple(
        f"{name} is infinite for {int(count)} channels: whatever they see, they give their bias alone."
        for name, count in counts.items()
    )


def state_of(network: nn.Module) -> State:
    """The tensors of a network's state; its parameters and buffers, where its own `state_dict` doesn't give them."""
    try:
        state = dict(network.state_dict())
    except Exception:  # somebody's own
        state = {}
    tensors = {str(name): value for name, value in state.items() if isinstance(value, Tensor)}
    return tensors or {**dict(network.named_parameters()), **dict(network.named_buffers())}


def weights_hash(network: nn.Module) -> str:
    """A fingerprint of all parameters and buffers, whatever file they came from: 16 hexadecimal digits."""
    digest = sha256()
    for name, value in sorted(state_of(network).items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}\n".encode("utf-8", "surrogatepass"))
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
