"""Calls something every so many seconds, whatever the program is busy with meanwhile."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


class Ticker:
    """A clock that strikes in a thread of its own.

    Args:
        seconds: between two strokes.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @contextmanager
    def striking(self, stroke: Callable[[], None]) -> Iterator[None]:
        """While it is open, `stroke` is called every so many seconds."""
        over = Event()

        def strike() -> None:
            while not over.wait(self._seconds):
                stroke()

        thread = Thread(target=strike, daemon=True, name="ticker")
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
