"""PyTorch's compiler, which nothing here compiles with, is imported by whoever uses it and by nobody else."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

COMPILER = ("torch._dynamo", "torch._dynamo.utils")


def import_torchvision() -> None:
    """Import torchvision without PyTorch's compiler, whose import takes longer than torchvision's own.

    One line of torchvision imports it, for one function that asks it one question, on a GPU. Here the function imports
    the compiler when it asks.
    """
    if any(name in sys.modules for name in ("torchvision", *COMPILER)):
        return
    try:
        with _deferred():
            importlib.import_module("torchvision")
    except ImportError:  # a version that wants more of it
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]


@contextmanager
def _deferred() -> Iterator[None]:
    """While it is open, importing the compiler gives a module with the one function that torchvision wants of it."""
    package, utils = (ModuleType(name) for name in COMPILER)
    package.__path__ = []
    utils.is_compile_supported = _is_compile_supported  # type: ignore[attr-defined]
    sys.modules.update(zip(COMPILER, (package, utils), strict=True))
    try:
        yield
    finally:
        for name in COMPILER:
            del sys.modules[name]


def _is_compile_supported(device: Any) -> bool:
    answer: bool = importlib.import_module(COMPILER[1]).is_compile_supported(device)
    return answer
