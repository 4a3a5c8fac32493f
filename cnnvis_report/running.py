"""Running somebody's network without leaving a trace on it, and reading what it returns."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from cnnvis_report.errors import BadRequest

AUTOCASTING = ("cpu", "cuda", "mps", "xpu")


def as_scores(output: Any, name: str) -> Tensor:
    """[N, classes] from what a classifier returns.

    Raises:
        BadRequest: it isn't the output of a classifier; the message says what it is instead.
    """
    scores = getattr(output, "logits", output)
    if not isinstance(scores, Tensor):
        keys = f" with {', '.join(map(str, list(output)[:4]))}" if isinstance(output, dict) else ""
        raise BadRequest(
            f"{name} returns a {type(output).__name__}{keys}, not class scores. "
            f"Wrap it in a module that returns N×classes scores."
        )
    if scores.ndim == 4 and tuple(scores.shape[2:]) == (1, 1):
        scores = scores.flatten(1)
    if scores.ndim != 2:
        sides = "×".join(map(str, scores.shape[1:]))
        kind = "a map of scores, as for segmentation" if scores.ndim == 4 else "no class scores"
        raise BadRequest(
            f"{name} returns N×{sides}: {kind}. Wrap it in a module that returns N×classes scores, "
            f"the mean over the region in question, say."
        )
    return scores


def class_names(given: Sequence[str] | None, count: int, name: str) -> tuple[str, ...]:
    """The names of a classifier's classes, numbers where none are given.

    Raises:
        BadRequest: there are more or fewer names than classes.
    """
    if given is None:
        return tuple(f"class {index}" for index in range(count))
    if len(given) != count:
        raise BadRequest(
            f"{len(given)} class names were given, and {name} has {count} classes. "
            f"Give --class-names a file with {count} lines, in index order."
        )
    return tuple(given)


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Eval mode and no parameter gradients while it is open; afterwards every flag is as it was."""
    training = [(module, module.training) for module in network.modules()]
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    network.eval()
    for parameter in trainable:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trainable:
            parameter.requires_grad_(True)
        for module, flag in training:
            module.training = flag


@contextmanager
def full_precision() -> Iterator[None]:
    """Float32 arithmetic keeps its digits while it is open, whatever the caller has set: autocasting is off, too."""
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    cudnn = torch.backends.cudnn
    # TF32, which cuDNN uses by default, keeps 10 bits: maps of GPU and CPU would part at 1e-3
    full = cudnn.flags(cudnn.enabled, cudnn.benchmark, cudnn.benchmark_limit, cudnn.deterministic, allow_tf32=False)
    try:
        with full, ExitStack() as uncast:
            for device in AUTOCASTING:
                if torch.is_autocast_enabled(device):
                    uncast.enter_context(torch.autocast(device, enabled=False))
            yield
    finally:
        torch.set_float32_matmul_precision(precision)


@contextmanager
def recording() -> Iterator[None]:
    """Gradients are recorded, in full precision."""
    with full_precision(), torch.inference_mode(False), torch.enable_grad():
        yield
