"""Some images of many: a sample that stands for the whole, and repeats."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from cnnvis_report.records.images import Label

ORDERS = ("balanced", "first")


@dataclass(frozen=True)
class Limit:
    """At most so many images: "balanced", drawn by the seed and class by class, or the "first" ones."""

    count: int
    order: str = "balanced"
    seed: int = 0


def chosen(
    folders: Sequence[str], labels: Sequence[tuple[Label, ...]], limit: Limit | None
) -> tuple[list[int], list[str]]:
    """The places of the images that are taken, in the set's order, and a sentence that says how they were chosen.

    Balanced is as many of each class as can be: turn by turn one of each, of its images and of the classes by chance.
    Images without labels count by their folders; without those they are spread over the set, one by chance from each
    of as many equal stretches.

    Args:
        folders: of each image, empty where it lies in none.
    """
    if limit is None or limit.count >= len(folders):
        return list(range(len(folders))), []
    groups = [tuple(label.name for label in each) for each in labels]
    what = "class"
    if not any(groups):
        groups = [(folder,) for folder in folders]
        what = "folder"
    if limit.order == "first":
        places = list(range(limit.count))
        return places, [_said(limit, len(folders), f"the first ones, {_of(what, groups, places)}")]
    random = Random(limit.seed)
    if len(set(groups)) == 1:
        places = _spread(len(folders), limit.count, random)
        only = f", all of class {labels[0][0].name!r}" if labels[0] else ""
        return places, [_said(limit, len(folders), f"spread over the set, seed {limit.seed}{only}")]
    places = _balanced(groups, limit.count, random)
    return places, [_said(limit, len(folders), f"{_of(what, groups, places)}, seed {limit.seed}")]


def _balanced(groups: Sequence[tuple[str, ...]], count: int, random: Random) -> list[int]:
    members: dict[tuple[str, ...], list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    bare = members.pop((), [])
    waiting = list(members.values())
    random.shuffle(waiting)
    waiting.append(bare)  # last in each turn
    for places in waiting:
        random.shuffle(places)
    taken: list[int] = []
    turn = 0
    while len(taken) < count:
        taken += [places[turn] for places in waiting if turn < len(places)][: count - len(taken)]
        turn += 1
    return sorted(taken)


def _spread(total: int, count: int, random: Random) -> list[int]:
    edges = [total * place // count for place in range(count + 1)]
    return [random.randrange(first, last) for first, last in pairwise(edges)]


def _of(what: str, groups: Sequence[tuple[str, ...]], places: Sequence[int]) -> str:
    """How many of each class, or folder."""
    every = "folders" if what == "folder" else "classes" if max(map(len, groups)) == 1 else "sets of labels"
    counts = Counter(groups[place] for place in places)
    bare = counts.pop((), 0)
    least, most = min(counts.values(), default=0), max(counts.values(), default=0)
    each = str(most) if least == most else f"{least} to {most}"
    total = len(set(groups) - {()})
    some = f"{len(counts)} of {total}" if len(counts) < total else str(total)
    one = {"folders": "folder", "classes": "class", "sets of labels": "set of labels"}[every]
    shares = f"{each} of one {one}" if total == 1 else f"{each} of each of {some} {every}"
    return shares + (f", and {bare} without a label" if bare else "")


def _said(limit: Limit, total: int, how: str) -> str:
    return f"{limit.count:,} of {total:,} images: {how}."
