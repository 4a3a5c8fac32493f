"""Small files that people bring, damaged: tables of labels, class names, settings, boxes, descriptions of data sets.

Each trial is a process of its own, so that its memory and its time are its own.
"""

import json
import os
import random
import re
import resource
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import chdir
from pathlib import Path
from unittest.mock import patch

from click.testing import CliRunner

from cnnvis_report.cli.main import cli
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.pipeline.setup import Setup
from tests.robustness.attack import Attack
from tests.robustness.damage import peak
from tests.robustness.odd_values import Reached
from tests.robustness.small_files import SmallFile, lay_out, small_files
from tests.robustness.text_damage import IN_ITS_PLACE, changed

MORE = 400  # MB
SECONDS = 30  # of the processor; one of these takes a fraction of one
LONGEST = 5000  # characters of a message
# a terminal takes them for orders, or shows what follows in another order
ORDERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def reached(setup: Setup, *_: object) -> None:
    """Look at all that a run would look at of the images' labels and masks, where its work would begin."""
    for item in setup.images:
        assert item.label is None or item.label.name
        try:
            if item.mask is not None:
                item.mask()
        except UnusablePicture:  # a run says so
            pass
    raise Reached("read")


def answer(words: Sequence[str]) -> tuple[str, int]:
    """What was wrong with the command's answer, nothing where it was a line and 2, or the file was read; its code."""
    before = peak()
    with patch("cnnvis_report.cli.finish.report", side_effect=reached):
        result = CliRunner().invoke(cli, list(words))
    error, said = result.exception, result.stderr
    more = peak() - before
    if more > MORE:
        return f"{more} MB more", result.exit_code
    if error is not None and not isinstance(error, SystemExit):
        return f"{type(error).__name__}: {str(error)[:100]}", result.exit_code
    if result.exit_code not in (0, 2):
        return f"exit {result.exit_code}: {said[:100]}", result.exit_code
    if order := ORDERS.search(result.output):
        return f"{order[0]!r} in what it says: {result.output[:300]!r}", result.exit_code
    if result.exit_code and (said.count("\n") != 1 or len(said) > LONGEST):
        return f"{said.count(chr(10))} lines, {len(said)} characters: {said[:200]!r}", result.exit_code
    return "", result.exit_code


def apart(words: Sequence[str], folder: Path) -> tuple[str, int]:
    """The same in a process of its own, started in a folder."""
    source, end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            import torch

            torch.set_num_threads(1)  # threads don't survive a fork
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(10 * SECONDS)  # of the clock, for what waits
            resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
            os.chdir(folder)
            os.write(end, json.dumps(answer(words)).encode())
        finally:
            os._exit(0)
    os.close(end)
    with os.fdopen(source, "rb") as file:
        said = file.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not said:
        return (f"ended by {signal.Signals(-status).name}" if status < 0 else "ended without an answer"), status
    wrong, code = json.loads(said)
    return wrong, code


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Of each file that a command may not touch: its size, and when it was last written."""
    return {
        path.relative_to(folder).as_posix(): (found.st_size, found.st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if "report" not in path.relative_to(folder).parts and not path.is_dir() and (found := path.lstat())
    }


def tried(small: SmallFile, number: int, whole: Path) -> str:
    """What was wrong with what a command did of a damaged file, and which damage it was."""
    dice = random.Random(number)
    place = whole.parent / "outside" / "trial"
    shutil.rmtree(place.parent, ignore_errors=True)
    shutil.copytree(whole, place)
    (place.parent / "secret.txt").write_text("outside")
    path = place / small.path
    if dice.randrange(8) == 0:
        way = dice.choice(IN_ITS_PLACE)
        way(path)
        said = way.__name__
    else:
        content = changed(small.content, dice)
        path.write_bytes(small.packed(content))
        said = repr(content[:200])
    before = state(place.parent)
    wrong, code = apart(small.words, place)
    after = state(place.parent)
    drawn = small.words[0] == "make-dataset"
    touched = [name for name in before if before[name] != after.get(name) and not (drawn and code == 0)]
    lost = [name for name in before if name.endswith(("mine.txt", "secret.txt")) and name not in after]
    if not wrong and (touched or lost):
        wrong = f"touched {', '.join([*touched, *lost][:3])}"
    return f"{small.name}, {said}: {wrong}" if wrong else ""


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """The forms in turn, each damaged in a way of its own; one that is whole first, which imports what they need."""
    whole = folder / "whole"
    whole.mkdir()
    lay_out(whole)
    forms = small_files()
    with chdir(shutil.copytree(whole, folder / "first")):
        Path(forms[0].path).write_bytes(forms[0].content)
        wrong, _ = answer(forms[0].words)
        assert not wrong, wrong
    for number in numbers:
        small = forms[number % len(forms)]
        yield tried(small, number, whole)


ATTACK = Attack(
    "damaged tables and settings",
    "a damaged table, list, description or file of settings is read as it says or refused in a line, in at most 400 MB",
    trials,
    few=14,
    quick=28,
    full=1000,
)
