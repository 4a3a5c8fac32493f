"""Running somebody's network without leaving a trace on it, and reading what it returns."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest
from cnnvis_report.isolation.lock import exclusive

# Under which keys the networks of a training keep their class scores, the likeliest first.
KEYS = (
    *("logits", "scores", "output", "outputs", "out", "pred", "preds", "prediction", "predictions", "y_hat", "y_pred"),
    *("class_logits", "cls_logits", "cls_score", "cls", "classification", "probs", "probabilities", "log_probs", "y"),
)
AUTOCASTING = ("cpu", "cuda", "mps", "xpu")


def as_scores(output: Any, name: str, count: int, notes: dict[str, None] | None = None) -> Tensor:
    """[N, columns] from what a classifier returns for so many images.

    Args:
        taken: what is taken of an output of several parts is added to it, in words.

    Raises:
        BadRequest: it isn't the output of a classifier; the message says what it is instead.
    """
    tensor, note = scores_in(output, count)
    if note and notes is not None:
        notes[note] = None
    if not isinstance(tensor, Tensor):
        raise BadRequest(
            f"{name} returns {described(output)}, not class scores. Wrap it in a module that returns N×classes scores."
        )
    scores = _as_columns(tensor, count)
    if scores is None and tensor.ndim <= 1:
        raise BadRequest(
            f"{name} returns {tensor.numel()} numbers for {count} images: no class scores. "
            f"Wrap it in a module that returns N×classes scores."
        )
    if scores is None:
        sides = "×".join(map(str, tensor.shape[1:]))
        advice = "Give --task segmentation if they are the scores of classes at positions, or " * (tensor.ndim == 4)
        raise BadRequest(
            f"{name} returns N×{sides}, no N×classes scores. {advice or 'Give '}"
            f"--target, a function that makes scores of them."
        )
    if not scores.shape[1]:
        raise BadRequest(f"{name} returns N×0: it has no classes.")
    if scores.is_complex():
        raise BadRequest(f"{name} returns complex numbers. Wrap it in a module that returns their real part or size.")
    return scores


def scores_in(output: Any, count: int) -> tuple[Any, str]:
    """What of an output is taken as the scores, and in words where that was a choice; the output itself otherwise."""
    logits = getattr(output, "logits", None)
    if isinstance(logits, Tensor):
        return logits, ""
    if isinstance(output, Mapping):
        fit = {str(key): value for key, value in output.items() if _fits(value, count)}
        key = next((key for key in KEYS if key in fit), next(iter(fit), "") if len(output) == 1 else "")
        return (fit[key], f"{described(output)}; {key!r} is taken as the scores") if key else (output, "")
    if isinstance(output, tuple | list) and output and _fits(output[0], count):
        sides = "×".join(["N", *map(str, output[0].shape[1:])])
        choice = f"its first item, {sides}, is taken as the scores" if len(output) > 1 else "its item is the scores"
        return output[0], f"{described(output)}; {choice}"
    return output, ""


def fits_as_scores(output: Any, count: int) -> bool:
    """Whether an output, or the part of it that is taken, is N×classes."""
    tensor, _ = scores_in(output, count)
    return _fits(tensor, count)


def _fits(value: Any, count: int) -> bool:
    return isinstance(value, Tensor) and _as_columns(value, count) is not None


def _as_columns(scores: Tensor, count: int) -> Tensor | None:
    """[N, columns]: one score per image may lack its side, N×K may have sides of 1, and a single image no N."""
    if scores.ndim == 2:
        return scores
    if scores.ndim <= 1 and scores.numel() and (scores.numel() == count or count == 1):
        return scores.reshape(count, -1)
    if scores.ndim > 2 and len(scores) == count and sum(side > 1 for side in scores.shape[1:]) <= 1:
        return scores.flatten(1)
    return None


def described(output: Any) -> str:
    """Such as "a dict with out, aux" or "a tuple of 2: Tensor, list"."""
    kind = type(output).__name__
    article = "an" if kind[:1].lower() in "aeiou" else "a"
    if isinstance(output, Mapping):
        return f"{article} {kind} with {', '.join(map(str, list(output)[:4])) or 'nothing in it'}"
    if isinstance(output, tuple | list):
        return f"{article} {kind} of {len(output)}" + "".join(
            f"{', ' if index else ': '}{_sides(part)}" for index, part in enumerate(output[:4])
        )
    return f"{article} {kind}"


def _sides(value: Any) -> str:
    return "×".join(["N", *map(str, value.shape[1:])]) if isinstance(value, Tensor) else type(value).__name__


def check_shape(scores: Tensor, count: int, columns: int) -> Tensor:
    """The scores, which have to be those of so many images, and of so many columns unless that is 0.

    Raises:
        ValueError: they aren't.
    """
    if len(scores) != count:
        raise ValueError(f"it gives {len(scores)} rows of scores for {count} images")
    if columns and scores.shape[1] != columns:
        raise ValueError(f"it gives {scores.shape[1]} scores per image, and gave {columns} before")
    return scores


def class_names(names: Sequence[str] | None, count: int, name: str) -> tuple[str, ...]:
    """The names of a classifier's classes, numbers where none are given.

    Raises:
        BadRequest: there are more or fewer names than classes.
    """
    if names is None:
        return tuple(f"class {index}" for index in range(count))
    if len(names) != count:
        raise BadRequest(
            f"{name} has {count} classes, and was given {len(names)} class name{'s' if len(names) != 1 else ''}; "
            f"one for each is needed, in index order."
        )
    return tuple(names)


@contextmanager
def full_precision() -> Iterator[None]:
    """Float32 arithmetic keeps its digits while it is open, whatever the caller has set: autocasting is off, too."""
    with exclusive():  # these are switches of the process
        precision = torch.get_float32_matmul_precision()
        cudnn = torch.backends.cudnn
        # TF32, which cuDNN uses by default, keeps 10 bits: maps of GPU and CPU would part at 1e-3
        full = cudnn.flags(cudnn.enabled, cudnn.benchmark, cudnn.benchmark_limit, cudnn.deterministic, allow_tf32=False)
        try:
            torch.set_float32_matmul_precision("highest")
            with full, ExitStack() as uncast:
                for device in AUTOCASTING:
                    if torch.is_autocast_enabled(device):
                        uncast.enter_context(torch.autocast(device, enabled=False))
                yield
        finally:
            torch.set_float32_matmul_precision(precision)


@contextmanager
def grad_mode() -> Iterator[None]:
    """Gradients are recorded, in full precision."""
    inference = torch.inference_mode(False) if torch.is_inference_mode_enabled() else nullcontext()
    with full_precision(), inference, torch.enable_grad():
        yield


class ImageBuffer:
    """Memory that images are copied to, so that a network may work on them in place.

    Where nothing is recorded the same memory serves again: to find new room costs more than to copy.
    """

    def __init__(self) -> None:
        self._buffer: Tensor | None = None

    def copied(self, images: Tensor, layout: torch.memory_format) -> Tensor:
        """The images in the memory layout that is fastest for the network."""
        if torch.is_grad_enabled():
            return images.clone(memory_format=layout)
        if self._buffer is None or (self._buffer.shape, self._buffer.dtype) != (images.shape, images.dtype):
            self._buffer = torch.empty_like(images, memory_format=layout)
        return self._buffer.copy_(images)
