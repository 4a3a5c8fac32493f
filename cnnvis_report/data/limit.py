"""Some images of many: a sample that stands for the whole, and repeats."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import TypeVar

from cnnvis_report.records.images import Label

Item = TypeVar("Item")
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
    groups = [tuple(label.name for label in image_labels) for image_labels in labels]
    what = "class"
    if not any(groups):
        groups = [(folder,) for folder in folders]
        what = "folder"
    if limit.order == "first":
        indices = list(range(limit.count))
        return indices, [_said(limit, len(folders), f"the first ones, {_of(what, groups, indices)}")]
    random = Random(limit.seed)
    if len(set(groups)) == 1:
        indices = _spread(len(folders), limit.count, random)
        only = f", all of class {labels[0][0].name!r}" if labels[0] else ""
        return indices, [_said(limit, len(folders), f"spread over the set, seed {limit.seed}{only}")]
    indices = _balanced(groups, limit.count, random)
    return indices, [_said(limit, len(folders), f"{_of(what, groups, indices)}, seed {limit.seed}")]


def evenly(items: Iterable[Item], most: int) -> list[Item]:
    """At most so many of some, in their order, spread evenly over all of them."""
    listed = list(items)
    count = min(most, len(listed))
    return [listed[number * len(listed) // count] for number in range(count)]


def _balanced(groups: Sequence[tuple[str, ...]], count: int, random: Random) -> list[int]:
    members: dict[tuple[str, ...], list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    bare = members.pop((), [])
    waiting = list(members.values())
    random.shuffle(waiting)
    waiting.append(bare)  # last in each turn
    for indices in waiting:
        random.shuffle(indices)
    selected: list[int] = []
    turn = 0
    while len(selected) < count:
        selected += [indices[turn] for indices in waiting if turn < len(indices)][: count - len(selected)]
        turn += 1
    return sorted(selected)


def _spread(total: int, count: int, random: Random) -> list[int]:
    edges = [total * number // count for number in range(count + 1)]
    return [random.randrange(first, last) for first, last in pairwise(edges)]


def _of(what: str, groups: Sequence[tuple[str, ...]], indices: Sequence[int]) -> str:
    """How many of each class, or folder."""
    every = "folders" if what == "folder" else "classes" if max(map(len, groups)) == 1 else "sets of labels"
    counts = Counter(groups[index] for index in indices)
    bare = counts.pop((), 0)
    least, most = min(counts.values(), default=0), max(counts.values(), default=0)
    amount = str(most) if least == most else f"{least} to {most}"
    total = len(set(groups) - {()})
    groups_shown = f"{len(counts)} of the {total}" if len(counts) < total else str(total)
    one = {"folders": "folder", "classes": "class", "sets of labels": "set of labels"}[every]
    shares = f"{amount} of each of {groups_shown} {every}"
    if len(counts) == 1:
        shares = f"{amount} of one {one}" if total == 1 else f"{amount} of one of the {total} {every}"
    return shares + (f", and {bare} without a label" if bare else "")


def _said(limit: Limit, total: int, how: str) -> str:
    return f"{limit.count:,} of {total:,} images: {how}."
