"""One kind of what can go wrong, tried as often as one wants."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Trials = Callable[[range, Path], Iterator[str]]


@dataclass(frozen=True)
class Attack:
    """A kind of trouble.

    name: as the table says it. survived: what is promised of each trial, a sentence. trials: of some numbers from 0 and
    an empty folder, what was wrong with the trial of each in a line, empty where nothing was; a trial is the same
    whichever are tried beside it. few: how many every run of the tests tries. quick: up to which number the exhaustive
    tests try those that come after the few. full: how many a release tries.
    """

    name: str
    survived: str
    trials: Trials
    few: int
    quick: int
    full: int
