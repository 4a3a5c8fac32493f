"""Names of the parts of a set: training, validation and test."""

from collections.abc import Iterable

from cnnvis_report.errors import BadRequest, UnusedOption, shown

ALIKE = (
    {"train", "training", "trn"},
    {"val", "valid", "validation", "dev"},
    {"test", "testing", "tst"},
)


def in_split(name: str, split: str) -> bool:
    """Whether a part that is called so is the one that is wanted, whatever its case or its usual shorter name."""
    wanted, plain = split.strip().lower(), name.strip().lower()
    return plain == wanted or any(wanted in names and plain in names for names in ALIKE)


def is_part(name: str) -> bool:
    """Whether a name is one that parts of a set usually have."""
    return any(name.strip().lower() in names for names in ALIKE)


def part_of(name: str) -> str:
    """The part in a word: "training", "validation" or "test".

    Args:
        name: one that parts usually have.
    """
    number = next(number for number, names in enumerate(ALIKE) if name.strip().lower() in names)
    return ("training", "validation", "test")[number]


def no_part(split: str, names: Iterable[str], reason: str) -> BadRequest:
    """What to raise where no part of a set is called like the split; an UnusedOption where it has no parts at all.

    Args:
        names: of what could be parts, such as its folders. reason: a sentence.
    """
    if any(map(is_part, names)):
        return BadRequest(f"--split {shown(split)}: {reason}")
    return UnusedOption("--split", shown(split), reason)
