"""The disk refuses a command in turn at each of its file events: it says so in a line, and nothing is lost."""

import random
from collections import Counter
from collections.abc import Iterator
from errno import EACCES, EFBIG, EIO, EMFILE, ENOENT, ENOSPC
from pathlib import Path

from tests.robustness.attack import Attack
from tests.robustness.commands import COMMANDS, Undisturbed, differences, files_in, goes_on, undisturbed
from tests.robustness.faults import CUT, FAIL, Fault
from tests.robustness.file_events import ALL
from tests.robustness.forking import Ended, server

REFUSED_WITH = (ENOSPC, EFBIG, EACCES, EIO, EMFILE, ENOENT)
DAMAGE = (EIO,)  # a file on a bad sector is what a repair leaves out


def refused(numbers: range, folder: Path) -> Iterator[str]:
    """Refuse events of each command, in an order of chance: first those that are come to in ways of their own."""
    whole = [undisturbed(command) for commands in COMMANDS.values() for command in commands]
    trials = [(round_, trial, fault) for trial in whole for round_, fault in faults(trial)]
    random.Random(0).shuffle(trials)
    trials.sort(key=lambda item: item[0])
    for _, trial, fault in trials[numbers.start : numbers.stop]:
        work = trial.again(folder)
        ended = server().run(trial.command.arguments, work, trial.command.output, fault)
        after = files_in(work)
        wrong = unsaid(ended) or short(trial, ended, after) or lost(trial, after) or goes_on(trial, work)
        yield f"{trial.command.name}, {fault}: {wrong}" if wrong else ""


def faults(trial: Undisturbed) -> Iterator[tuple[tuple[int, int], Fault]]:
    """Each event refused in every way, and each file that is written cut short; looking at the output counts too.

    Each comes with its round: how many events have come before by the same lines of code, and a number from 0, as the
    ways to refuse take turns. So the first rounds have each line of code that comes to the disk, refused in every way.
    """
    repairs = "--repair" in trial.command.arguments
    ways = [errno for errno in REFUSED_WITH if not (repairs and errno in DAMAGE)]
    before: Counter[int] = Counter()
    for number, event in enumerate(trial.events, start=1):
        for turn, errno in enumerate(ways):
            yield (before[event.way], (turn - number) % len(ways)), Fault(FAIL, number, errno)
        before[event.way] += 1
    opened: Counter[int] = Counter()
    for number, event in enumerate((each for each in trial.events if each.changes), start=1):
        if event.opens:
            yield (opened[event.way], 0), Fault(CUT, number)
            opened[event.way] += 1


def unsaid(ended: Ended) -> str:
    """What is wrong with what was said: one line where the command failed, and never a traceback."""
    if "Traceback" in ended.said:
        return f"a traceback: {ended.said.strip()[-300:]}"
    errors = [line for line in ended.said.splitlines() if line.startswith("Error: ")]
    if ended.code < 0 or bool(ended.code) != (len(errors) == 1):
        return f"exit {ended.code}, {len(errors)} lines of an error: {ended.said.strip()[-300:]}"
    return ""


def short(trial: Undisturbed, ended: Ended, after: dict[str, str]) -> str:
    """What is wrong with the result of a command that says it did its work; what it couldn't sweep may lie there."""
    beside = {name: digest for name, digest in after.items() if name in trial.new}
    found = differences(beside, trial.new) if ended.code == 0 else ""
    return f"exit 0, and {found}" if found else ""


def lost(trial: Undisturbed, after: dict[str, str]) -> str:
    """Which file that was there isn't as it was, nor as it would be; a model, and what a run has stored."""
    only_pages = trial.command.arguments[0] == "render"
    kept = [name for name in trial.old if name.endswith(".pt") or (only_pages and _is_stored(name))]
    gone = [name for name in kept if after.get(name) not in (trial.old[name], trial.new.get(name))]
    return f"lost: {', '.join(gone[:3])}" if gone else ""


def _is_stored(name: str) -> bool:
    return name == "report/run.json" or name.startswith(("report/arrays/", "report/inspection/"))


REFUSED = Attack(
    "disk faults at any file event",
    "One line and an exit code above 0, or the whole result; nothing that was there is lost, and the same command "
    "goes on afterwards.",
    refused,
    few=3,
    quick=6,
    full=ALL,
)
