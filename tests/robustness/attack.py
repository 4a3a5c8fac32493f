"""One kind of what can go wrong, tried as often as one wants."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Trials = Callable[[int, Path], Iterator[str]]


@dataclass(frozen=True)
class Attack:
    """A kind of trouble.

    name: as the table says it. survived: what is promised of each trial, a sentence. trials: of a number and an empty
    folder, what was wrong with each trial in a line, empty where nothing was; the same trials for the same number, and
    the first ones of more. few: how many every run of the tests tries. quick: how many the exhaustive tests try.
    full: how many a release tries.
    """

    name: str
    survived: str
    trials: Trials
    few: int
    quick: int
    full: int
