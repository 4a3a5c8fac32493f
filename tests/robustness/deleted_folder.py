"""A command's folder is deleted at one of its file events: it says so in a line, or what is there at last is whole."""

import random
from collections.abc import Iterator
from pathlib import Path

from tests.robustness.attack import Attack
from tests.robustness.commands import COMMANDS, Undisturbed, files_in, goes_on, undisturbed
from tests.robustness.disk_faults import short, unsaid
from tests.robustness.faults import GONE, Fault
from tests.robustness.file_events import ALL
from tests.robustness.forking import server

WITH_FOLDERS = ("run", "render", "make-dataset")


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """Delete the folder before each event that changes something, in an order of chance."""
    whole = [undisturbed(command) for name in WITH_FOLDERS for command in COMMANDS[name]]
    every = [(trial, number) for trial in whole for number in range(1, 1 + sum(each.changes for each in trial.events))]
    random.Random(3).shuffle(every)
    for trial, number in every[numbers.start : numbers.stop]:
        work = trial.again(folder)
        ended = server().run(trial.command.arguments, work, trial.command.output, Fault(GONE, number))
        wrong = unsaid(ended) or short(trial, ended, files_in(work)) or _left(trial, work)
        yield f"{trial.command.name}, event {number}: {wrong}" if wrong else ""


def _left(trial: Undisturbed, work: Path) -> str:
    """What is wrong with what is left: of a report no pages without the run, and the same command makes all of it."""
    if trial.command.arguments[0] != "render":
        return goes_on(trial, work)
    left = [name for name, kind in files_in(work).items() if kind != "a folder"]
    return f"left over: {', '.join(left[:3])}" if left and "report/run.json" not in left else ""


DELETED = Attack(
    "folder deleted at any file event",
    "One line and an exit code above 0, or the whole result; what is made anew is whole.",
    trials,
    few=2,
    quick=4,
    full=ALL,
)
