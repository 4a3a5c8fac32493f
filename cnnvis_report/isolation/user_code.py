"""Somebody's own code, whose errors are said in a line with their place, whatever it was called for."""

import sys
import sysconfig
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

from cnnvis_report.errors import EndsProgram, brief

PACKAGE = Path(__file__).parents[1]
MOST_LINES = 20  # of what somebody's code prints in a command


_files: set[Path] = set()


def register_network_files(files: Iterable[Path]) -> None:
    """Files of somebody's network, which has to answer for what goes wrong in them."""
    _files.update(file for file in files if is_own_file(file))


def raised_in_network(error: BaseException) -> str | None:
    """The place in a file of somebody's network that has raised an error; None where this program has, or another.

    What libraries and Python itself raise, those have to answer for who called them.
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename).is_relative_to(PACKAGE):
            return None
        if Path(frame.filename) in _files:
            return shown_place(frame)
    return None


def user_code_location(error: BaseException) -> str | None:
    """Where in somebody's own file an error arose, as file:line (function); None where no such file is part of it.

    Their own is what belongs neither to this package, nor to PyTorch, nor to Python.
    """
    inner = error.__cause__ if isinstance(error.__cause__, ModuleNotFoundError) else error
    for frame in reversed(traceback.extract_tb(inner.__traceback__)):
        if is_own_file(Path(frame.filename)):
            return shown_place(frame)
    return None


def is_own_file(path: Path) -> bool:
    """Whether a file is a user's, or a library's beside PyTorch."""
    standard, installed = (Path(sysconfig.get_path(which)) for which in ("stdlib", "purelib"))
    torch = Path(getattr(sys.modules.get("torch"), "__file__", None) or "torch/__init__.py").parent
    if path.name.startswith("<") or path.is_relative_to(PACKAGE) or path.is_relative_to(torch):
        return False
    return path.is_relative_to(installed) or not path.is_relative_to(standard)


def shown_place(frame: traceback.FrameSummary) -> str:
    """Such as net.py:12 (forward)."""
    function = "" if frame.name == "<module>" else f" ({frame.name})"
    return f"{shown_file(Path(frame.filename))}:{frame.lineno}{function}"


def shown_file(path: Path) -> str:
    """A file as seen from here, without the folders of this machine."""
    working_folder, installed = Path.cwd(), Path(sysconfig.get_path("purelib"))
    for top in (working_folder, installed):
        if path.is_relative_to(top):
            return path.relative_to(top).as_posix()
    return path.name


def is_fatal(error: BaseException) -> bool:
    """Whether an error would end the program without a word of its own, as `sys.exit` does; Ctrl-C is meant to."""
    return not isinstance(error, Exception | KeyboardInterrupt)


def ends_program(error: BaseException, name: str, location: str | None) -> EndsProgram:
    """What to say of somebody's code that wanted to end the program."""
    cause = f"SystemExit: {error.code}" if isinstance(error, SystemExit) else f"{type(error).__name__}: {brief(error)}"
    return EndsProgram(f"{name}: {location or 'its code'} ends the program ({cause}).")


class Aside:
    """A stream beside the program's own output, for what somebody's code prints; of much, the first lines."""

    def __init__(self, to: TextIO) -> None:
        self._to, self._lines = to, 0

    def write(self, text: str) -> int:
        """Pass it on, as long as it isn't too much."""
        if self._lines < MOST_LINES:
            self._to.write(text)
        before, self._lines = self._lines, self._lines + text.count("\n")
        if before < MOST_LINES <= self._lines:
            self._to.write("(what the network prints from here on is left out)\n")
        return len(text)

    def flush(self) -> None:
        """Pass it on at once."""
        self._to.flush()

    def isatty(self) -> bool:
        """No terminal: nothing is to be drawn here."""
        return False


_aside: list[Aside] = []


@contextmanager
def user_output_to_stderr() -> Iterator[None]:
    """While it is open, what somebody's code prints goes beside a command's output, which is its result alone."""
    _aside.append(Aside(sys.stderr))
    try:
        yield
    finally:
        _aside.pop()


@contextmanager
def redirect_user_output() -> Iterator[None]:
    """Somebody's code runs while it is open."""
    if not _aside:
        yield
        return
    with redirect_stdout(_aside[-1]):
        yield


@contextmanager
def warnings_once() -> Iterator[None]:
    """While it is open, each place that warns is heard once, in one line: a network may warn in every pass."""
    shown: set[tuple[str, int, str]] = set()
    before = warnings.showwarning

    def show(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
        key = filename, lineno, category.__name__
        if key not in shown:
            shown.add(key)
            first_line = next(iter(str(message).splitlines()), "")
            print(f"{shown_file(Path(filename))}:{lineno}: {category.__name__}: {first_line}", file=sys.stderr)

    warnings.showwarning = show  # type: ignore[assignment]
    try:
        yield
    finally:
        warnings.showwarning = before
