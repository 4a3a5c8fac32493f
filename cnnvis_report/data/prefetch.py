"""Work done ahead of its use, by threads, in order and without piling up."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(function: Callable[[Item], Result], items: Iterable[Item], *, workers: int, waiting: int) -> Iterator[Result]:
    """What the function makes of each item, in order.

    Args:
        workers: how many threads work.
        waiting: at most so many results are made before they are asked for.
    """
    with ThreadPoolExecutor(max_workers=workers) as pool:
        queue: deque[Future[Result]] = deque()
        try:
            for item in items:
                queue.append(pool.submit(function, item))
                if len(queue) > waiting:
                    yield queue.popleft().result()
            while queue:
                yield queue.popleft().result()
        finally:
            for future in queue:
                future.cancel()


def processors(most: int) -> int:
    """How many threads are of use here, at most so many."""
    return max(1, min(most, os.cpu_count() or 1))
