"""Model files, damaged: each is loaded or refused in one line, in bounded time and memory, and runs no program.

A test writes what `failures` needs of it in one line:

    assert not failures(path, count=500, seed=0)

The damaged files are loaded in a process of its own whose address space is limited, many of them in one; a file that
ends the process is a failure, and the next process goes on behind it.
"""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from cnnvis_report.errors import BadRequest
from tests.robustness.damage import peak

MORE = 1500  # MB of address space that a load may take beside what the intact file has left behind
LONGEST = 20  # seconds for one file
STARTING = 120  # seconds for the imports and the intact file
PROGRAMS = ("os.system", "os.exec", "os.posix_spawn", "subprocess.Popen", "socket.connect", "os.remove")
HUGE = (b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x40")


def _cut(content: bytearray, dice: random.Random) -> None:
    """The end is missing, as of a download that broke off."""
    del content[dice.randrange(len(content)) :]


def _flip(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 1, 1, 4, 32))):
        content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)


def _block(content: bytearray, dice: random.Random) -> slice:
    start = dice.randrange(len(content))
    return slice(start, start + dice.choice((4, 16, 64, 512, 4096)))


def _swap(content: bytearray, dice: random.Random) -> None:
    one, other = _block(content, dice), _block(content, dice)
    content[one], content[other] = content[other], content[one]


def _duplicate(content: bytearray, dice: random.Random) -> None:
    content[_block(content, dice).start : 0] = content[_block(content, dice)]


def _zero(content: bytearray, dice: random.Random) -> None:
    zeroed = _block(content, dice)
    content[zeroed] = bytes(len(content[zeroed]))


def _make_huge(content: bytearray, dice: random.Random) -> None:
    """A number that may be a length, in one of the ways that formats write them."""
    number = dice.choice(HUGE)
    start = dice.randrange(min(len(content), dice.choice((64, 1024, 1 << 30))))
    content[start : start + len(number)] = number


def _append(content: bytearray, dice: random.Random) -> None:
    content += dice.randbytes(dice.choice((1, 16, 4096)))


KINDS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _cut,
    _flip,
    _swap,
    _duplicate,
    _zero,
    _make_huge,
    _append,
)


def mutations(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """So many damaged copies of a file's content, the same ones for the same seed."""
    for number in range(count):
        damaged = bytearray(content)
        KINDS[number % len(KINDS)](damaged, random.Random(f"{seed} {number}"))
        yield bytes(damaged)


def check(path: Path) -> str:
    """What was wrong with loading MODEL from a path; nothing where it was loaded, or refused in one line."""
    from cnnvis_report.models.load import load_model

    before, start = peak(), time.monotonic()
    model = path.parent if (path.parent / "config.json").is_file() else path  # of a folder, one file is damaged
    try:
        load_model(str(model))
        wrong = ""
    except BadRequest as error:
        wrong = "" if "\n" not in str(error) and str(error) else f"not one line: {str(error)!r}"
    except BaseException as error:
        wrong = f"{type(error).__name__}: {error}"
    more, seconds = peak() - before, time.monotonic() - start
    wrong = wrong or (f"{more} MB more" if more > MORE else "")
    return wrong or (f"{seconds:.0f} s" if seconds > LONGEST / 2 else "")


def failures(path: Path, count: int, seed: int = 0) -> list[str]:
    """What was wrong with loading damaged copies of a model's file, which itself has to load.

    Args:
        path: of the intact file; the copies have its name, and what lies beside it beside them.
    """
    jobs = list(enumerate(mutations(path.read_bytes(), count, seed)))
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(path.parent, Path(folder) / "damaged")) / path.name
        for number, content in jobs:
            (Path(folder) / str(number)).write_bytes(content)
        first = 0
        while first < count:
            reports = _in_one_process(path, copy, first, count)
            wrong += [f"damaged {number}: {report}" for number, report in reports if report]
            first = reports[-1][0] + 1
    return wrong


def _in_one_process(path: Path, copy: Path, first: int, count: int) -> list[tuple[int, str]]:
    """What a process has found about each copy from the first on, as far as it came; forked, PyTorch is loaded then."""
    source, end = os.pipe()
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
            _child(path, copy, range(first, count), end)
        os.close(end)
        with os.fdopen(source, encoding="utf-8") as answers:
            reports = [(int(number), str(report)) for number, report in map(json.loads, answers)]
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        words = said.read().decode("utf-8", "replace")
    if not reports and code:
        raise AssertionError(f"{path.name} itself doesn't load: {words[-2000:]}")
    if code:
        died = reports[-1][0] + 1
        reports.append((died, f"ended the process ({code}): {words[-300:]}"))
    return reports


def _child(path: Path, copy: Path, numbers: range, end: int) -> None:
    """Load what there is and write a line for each file, in the forked process; never returns."""
    import torch

    code = 70
    try:
        torch.set_num_threads(1)  # those of the process that forked aren't here
        with os.fdopen(end, "w") as answers:
            _load_all(path, copy, numbers, answers)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _load_all(path: Path, copy: Path, numbers: range, answers: TextIO) -> None:
    """Load the intact file, then each damaged one, and write a line for each."""
    signal.alarm(STARTING)
    wrong = check(path)
    assert not wrong or wrong.endswith((" s", " MB more")), wrong
    print(json.dumps([numbers.start - 1, ""]), file=answers, flush=True)
    _limit_memory()
    started: list[str] = []
    sys.addaudithook(lambda event, _: started.append(event) if event in PROGRAMS and not _is_cleanup(event) else None)
    for number in numbers:
        (copy.parents[1] / str(number)).replace(copy)
        started.clear()
        signal.alarm(LONGEST)
        wrong = check(copy) or (f"{started[0]} was called" if started else "")
        print(json.dumps([number, wrong]), file=answers, flush=True)


def _is_cleanup(event: str) -> bool:
    """Whether a file goes because a folder of `tempfile`, which a loader made for itself, is given up."""
    frame = sys._getframe(1) if event == "os.remove" else None
    while frame is not None and frame.f_globals.get("__name__") != "tempfile":
        frame = frame.f_back
    return frame is not None


def _limit_memory() -> None:
    """Refuse more address space than the process has now and `MORE`, where the system can."""
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * os.sysconf("SC_PAGE_SIZE") + (MORE << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
