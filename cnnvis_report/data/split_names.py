"""Names of the parts of a set: training, validation and test."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cnnvis_report.data.plain_names import plain
from cnnvis_report.errors import BadRequest, UnusedOption, shown

ALIKE = (
    {"train", "training", "trn"},
    {"val", "valid", "validation", "dev"},
    {"test", "testing", "tst"},
)
SPLIT_COLUMNS = ("split", "set", "subset", "partition", "phase", "fold", "is valid", "is val", "is test")
TRUE = frozenset({"1", "1.0", "true", "yes"})


def in_split(name: str, split: str) -> bool:
    """Whether a part that is called so is the one that is wanted, whatever its case or its usual shorter name."""
    wanted, called = plain(split), plain(name)
    return called == wanted or any(wanted in names and called in names for names in ALIKE)


def is_part(name: str) -> bool:
    """Whether a name is one that parts of a set usually have."""
    return any(plain(name) in names for names in ALIKE)


def part_of(name: str) -> str:
    """The part in a word: "training", "validation" or "test".

    Args:
        name: one that parts usually have.
    """
    number = next(number for number, names in enumerate(ALIKE) if plain(name) in names)
    return ("training", "validation", "test")[number]


def no_part(split: str, names: Iterable[str], reason: str) -> BadRequest:
    """What to raise where no part of a set is called like the split; an UnusedOption where it has no parts at all.

    Args:
        names: of what could be parts, such as its folders. reason: a sentence.
    """
    if any(map(is_part, names)):
        return BadRequest(f"--split {shown(split)}: {reason}")
    return UnusedOption("--split", shown(split), reason)


def split_of(text: str, column: str) -> str:
    """The part that a cell names; in a column such as is_valid, by whether it is true."""
    flag = plain(column)
    if not flag.startswith("is "):
        return text
    return flag.removeprefix("is ") if text.casefold() in TRUE else "train"


def check_split(name: str, split: str, splits: Iterable[str]) -> None:
    """Refuse a part that a set hasn't got."""
    parts = Counter(splits)
    if any(in_split(part, split) for part in parts):
        return
    possible = counted(parts) or "none"
    raise BadRequest(f"--split {shown(split)}: {name} has no such part. Its parts are {possible}.")


def all_parts(name: str, folders: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """That images of several parts are taken together, where their folders are called like parts; else nothing.

    Args:
        name: of the set. folders: those above each image, the outermost first.
    """
    parts = Counter(part for path in folders if (part := next(filter(is_part, path), "")))
    if len(set(map(part_of, parts))) < 2:
        return ()
    return (f"{name}: has folders {counted(parts)}; all are taken, and --split takes one.",)


def counted(parts: Counter[str], most: int = 10) -> str:
    """The parts, each with how many images are in it."""
    shown_parts: Sequence[str] = [f"{part or '(empty)'} ({count:,})" for part, count in parts.most_common(most)]
    return ", ".join(shown_parts) + (f" and {len(parts) - most} more" if len(parts) > most else "")
