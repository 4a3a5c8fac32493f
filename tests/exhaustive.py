"""Rows of a test that say the same of further inputs: `poe exhaustive` runs them, and `pytest` alone doesn't."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

UNREPRESENTED = pytest.StashKey[list[str]]()  # of all files that were read
UNNAMED = pytest.StashKey[list[str]]()  # of those with exhaustive rows
NAMES = ("represented", "exhaustive")  # one of which stands in each file with such rows


def represented(rows: Iterable[Any], by: Collection[object] | int) -> list[Any]:
    """Mark rows of a test, or of a fixture, as exhaustive.

    Args:
        rows: values, tuples of them, or `pytest.param`.
        by: which rows every run of the tests has: their ids or values, or how many, spread evenly over all.

    Returns:
        All rows in their order.
    """
    every = [row if hasattr(row, "marks") else _param(row) for row in rows]
    if isinstance(by, int):
        count = min(by, len(every))
        step = (len(every) - 1) / max(1, count - 1)
        by = [every[round(step * number)] for number in range(count)]
        return [row if row in by else _exhaustive(row) for row in every]
    names = [_name(row) for row in every]
    assert set(by) <= set(names), f"no rows are called {sorted(map(str, set(by) - set(names)))}"
    return [row if name in by else _exhaustive(row) for row, name in zip(every, names, strict=True)]


def _param(row: Any) -> Any:
    return pytest.param(*row) if isinstance(row, tuple) else pytest.param(row)


def _name(row: Any) -> Any:
    return row.id or row.values[0]


def _exhaustive(row: Any) -> Any:
    return pytest.param(*row.values, marks=[*row.marks, pytest.mark.exhaustive], id=row.id)


def unrepresented(items: Sequence[pytest.Item]) -> list[str]:
    """The files all of whose tests are exhaustive, so that `pytest` alone doesn't open them at all."""
    alone: dict[str, bool] = {}
    for item in items:
        file = item.nodeid.partition("::")[0]
        alone[file] = alone.get(file, True) and item.get_closest_marker("exhaustive") is not None
    return [file for file, only in alone.items() if only]


def may_be_exhaustive(file: Path) -> bool:
    """Whether a file has exhaustive rows, by what it says: to find none of them by reading it takes longer."""
    text = file.read_text(encoding="utf-8")
    return any(name in text for name in NAMES)


def unnamed(items: Sequence[pytest.Item]) -> list[str]:
    """The files with exhaustive rows that don't say so, so that `poe exhaustive` would miss them."""
    files = {item.path for item in items if item.get_closest_marker("exhaustive")}
    return sorted(file.name for file in files if not may_be_exhaustive(file))
