"""What one start of a run has met, and how long its stages took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cnnvis_report.engine.passes import PassTimes
from cnnvis_report.records.run import Skipped

MOST_NOTICES = 12  # of single images


@dataclass
class RunStats:
    """Counts and seconds of one start of a run.

    skipped: files that can't be explained. missing_maps: maps of images that aren't there. computed: images explained
        in this start.
    seconds: for maps, the bfloat16 check included. passes: those that the maps took.
    metrics_seconds: for measuring maps, the randomization test included. inspection_seconds: for inspection and
        snapshots.
    image_notices: images that were read in a way of their own, a sentence each.
    """

    skipped: list[Skipped] = field(default_factory=list)
    missing_maps: int = 0
    computed: int = 0
    seconds: float = 0.0
    passes: PassTimes = field(default_factory=PassTimes)
    metrics_seconds: float = 0.0
    inspection_seconds: float = 0.0
    image_notices: list[str] = field(default_factory=list)

    def merge(self, other: "RunStats") -> None:
        """Count what another process has met, and what its work took."""
        self.skipped += other.skipped
        self.missing_maps += other.missing_maps
        self.computed += other.computed
        self.seconds += other.seconds
        self.passes.merge(other.passes)
        self.metrics_seconds += other.metrics_seconds
        self.inspection_seconds += other.inspection_seconds
        self.image_notices += other.image_notices

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user has to know of single images; of many, the first."""
        more = len(self.image_notices) - MOST_NOTICES
        first = self.image_notices[:MOST_NOTICES]
        return (*first, f"The same holds for {more} more images.") if more > 0 else tuple(first)

    @property
    def ideal_seconds(self) -> float:
        """Seconds that the maps' passes take at least; they are part of `seconds`, so it is never more."""
        return self.passes.bound

    @contextmanager
    def timing(self, name: str) -> Iterator[None]:
        """Add the seconds that pass while it is open to the field called `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            setattr(self, name, getattr(self, name) + time.perf_counter() - start)
