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

from tests.robustness.faults import Event, Fault, Watch

LONGEST = 300  # seconds: a command of these takes two at most where nothing else runs


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, below 0 where a signal ended it; what it said; the file events it came to."""

    code: int
    said: str
    events: tuple[Event, ...]


class Server:
    """Starts commands, one after the other."""

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
        job = {"arguments": list(arguments), "folder": str(folder), "output": output, "after": after}
        job["fault"] = asdict(fault or Fault())
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return Ended(answer["code"], answer["said"], tuple(Event(*each) for each in answer["events"]))


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
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
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


def _answer(job: dict) -> dict:  # type: ignore[type-arg]
    # pipes, not files: a fault may limit the size of files
    said, told = _pipe(), _pipe()
    child = os.fork()
    if child == 0:
        _child(job, said[1], told[1])
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


def _child(job: dict, said: int, told: int) -> None:  # type: ignore[type-arg]
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
