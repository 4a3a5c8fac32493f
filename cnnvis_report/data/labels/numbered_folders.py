"""Folders called by a number or an id and a name, as 0_cat, 001.Cat or n01440764-tench: which classes they are."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from cnnvis_report.data.image_file import readable, several
from cnnvis_report.data.labels.class_names import Classes
from cnnvis_report.data.labels.dataset_classes import unnamed

NUMBERED = re.compile(r"\s*[\[(]?(\d{1,9})[\])]?\s*[._\-:\s]+\s*(\S.*)")
WITH_ID = re.compile(r"\s*(n\d{8})\s*[._\-:\s]+\s*(\S.*)")
BEHIND = re.compile(r"(.*\S)\s*[._\-:\s]+\s*(n\d{8})\s*")


@dataclass
class Prefixed:
    """The classes of folders by their names, and those whose two parts stand for different classes, with why."""

    index_of: dict[str, int] = field(default_factory=dict)
    conflicts: dict[str, str] = field(default_factory=dict)
    from_one: bool = False

    def notices(self, what: str = "Folders") -> list[str]:
        """What was taken for what, and what was not; `what` they are."""
        notices = []
        if self.index_of:
            counted = ", the numbers counting from 1" if self.from_one else ""
            names = several(list(self.index_of))
            notices.append(f"{what} called by a number or an id and a name are classes by both{counted}: {names}.")
        if self.conflicts:
            reasons = "; ".join(f"{readable(name)!r}: {why}" for name, why in list(self.conflicts.items())[:3])
            more = f"; and {len(self.conflicts) - 3} more" if len(self.conflicts) > 3 else ""
            notices.append(f"{what} whose number or id and whose name disagree are unknown: {reasons}{more}.")
        return notices


def prefixed_folders(names: Sequence[str], classes: Classes) -> Prefixed:
    """The classes of those folders that are called by a number or an id and a name.

    The name decides, and the number has to agree: it is the class's index, counted from 0 in all folders or from 1 in
    all. An id and a name have to be of one class; where only one of them is known, that one counts. Where nobody has
    named the classes, numbers are indices if they say where they count from.
    """
    prefixed = Prefixed()
    _by_ids(names, classes, prefixed)
    numbered = {name: (int(match[1]), match[2]) for name in names if (match := NUMBERED.fullmatch(name))}
    named = {name: classes.find(rest, indices=False).indices for name, (_, rest) in numbered.items()}
    known = {name: indices[0] for name, indices in named.items() if len(indices) == 1}
    # of two classes of one name the number tells which is meant
    same_named = {
        name: numbered[name][0] for name, indices in named.items() if len(indices) > 1 and numbered[name][0] in indices
    }
    if known or same_named:
        _by_numbers({name: numbered[name][0] for name in known}, known, classes, prefixed)
        prefixed.index_of |= {} if prefixed.from_one else same_named
    elif numbered and len(numbered) == len(names) and unnamed(classes):
        _by_numbers_alone({name: number for name, (number, _) in numbered.items()}, len(classes.names), prefixed)
    return prefixed


def _by_ids(names: Sequence[str], classes: Classes, prefixed: Prefixed) -> None:
    for name in names:
        ahead, behind = WITH_ID.fullmatch(name), BEHIND.fullmatch(name)
        if ahead is None and behind is None:
            continue
        wnid, rest = (ahead[1], ahead[2]) if ahead is not None else (behind[2], behind[1]) if behind else ("", "")
        by_id, by_name = (classes.find(word, indices=False) for word in (wnid, rest))
        if by_id.index is not None and by_name.indices and by_id.index not in by_name.indices:
            called = classes.names[by_name.indices[0]]
            prefixed.conflicts[name] = f"{wnid} is {classes.names[by_id.index]!r}, and the name is of {called!r}"
        elif by_id.index is not None:
            prefixed.index_of[name] = by_id.index
        elif by_name.index is not None:
            prefixed.index_of[name] = by_name.index


def _by_numbers(numbers: dict[str, int], known: dict[str, int], classes: Classes, prefixed: Prefixed) -> None:
    """Names that are known, where the numbers before them are their indices from 0, or from 1."""
    apart = Counter(numbers[name] - index for name, index in known.items())
    offset = 1 if apart[1] > apart[0] else 0
    agreed = apart[offset] * 2 > len(known)
    beside = "" if agreed else ", counted neither from 0 nor from 1"
    for name, index in known.items():
        if agreed and numbers[name] - index == offset:
            prefixed.index_of[name] = index
        else:
            prefixed.conflicts[name] = (
                f"the number is {numbers[name]}, and {classes.names[index]!r} is class {index}{beside}"
            )
    prefixed.from_one = agreed and offset == 1


def _by_numbers_alone(numbers: dict[str, int], count: int, prefixed: Prefixed) -> None:
    """Classes that nobody has named: numbers are indices where the lowest or the highest says how they are counted."""
    values = sorted(numbers.values())
    start = 0 if values[0] == 0 else 1 if values[-1] == count else None
    if start is None or len(set(values)) < len(values) or values[-1] - start >= count:
        return
    prefixed.from_one = start == 1
    prefixed.index_of = {name: number - start for name, number in numbers.items()}
