"""How the progress of a report is told to whoever asked for it from Python."""

import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import Any

from cnnvis_report.cli.terminal.console import NORMAL, QUIET, Console
from cnnvis_report.errors import BadRequest

log = logging.getLogger("cnnvis_report")
WAYS = ("auto", "terminal", "notebook", "none")
Told = Callable[[float, str], object]
ProgressChoice = str | Told | None


def console_of(progress: ProgressChoice) -> Console:
    """What tells of the progress.

    Args:
        progress: "terminal" for a bar and lines on the standard error stream, "notebook" for a line below the cell,
            "none" or None for Python's logging alone, "auto" for what fits; or a function of what part is done, from
            0 to 1, and what is being done.

    Raises:
        BadRequest: it is none of these.
    """
    if progress == "auto":
        progress = "notebook" if _in_notebook() else "terminal"
    if progress is None or progress == "none":
        return LogConsole()
    if progress == "terminal":
        return Console(NORMAL)
    if progress == "notebook":
        return CallbackConsole(_notebook_line())
    if callable(progress):
        return CallbackConsole(progress)
    raise BadRequest(f"progress is {progress!r}; give {', '.join(map(repr, WAYS))}, or a function (fraction, what).")


class LogConsole(Console):
    """Leaves all lines to Python's logging, as information and as warnings, and shows no progress."""

    def __init__(self) -> None:
        super().__init__(QUIET)

    def say(self, text: str = "") -> None:
        """A line of information."""
        if text.strip():
            log.info("%s", " ".join(text.split()))

    def interject(self, text: str) -> None:
        """The same while work goes on."""
        self.say(text)

    def warn(self, message: str, error: Exception | None = None) -> None:
        """A warning."""
        log.warning("%s", message)


class CallbackConsole(LogConsole):
    """Tells a function of the progress, and leaves lines and warnings to Python's logging."""

    def __init__(self, tell: Told) -> None:
        super().__init__()
        self._tell, self._total, self._done, self._label = tell, 1.0, 0.0, ""

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[None]:
        """A part of the work begins, and ends."""
        self._label, self._total, self._done = label, float(max(total, 1)), 0.0
        self._tell(0.0, label)
        yield
        self._tell(1.0, label)

    def step(self, what: str, items: float = 0.0) -> None:
        """Part of an item is done."""
        self._tell_of(items, what)

    def done(self, item: str, *, in_steps: bool = False) -> None:
        """An item is done."""
        self._tell_of(0.0 if in_steps else 1.0, item)

    def _tell_of(self, items: float, what: str) -> None:
        self._done = min(self._done + items, self._total)
        self._tell(self._done / self._total, f"{self._label} {what}")


def _in_notebook() -> bool:
    """Whether the program runs in a kernel that shows HTML."""
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and hasattr(shell, "kernel")


def _notebook_line() -> Told:
    if importlib.util.find_spec("IPython") is None:
        raise BadRequest("progress is 'notebook', and IPython isn't installed: give 'terminal', 'none' or a function.")
    shown: Any = importlib.import_module("IPython.display")
    handle = shown.display(shown.HTML(""), display_id=True)

    def tell(fraction: float, what: str) -> None:
        bar = f'<progress value="{fraction:.3f}" aria-label="progress"></progress>'
        handle.update(shown.HTML(f"{bar} {fraction:.0%} {escape(what)}"))

    return tell
