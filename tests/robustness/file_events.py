"""Each file event of a command in turn is its last: the process is killed there, and the same command goes on."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.robustness.attack import Attack
from tests.robustness.commands import COMMANDS, Undisturbed, files_in, goes_on, undisturbed
from tests.robustness.faults import EMPTY, KILL, TORN, Fault
from tests.robustness.forking import server

ALL = 100_000  # more than there are


def killed(name: str, numbers: range, folder: Path) -> Iterator[str]:
    """Kill a command at its file events: at the first and the last of each kind, then in an order of chance."""
    whole = [undisturbed(command) for command in COMMANDS[name]]
    every = [(trial, fault) for trial in whole for fault in deaths(trial)]
    ends = [(trial, fault) for trial in whole for fault in _ends(trial)]
    random.Random(0).shuffle(every)
    for trial, fault in [*ends, *(other for other in every if other not in ends)][numbers.start : numbers.stop]:
        work = trial.again(folder)
        ended = server().run(trial.command.arguments, work, trial.command.output, fault)
        wrong = goes_on(trial, work)
        died = f"exit {ended.code}" if ended.code >= 0 else ""
        yield f"{trial.command.name}, {fault}{died and ' '}{died}: {wrong}" if wrong else ""


def deaths(trial: Undisturbed) -> Iterator[Fault]:
    """Before each event; where a file is opened to be written, also with nothing in it, and with its first bytes."""
    for number, event in enumerate((each for each in trial.events if each.changes), start=1):
        yield Fault(KILL, number)
        if event.opens:
            yield Fault(EMPTY, number)
            yield Fault(TORN, number)


def _ends(trial: Undisturbed) -> tuple[Fault, Fault]:
    """Before the first event, and before the last one."""
    return Fault(KILL, 1), Fault(KILL, sum(event.changes for event in trial.events))


def at_random_times(numbers: range, folder: Path) -> Iterator[str]:
    """Kill a run whenever it may be, again and again until it is through: each start goes on."""
    import time

    trial = undisturbed(COMMANDS["run"][0])
    begun = time.perf_counter()
    server().run(trial.command.arguments, trial.again(folder), trial.command.output)
    took = time.perf_counter() - begun
    for number in numbers:
        work, chance = trial.again(folder), random.Random(number)
        for _ in range(chance.randint(1, 3)):
            server().run(trial.command.arguments, work, trial.command.output, after=chance.uniform(0.02, 1.0) * took)
        wrong = goes_on(trial, work)
        yield f"{wrong}; there were {len(files_in(work))} files" if wrong else ""


SAME = "The same command goes on, ends in the same bytes, and leaves nothing behind."
KILLED = tuple(
    Attack(f"killed at any file event ({name})", SAME, partial(killed, name), few=2, quick=quick, full=ALL)
    for name, quick in (
        *(("run", 5), ("train", 4), ("render", 4)),  # the ends of each, at least
        *(("compare", 2), ("share", 3), ("export", 3), ("make-dataset", 4)),
    )
)
AT_RANDOM_TIMES = Attack("kills at random times", SAME, at_random_times, few=1, quick=1, full=40)
