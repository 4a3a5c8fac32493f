"""Which images a TorchScript file reads: by what it was traced with, or by trying."""

import itertools
import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cnnvis_report.isolation.diagnosis import SIDES

LARGEST = 1 << 14
LONGEST = 1 << 20


def example_for(script: Any, path: Path) -> tuple[Tensor, bool] | None:
    """Noise [1, C, H, W] that a script takes, and whether its size is one that it was traced with; None for none."""
    traced = traced_size(path)
    tried = [(traced, True)] if traced else []
    tried += [(size, False) for size in _likely(script)]
    for size, known in tried:
        noise = torch.randn(1, *size, generator=torch.Generator().manual_seed(0))
        try:
            with torch.no_grad():
                script(noise)
        except Exception:  # of TorchScript, of any type
            continue
        return noise, known
    return None


def traced_size(path: Path) -> tuple[int, int, int] | None:
    """Channels, height and width of the image that a network was traced with, if the file says so."""
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("/traced_inputs.pkl"))
            if archive.getinfo(name).file_size > LONGEST:
                return None
            numbers: list[int] = []
            for opcode, value, _ in pickletools.genops(archive.read(name)):
                if isinstance(value, int) and opcode.name.startswith("BININT"):
                    numbers.append(value)
                elif opcode.name in ("TUPLE", "MARK", "BINPERSID"):
                    if len(numbers) >= 4 and all(0 < number <= LARGEST for number in numbers[-4:]):
                        return numbers[-3], numbers[-2], numbers[-1]
                    numbers = []
    except Exception:  # it isn't there, or is written in another way
        return None
    return None


def _likely(script: Any) -> Iterator[tuple[int, int, int]]:
    """Sizes to try, with the channels that its first convolution reads first."""
    kernels = [value for value in script.state_dict().values() if value.ndim == 4]
    channels = dict.fromkeys([*[int(kernel.shape[1]) for kernel in kernels[:1]], 3, 1])
    yield from ((count, side, side) for count, side in itertools.product(channels, SIDES))
