"""Parts of a set, by the names that people give them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from cnnvis_report.data.split_names import in_split
from cnnvis_report.errors import BadRequest, shown

SPLIT_COLUMNS = ("split", "set", "subset", "partition", "phase", "fold", "is valid", "is val", "is test")
TRUE = frozenset({"1", "1.0", "true", "yes"})


def split_of(text: str, column: str) -> str:
    """The part that a cell names; in a column such as is_valid, by whether it is true."""
    flag = column.replace("_", " ").replace("-", " ").casefold().strip()
    if not flag.startswith("is "):
        return text
    return flag.removeprefix("is ") if text.casefold() in TRUE else "train"


def check_split(name: str, split: str, splits: Iterable[str]) -> None:
    """Refuse a part that a set hasn't got.

    Raises:
        BadRequest: naming those that it has.
    """
    parts = Counter(splits)
    if any(in_split(part, split) for part in parts):
        return
    possible = counted(parts) or "none"
    raise BadRequest(f"--split {shown(split)}: {name} has no such part. Its parts are {possible}.")


def counted(parts: Counter[str], most: int = 10) -> str:
    """The parts, each with how many images are in it."""
    shown_parts: Sequence[str] = [f"{part or '(empty)'} ({count:,})" for part, count in parts.most_common(most)]
    return ", ".join(shown_parts) + (f" and {len(parts) - most} more" if len(parts) > most else "")
