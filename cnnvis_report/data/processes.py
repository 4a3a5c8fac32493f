"""Work done by other processes of this program, in order.

They aren't forks, as a process with threads and a GPU can't be forked safely; nor are they made by `multiprocessing`,
which would run the caller's script again in each of them.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any, TypeVar

from cnnvis_report.data.prefetch import ahead
from cnnvis_report.errors import RunFailed

Item = TypeVar("Item")
Result = TypeVar("Result")

START = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from cnnvis_report.data.processes import serve; serve()"
)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
WAITING = 4  # results of a process that wait until it is their turn


def usable_processors() -> int:
    """How many processors this process may use."""
    with suppress(AttributeError, OSError):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def worked(
    work: Callable[[Item], Result], items: Iterable[Item], *, processes: int, threads: int = 1
) -> Generator[Result, None, None]:
    """What the work makes of each item, in order, made ahead of its use.

    Whoever leaves off before the end closes it (`contextlib.closing`), which ends the processes.

    Args:
        work: it, the items and the results travel as pickles where there are processes.
        processes: how many other processes share the work; below 2 it is done in this one.
        threads: how many threads share it then.

    Raises:
        RunFailed: a process was ended. Otherwise what the work raises.
    """
    if processes < 2 or not sys.executable:
        yield from ahead(work, items, workers=threads, waiting=threads)
        return
    started = [_Process(work) for _ in range(processes)]
    idle: SimpleQueue[_Process] = SimpleQueue()
    for process in started:
        idle.put(process)

    def ask(item: Item) -> Result:
        process = idle.get()
        try:
            result: Result = process.ask(item)
            return result
        finally:
            idle.put(process)

    try:
        yield from ahead(ask, items, workers=processes, waiting=WAITING * processes)
    finally:
        for process in started:
            process.end()


class _Process:
    """One of them, seen from here."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **ONE_THREAD},
            **_apart(),
        )
        self._opening: tuple[object, ...] = (sys.path, work)

    def ask(self, item: Any) -> Any:
        """What it makes of an item."""
        sender, receiver = self._process.stdin, self._process.stdout
        assert sender is not None and receiver is not None
        try:
            for first in self._opening:
                _send(sender, first)
            self._opening = ()  # sent once, with the first item
            _send(sender, item)
            failed, answer = pickle.load(receiver)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise _ended(self._process.poll() or self._process.wait()) from error
        if failed:
            raise answer
        return answer

    def end(self) -> None:
        """End it, and wait until it has."""
        self._process.kill()
        with suppress(OSError):
            self._process.communicate()


def serve() -> None:
    """Be such a process: take the work, then item after item, until the one that sends them is done or gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the other process, and that one ends this
    receiver, sender = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed here doesn't get among the answers
    with suppress(EOFError, OSError):
        work = pickle.load(receiver)
        while True:
            item = pickle.load(receiver)
            try:
                answer = (False, work(item))
            except Exception as error:
                answer = (True, _as_sent(error))
            _send(sender, answer)


def _send(stream: IO[bytes], content: object) -> None:
    pickle.dump(content, stream, pickle.HIGHEST_PROTOCOL)
    stream.flush()


def _as_sent(error: Exception) -> Exception:
    """The error, or one with its words where it can't travel."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")


def _apart() -> dict[str, Any]:
    """Options that keep what is typed at the terminal, such as Ctrl-C, from a process that is only starting."""
    if os.name == "nt":
        return {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    return {"process_group": 0}


def _ended(code: int) -> RunFailed:
    how = f"signal {-code}" if code < 0 else f"status {code}"
    memory = ": memory may have run out" if code == -9 else ""
    return RunFailed(f"A process that works for this one ended with {how}{memory}. Give fewer with --processes.")
