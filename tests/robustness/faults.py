"""Faults that strike a process at its k-th file event: it is killed, or the event fails, or a file is cut short.

File events are what Python tells its audit hooks of before it happens; the hooks can't be taken away again, so they are
for processes of their own.
"""

import contextlib
import os
import resource
import shutil
import signal
import sys
import zlib
from dataclasses import dataclass
from errno import ENOSPC, errorcode
from pathlib import Path

CHANGES = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod"}
SETTLING = "os.fsync"
LOOKS = {"os.listdir", "os.scandir", "shutil.rmtree", SETTLING}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

KILL = "killed before"  # the event is never carried out
EMPTY = "killed right after"  # it has made, or emptied, a file
TORN = "killed while writing after"  # the first bytes of the file are there
CUT = "unable to write after"  # the same, and the program is told: the limit on the size of files
FAIL = "refused"
GONE = "its folder is deleted before"
CREATING = {"open", "os.mkdir", "os.link", "os.symlink"}  # what a full disk refuses from then on


@dataclass(frozen=True)
class Fault:
    """What strikes at which event, counted from 1; an event 0 never comes. errno: of an event that is refused."""

    kind: str = KILL
    at: int = 0
    errno: int = 0

    def __str__(self) -> str:
        code = f" ({errorcode[self.errno]})" if self.errno else ""
        return f"{self.kind} file event {self.at}{code}"


@dataclass(frozen=True)
class Event:
    """A file event: its name, the path, whether it changes something, and a number of the way that led to it."""

    name: str
    path: str
    changes: bool
    way: int = 0

    @property
    def opens(self) -> bool:
        """Whether a file is opened to be written."""
        return self.name == "open" and self.changes


class Watch:
    """Counts the events in a folder, and lets the fault strike.

    Args:
        folder: whose events count: all that change it.
        read: the part of it where looking at something counts too, when an event is to be refused.
    """

    def __init__(self, folder: Path, read: Path, fault: Fault) -> None:
        self.folder, self.read, self.fault = str(folder), str(read), fault
        self.looks = fault.kind == FAIL
        self.events: list[Event] = []
        if fault.kind == TORN:  # a Python program would be told of it otherwise
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)

    def begin(self) -> None:
        """From here on, for good."""
        settle = os.fsync

        def settled(descriptor: int) -> None:  # the one that hooks aren't told of
            self._told(SETTLING, (descriptor,))
            settle(descriptor)

        os.fsync = settled  # type: ignore[assignment]  # ours are called with descriptors alone
        sys.addaudithook(self._told)

    def _told(self, name: str, given: tuple[object, ...]) -> None:
        if name not in CHANGES and name not in LOOKS:
            return
        path = _path(given)
        changes = name in CHANGES and (name != "open" or bool(given[2] & WRITING))  # type: ignore[operator]
        if not _within(path, self.folder if changes or name == SETTLING else self.read) or not (changes or self.looks):
            return
        event = Event(name, path, changes, _way())
        self.events.append(event)
        full = self.fault.errno == ENOSPC and changes and name in CREATING
        if len(self.events) == self.fault.at or (full and len(self.events) > self.fault.at):
            self._strike(event, given)

    def _strike(self, event: Event, given: tuple[object, ...]) -> None:
        kind = self.fault.kind
        if kind == GONE:
            self.fault = Fault()
            shutil.rmtree(self.read, ignore_errors=True)
            return
        if kind == FAIL:
            raise OSError(self.fault.errno, os.strerror(self.fault.errno), event.path)
        if kind == CUT and not event.opens:
            return
        if kind in (TORN, CUT) and event.opens:
            path = Path(event.path)
            size = path.stat().st_size if given[2] & os.O_APPEND and path.exists() else 0  # type: ignore[operator]
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 7, resource.RLIM_INFINITY))
            return
        if kind == EMPTY and event.opens:
            self.fault = Fault()
            with contextlib.suppress(OSError):
                os.close(os.open(event.path, given[2], 0o644))  # type: ignore[arg-type]
        os.kill(os.getpid(), signal.SIGKILL)


def _way() -> int:
    """A number of the lines of code that have led here, ours and those of libraries."""
    lines, frame = [], sys._getframe(3)
    while frame.f_back is not None:
        lines.append(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        frame = frame.f_back
    return zlib.crc32("\n".join(lines).encode())


def _path(given: tuple[object, ...]) -> str:
    """Where the event is, as an absolute path."""
    first = given[0]
    if isinstance(first, int) or first is None:
        return str(_of_descriptor(first))
    path = Path(os.fsdecode(first))  # type: ignore[arg-type]
    folder = next((each for each in given[1:] if type(each) is int and each > 2), None)
    if not path.is_absolute() and folder is not None and Path(f"/proc/self/fd/{folder}").is_dir():
        return str(_of_descriptor(folder) / path)
    return os.path.normpath(path.absolute())


def _of_descriptor(number: int | None) -> Path:
    with contextlib.suppress(OSError):
        return Path(f"/proc/self/fd/{number}").readlink() if number is not None else Path.cwd()
    return Path("nowhere")


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)
