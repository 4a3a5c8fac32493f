"""What belongs to the whole process, and somebody's code may have changed: put back, and named."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import torch

from cnnvis_report.isolation.user_code import ends_program, is_fatal, redirect_user_output, user_code_location

Setting = tuple[Callable[[], Any], Callable[[Any], object]]


def _current_default_device() -> torch.device:
    try:
        return torch.get_default_device()
    except AttributeError:  # as PyTorch 2.6 does once the device has been set to None
        return torch.device("cpu")


def _default_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 # it may have been deleted, and a path would resolve it
    except OSError:
        return ""


def _back(folder: str) -> None:
    with suppress(OSError):
        os.chdir(folder)


def _grown(path: list[str]) -> None:
    sys.path += [entry for entry in path if entry not in sys.path]


# what a pass may change without anybody noticing: cheap to look at, so that it is looked at in every pass
OF_PASSES: dict[str, Setting] = {
    "the working folder": (_folder, _back),
    "torch's default dtype": (torch.get_default_dtype, torch.set_default_dtype),
    "torch's default device": (_current_default_device, _default_device),
    "whether gradients are recorded": (torch.is_grad_enabled, torch.set_grad_enabled),
}
OF_FACTORIES: dict[str, Setting] = {
    **OF_PASSES,
    "the number of threads": (torch.get_num_threads, torch.set_num_threads),
    "autograd's anomaly detection": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
    "Python's recursion limit": (sys.getrecursionlimit, sys.setrecursionlimit),
    "the standard output": (lambda: sys.stdout, lambda stream: setattr(sys, "stdout", stream)),
}


@contextmanager
def settings_restored(settings: dict[str, Setting]) -> Iterator[list[str]]:
    """Put back whatever of these is another when it closes; gives a list that then names them."""
    before = {name: read() for name, (read, _) in settings.items()}
    changed: list[str] = []
    try:
        yield changed
    finally:
        for name, (read, write) in settings.items():
            if read() != before[name]:
                write(before[name])
                changed.append(name)


@contextmanager
def sys_path_kept() -> Iterator[None]:
    """Folders that modules are found in stay known, whatever is taken off the list while it is open."""
    before = list(sys.path)
    try:
        yield
    finally:
        _grown(before)


@contextmanager
def running_user_code(name: str = "the network") -> Iterator[None]:
    """Somebody's network runs while it is open: what it prints is set apart, what it changes around it put back.

    Raises:
        EndsProgram: it would end the program.
    """
    try:
        with settings_restored(OF_PASSES), redirect_user_output():
            yield
    except BaseException as error:
        if is_fatal(error) and not _is_end_of_block(error):
            raise ends_program(error, name, user_code_location(error)) from error
        raise


def _is_end_of_block(error: BaseException) -> bool:
    """Whether a block is left for good, as by Ctrl-C while it is entered: none of the code within raised this."""
    trace = error.__traceback__
    return isinstance(error, GeneratorExit) and trace is not None and trace.tb_next is None
