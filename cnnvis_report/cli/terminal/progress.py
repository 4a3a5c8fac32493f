"""How far something is, in words, and a clock that strikes while the program is busy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from cnnvis_report.report.views import formatting as fmt

EARLY = 0.1  # of the whole


class Progress:
    """How far something is.

    Args:
        label: what is done. total: how many things there are.
    """

    def __init__(self, label: str, total: int, clock: Callable[[], float]) -> None:
        self.label, self.total = label, total
        self.amount = 0.0
        self._clock, self._start = clock, clock()
        self._done, self._item = 0, ""
        self._end: float | None = None

    def move(self, amount: float, item: str, done: int) -> None:
        """So much more is done, in things, and so many of them wholly."""
        self.amount += amount
        self._done += done
        self._item = item

    def expect(self, left: float) -> float:
        """Told what is still to come, in seconds; gives those that have passed."""
        self._end = self._clock() + left
        return self._clock() - self._start

    def state(self) -> str:
        """Such as "3/8  0.4/s  grad_cam"."""
        rate = self._done / max(self._clock() - self._start, 1e-9)
        pace = f"  {rate:.1f}/s" if self._done else ""
        return f"{self._done}/{self.total}{pace}  {self._item}"

    def line(self) -> str:
        """Such as "Explain   3 of 8, 0.4 per second, about 12 s left; grad_cam"."""
        spent = max(self._clock() - self._start, 1e-9)
        parts = [f"{self._done} of {self.total}"]
        if self._done:
            parts.append(f"{fmt.number(self._done / spent)} per second")
        left = self._left(spent)
        parts.append(f"about {fmt.duration(left)} left" if left else f"{fmt.duration(spent)} so far")
        return f"{self.label:<9} {', '.join(parts)}" + (f"; {self._item}" if self._item else "")

    def _left(self, spent: float) -> float | None:
        """Seconds; what was expected where somebody has told, else by how far it is, once that is a tenth of the way.

        Before, it tells little: methods take more or less than their share, and the first pass is slow.
        """
        if self._end is not None:
            return max(self._end - self._clock(), 0.0) or None
        return spent * (self.total / self.amount - 1) if self.amount >= EARLY * self.total > 0 else None


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
