"""What can't be had of a network: each stage and each view fails alone, and its reason is recorded."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.errors import CnnVisError, NotApplicable, WentAway, brief
from cnnvis_report.progress import Progress
from cnnvis_report.store.files.os_errors import refusal

Reasons = list[tuple[str, str]]  # what isn't there, and why
T = TypeVar("T")


class Stages:
    """Runs the stages of a run one after the other; one that fails, or isn't applicable, is recorded; the others go on.

    not_applicable: the stages that gave nothing, with the reason.
    """

    def __init__(self, progress: Progress) -> None:
        self.not_applicable: Reasons = []
        self._progress = progress

    def run(self, name: str, stage: Callable[[], T], otherwise: T) -> T:
        """What the stage gives, or `otherwise` where it fails, or says that it isn't applicable.

        Raises:
            WentAway: the run folder is gone. Exception: what the operating system refuses; that can be made up for.
        """
        try:
            return stage()
        except WentAway:
            raise
        except NotApplicable as error:
            self.not_applicable.append((name, reason_of(error)))
            return otherwise
        except Exception as error:  # the images are done, and worth keeping without it
            if refusal(error) is not None:
                raise
            reason = "out of memory" if is_out_of_memory(error) else reason_of(error)
            self.not_applicable.append((name, reason))
            self._progress.warn(f"The {name} failed and is left out: {reason}.", error)
            return otherwise


def all_of(what: str, make: Callable[[], Iterable[T]], reasons: Reasons) -> tuple[T, ...]:
    """All views of a kind, or as many as could be made; then the kind and the reason are recorded.

    Raises:
        RuntimeError, MemoryError: out of memory.
    """
    values: list[T] = []
    try:
        values.extend(make())
    except Exception as error:
        reasons.append((what, reason_of(error)))
    return tuple(values)


def reason_of(error: Exception) -> str:
    """Why there is no such view, as a part of a sentence; running out of memory is none."""
    if is_out_of_memory(error):
        raise error
    message = str(error) if isinstance(error, CnnVisError) else f"{type(error).__name__}: {brief(error)}"
    return message.rstrip(".")
