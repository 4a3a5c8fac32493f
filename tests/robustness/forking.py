"""Commands in processes of their own that needn't import PyTorch first: a server has, and forks itself for each.

The server never computes anything: only its children do, so that no thread is lost by the forking.
"""

import fcntl
import importlib
import json
import os
import pkgutil
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.robustness.faults import Event, Fault, Watch

Job = dict[str, Any]
LONGEST = 300  # seconds: a command of these takes two at most where nothing else runs


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, below 0 where a signal ended it; what it said; the file events it came to."""

    code: int
    said: str
    events: tuple[Event, ...]


class Server:
    """Starts commands, one after the other or some at once."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_HOME": "/nonexistent/torch-home"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.robustness.forking"],
            cwd=Path(__file__).parents[2],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: Sequence[str], folder: Path, output: str, fault: Fault | None = None, after: float = 0.0
    ) -> Ended:
        """Run a command.

        Args:
            folder: where it is started; events in it count.
            output: what it writes, relative to the folder.
            fault: what strikes it. after: seconds after which it is killed, 0 for never.
        """
        (ended,) = self._answers([_job(arguments, folder, output, fault or Fault(), after=after)])
        return ended

    def at_once(self, commands: Sequence[Sequence[str]], waits: Sequence[float], folder: Path) -> list[Ended]:
        """Run commands that write into one folder's `report`, each begun after so many seconds."""
        pairs = zip(commands, waits, strict=True)
        return self._answers([_job(arguments, folder, "report", Fault(), wait=wait) for arguments, wait in pairs])

    def _answers(self, jobs: list[Job]) -> list[Ended]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(jobs) + "\n")
        self._process.stdin.flush()
        answers = json.loads(self._process.stdout.readline())
        return [Ended(each["code"], each["said"], tuple(Event(*event) for event in each["events"])) for each in answers]


def _job(
    arguments: Sequence[str], folder: Path, output: str, fault: Fault, *, after: float = 0.0, wait: float = 0.0
) -> Job:
    words = {"arguments": list(arguments), "folder": str(folder), "output": output}
    return words | {"fault": asdict(fault), "after": after, "wait": wait}


@cache
def server() -> Server:
    """One for all; it ends when this process does, with its standard input."""
    return Server()


def main() -> None:
    """Serve until the standard input ends."""
    _import_all()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed
    for line in sys.stdin:
        begun = [_begin(job) for job in json.loads(line)]
        answers.write(json.dumps([_end(*each) for each in begun]) + "\n")
        answers.flush()


def _import_all() -> None:
    """Import all that commands import when they come to it, and make the pages of a stored run once.

    Templates are compiled for all then. PyTorch's compiler is what optimizers import when they are first used.
    """
    import torch
    import torch._dynamo
    from click.testing import CliRunner

    import cnnvis_report

    torch.set_num_threads(1)
    for module in pkgutil.walk_packages(cnnvis_report.__path__, "cnnvis_report."):
        if not module.name.endswith("__main__"):
            with suppress(ImportError):  # of an extra
                importlib.import_module(module.name)
    from cnnvis_report.cli.main import cli
    from cnnvis_report.methods import registry
    from tests.figures import draw_coarsely
    from tests.fixtures.make_run import FOLDER

    registry.methods()
    draw_coarsely()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(FOLDER, f"{folder}/run")
        CliRunner().invoke(cli, ["render", f"{folder}/run"], catch_exceptions=False)


def _begin(job: Job) -> tuple[Job, int, tuple[int, int], tuple[int, int]]:
    """Fork; the job, the child, and the pipes for what it says and for its file events."""
    # pipes, not files: a fault may limit the size of files
    said, told = _pipe(), _pipe()
    child = os.fork()
    if child == 0:
        time.sleep(job["wait"])
        _child(job, said[1], told[1])
    return job, child, said, told


def _end(job: Job, child: int, said: tuple[int, int], told: tuple[int, int]) -> Job:
    code = _wait(child, job["after"])
    texts = []
    for source, end in (said, told):
        os.close(end)
        with os.fdopen(source, encoding="utf-8", errors="replace") as file:
            texts.append(file.read())
    return {"code": code, "said": texts[0], "events": json.loads(texts[1] or "[]")}


def _pipe() -> tuple[int, int]:
    """A pipe that holds all that a child has to say, so that nobody has to read meanwhile."""
    ends = os.pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 1 << 20)
    return ends


def _wait(child: int, after: float) -> int:
    """Wait for the child, kill it after so many seconds."""
    limit = time.monotonic() + (after or LONGEST)
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > limit:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return -int(signal.SIGKILL) if after else -int(signal.SIGALRM)
        time.sleep(0.002)


def _child(job: Job, said: int, told: int) -> None:
    """The command, in the forked process; never returns."""
    from cnnvis_report.cli.main import cli

    code = 70
    folder = Path(job["folder"])
    watch = Watch(folder, folder / job["output"], Fault(**job["fault"]))
    try:
        os.dup2(said, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.chdir(folder)
        watch.begin()
        code = 0
        cli(job["arguments"], prog_name="cnnvis-report")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:
        import traceback

        code = 70
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        events = json.dumps([[each.name, each.path, each.changes, each.way] for each in watch.events])
        os.write(told, events.encode("utf-8", "replace"))
        os._exit(code)


if __name__ == "__main__":
    main()
