"""One pass over the set in parts, merged by a tree: the parts may be made anywhere, and come in any order."""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from cnnvis_report.pipeline.inspection.set_pass import SetPass

Part = TypeVar("Part")


class MergeTree(Generic[Part]):
    """Merges neighbors two by two, and what came of them two by two again, whatever the order in which they come.

    So rounding depends on how many parts there are alone, and few parts wait: of n, about log n for each worker.

    Args:
        count: of parts. merge: puts the second part, which follows the first one, into it.
    """

    def __init__(self, count: int, merge: Callable[[Part, Part], None]) -> None:
        self._merge = merge
        self._widths = [count]  # how many there are, level by level
        while self._widths[-1] > 1:
            self._widths.append(-(-self._widths[-1] // 2))
        self._waiting: dict[tuple[int, int], Part] = {}

    def add(self, number: int, part: Part) -> None:
        """Take in a part, each number once."""
        for level, width in enumerate(self._widths):
            if level == len(self._widths) - 1:
                self._waiting[level, 0] = part
                return
            if number ^ 1 < width:  # it has a neighbor
                neighbor = self._waiting.pop((level, number ^ 1), None)
                if neighbor is None:
                    self._waiting[level, number] = part
                    return
                first, second = (part, neighbor) if number % 2 == 0 else (neighbor, part)
                self._merge(first, second)
                part = first
            number //= 2

    @property
    def result(self) -> Part:
        """All parts as one.

        Raises:
            KeyError: some are missing.
        """
        return self._waiting[len(self._widths) - 1, 0]


def merged(parts: Iterable[tuple[int, SetPass]], count: int) -> SetPass:
    """So many parts of a pass over the set, each with its number, as one."""
    tree = MergeTree[SetPass](count, SetPass.merge)
    for number, part in parts:
        tree.add(number, part)
    return tree.result
