"""Two commands at once that want to write into one folder."""

import random
import time
from collections.abc import Iterator
from pathlib import Path

from tests.robustness.attack import Attack
from tests.robustness.commands import COMMANDS, goes_on, undisturbed
from tests.robustness.forking import Ended, server


def trials(numbers: range, folder: Path) -> Iterator[str]:
    """A run twice, a run and the making of its pages, or that twice, the second at any time while the first goes on."""
    run, render = undisturbed(COMMANDS["run"][0]), undisturbed(COMMANDS["render"][0])
    pages = render.command.arguments
    begun = time.perf_counter()
    server().run(run.command.arguments, run.again(folder), run.command.output)
    took = time.perf_counter() - begun
    for number in numbers:
        trial = render if number % 4 == 2 else run
        work = trial.again(folder)
        wanted = [trial.command.arguments, pages if number % 4 == 3 else trial.command.arguments]
        waits = [0.0, 0.0 if number % 2 else random.Random(number).uniform(0.0, took)]
        ended = server().at_once(wanted, waits, work)
        wrong = _wrong(ended) or goes_on(trial, work)
        yield f"second after {waits[1]:.2f} s: {wrong}" if wrong else ""


def _wrong(ended: list[Ended]) -> str:
    """What is wrong with how two commands ended: one of them at least is through, the other says why it isn't."""
    codes = [each.code for each in ended]
    if not set(codes) <= {0, 2} or 0 not in codes:
        return f"exit {codes}: {[each.said[-200:] for each in ended]}"
    refusals = [each.said for each in ended if each.code == 2]
    known = ("is writing there", "holds no run", "hasn't finished", "does not exist")
    untold = [said for said in refusals if not any(words in said for words in known) or said.count("Error: ") != 1]
    return f"no line that says why: {untold[0][-200:]!r}" if untold else ""


ATTACK = Attack(
    "two runs at once",
    "One of them is through, the other says who is writing; what is there at last is whole.",
    trials,
    few=2,
    quick=3,
    full=20,
)
