"""What was measured, as tables and sentences: the page shows what the script prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from measure import LEARNED, REGIONS, Look, Network

UNIT = "\N{NO-BREAK SPACE}%"
CONTROL = "random"  # knows nothing of the picture, so it stays out of means over methods
KINDS = {
    "patch": "the patch, with its outline",
    "outline": "the patch's outline, drawn or not",
    "line": "the thick line",
    "decoys": "the decoys",
    "mark": "the mark",
}


@dataclass(frozen=True)
class Results:
    """All that the study measures."""

    settings: dict[str, int]
    networks: tuple[Network, ...]
    looks: tuple[Look, ...]

    def accuracy(self, network: str, scenes: str) -> float:
        """The share of a set's images that a network answers right."""
        (found,) = (each for each in self.networks if each.name == network)
        return next(score.accuracy for score in found.scores if score.scenes == scenes)

    def look(self, network: str, scenes: str) -> Look:
        """What a network looks at in a set."""
        return next(each for each in self.looks if (each.network, each.scenes) == (network, scenes))


@dataclass(frozen=True)
class Table:
    """Words, ready to be printed; the first of each row says what the row is about."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> list[str]:
        """The table as text."""
        columns = list(zip(self.head, *self.rows, strict=True))
        first, *others = (max(map(len, column)) for column in columns)
        rows = [
            "  ".join([row[0].ljust(first), *(cell.rjust(wide) for cell, wide in zip(row[1:], others, strict=True))])
            for row in (self.head, *self.rows)
        ]
        return [self.title, *rows]


def percent(share: float | None) -> str:
    """A share as it is printed everywhere; a dash where there is none."""
    return "–" if share is None else f"{share * 100:.1f}{UNIT}"


def called(look: Look) -> str:
    """A network by what it was trained on, and what it looks at where that is something else."""
    return look.network if look.network == look.scenes else f"{look.network}, on {look.scenes}"


def on_average(look: Look) -> dict[str, float]:
    """The mean share on each region over all methods."""
    methods = [each.on for each in look.shares if each.method != CONTROL and each.on]
    return {region: mean(on[region] for on in methods) for region in look.area if methods}


def accuracies(results: Results) -> Table:
    """What each network can do."""
    rows = []
    for network in results.networks:
        own, gray, conflict = (results.accuracy(network.name, each) for each in (network.name, "gray", "conflict"))
        learned = "never" if network.learned is None else str(network.learned)
        rows.append((network.name, percent(own), percent(gray), percent(conflict), learned))
    head = ("trained on", "own scenes", "gray scenes", "conflict scenes", f"epochs to {LEARNED * 100:.0f}{UNIT}")
    return Table("Test images answered right", head, tuple(rows))


def shares_on(results: Results, region: str) -> Table | None:
    """The mean share of positive relevance on a region: a row a method, a column a look; None where nobody has it."""
    looks = [look for look in results.looks if region in look.area]
    if not looks:
        return None
    rows = [("share of the picture", *(percent(look.area[region]) for look in looks))]
    for place, method in enumerate(looks[0].shares):
        rows.append((method.title, *(percent(look.shares[place].on.get(region)) for look in looks)))
    rows.append(("mean without Random", *(percent(on_average(look).get(region)) for look in looks)))
    return Table(f"Mean share of positive relevance on {KINDS[region]}", ("method", *map(called, looks)), tuple(rows))


def tables(results: Results) -> list[Table]:
    """Everything that was measured."""
    return [accuracies(results), *filter(None, (shares_on(results, region) for region in REGIONS))]


def figures(results: Results) -> list[str]:
    """Everything that was measured, as text."""
    blocks: Sequence[Table] = tables(results)
    return "\n\n".join("\n".join(block.lines()) for block in blocks).splitlines()
