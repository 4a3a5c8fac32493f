"""Views of the inside one by one: what the network doesn't take costs the view that needs it, and no other."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.errors import CnnVisError, brief

Gaps = list[tuple[str, str]]
T = TypeVar("T")


def all_of(what: str, make: Callable[[], Iterable[T]], gaps: Gaps) -> tuple[T, ...]:
    """All of a kind, or as many as could be made; then the kind and the reason are added to the gaps.

    Raises:
        RuntimeError, MemoryError: out of memory.
    """
    made: list[T] = []
    try:
        made.extend(make())
    except Exception as error:
        gaps.append((what, reason_of(error)))
    return tuple(made)


def reason_of(error: Exception) -> str:
    """Why there is no such view, as a part of a sentence; running out of memory is none."""
    if is_out_of_memory(error):
        raise error
    said = str(error) if isinstance(error, CnnVisError) else f"{type(error).__name__}: {brief(error)}"
    return said.rstrip(".")
