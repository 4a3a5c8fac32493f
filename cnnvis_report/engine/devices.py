"""Where a run happens, and how many images fit there at a time."""

import os
import platform
import re

import torch

from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, RunFailed, shown

MOST_AT_A_TIME = {"cpu": 8, "mps": 16, "cuda": 64}
SHARE_OF_MEMORY = {"cpu": 0.15, "mps": 0.3, "cuda": 0.4}


def choose_device(name: str) -> torch.device:
    """The device called `auto`, `cpu`, `cuda`, `cuda:N` or `mps`; auto takes a GPU where there is one.

    Raises:
        BadRequest: there is no such device; the message lists those that there are.
    """
    present = ["cpu"]
    if torch.cuda.is_available():
        present += [f"cuda:{number}" for number in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        present.append("mps")
    if name == "auto":
        name = next((kind for kind in present if kind.startswith(("cuda", "mps"))), "cpu")
    if not re.fullmatch(r"cpu|cuda(:\d+)?|mps", name):
        raise BadRequest(f"--device {shown(name)} isn't known. Here there are: auto, {', '.join(present)}.")
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in present:
        raise BadRequest(
            f"--device {name}: this machine (or this PyTorch) hasn't got it. Here there are: {', '.join(present)}."
        )
    return torch.device(wanted)


def describe(device: torch.device) -> str:
    """Such as "NVIDIA A100, CUDA 13.0" or "CPU, 2 threads"; no name of the machine."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}"
    if device.type == "mps":
        return f"Apple GPU, {platform.machine()}"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def batch_size(subject: Subject, device: torch.device, requested: int | None) -> int:
    """How many images go through the network at a time: what was asked for, or what fits comfortably."""
    if subject.one_by_one:
        return 1
    if requested is not None:
        return requested
    # every module's result is kept for the way back, and about as much again for the gradients
    image = sum(torch.Size(layer.shape).numel() for layer in subject.layers) * 4 * 2
    fitting = int(SHARE_OF_MEMORY[device.type] * _memory(device) / max(image, 1))
    return max(1, min(MOST_AT_A_TIME[device.type], fitting))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that a tensor didn't fit, on whichever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return "not enough memory" in str(error) or "can't allocate memory" in str(error)


def too_large(image: str) -> RunFailed:
    """The end of a run in which a single image doesn't fit."""
    return RunFailed(
        f"Out of memory with one image at a time ({image}). Try a smaller --size, fewer --methods, or --device cpu."
    )


def _memory(device: torch.device) -> int:
    """All of the device's memory in bytes: what is free at the moment would make runs differ."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 8 << 30
