"""What processes do in tests; a module that is imported fast."""

import os
import signal
import time
from pathlib import Path


def square(number: int) -> tuple[int, int]:
    """Its square, and which process made it."""
    time.sleep(0.01 * (number % 3))  # later ones are done before earlier ones
    return number * number, os.getpid()


def printing(number: int) -> int:
    """The number itself, after a print."""
    print("among the answers")
    return number


def failing(number: int) -> int:
    """The number itself, but for 2."""
    from cnnvis_report.store.array_files.arrays import Damaged

    if number == 2:
        raise Damaged(Path("report"), "arrays/cat.npz", "is missing")
    return number


def unsendable(number: int) -> int:
    """Raise an error that no other process knows."""
    raise type("Local", (Exception,), {})("no other process knows this error")


def dying(number: int) -> int:
    """End the process."""
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def waiting(number: int) -> int:
    """Which process it is, for 2 and more after a long time."""
    time.sleep(0 if number < 2 else 60)
    return os.getpid()
