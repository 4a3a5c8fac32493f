"""What the run folder keeps of the maps."""

from dataclasses import dataclass
from typing import ClassVar

from cnnvis_report.records.run import Keep
from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, Integer

MOST_IN_A_SHARD = 1_000_000


@dataclass(frozen=True)
class StorageConfig:
    """What the run folder keeps of the maps, and in how many files."""

    group: ClassVar = Group.REPORT

    keep: str = setting(
        "reduced",
        "What the folder keeps of the maps: reduced, one half-precision number per position, as pages show them; full, "
        "all channels in single precision; none, no arrays once the pages are written.",
        Choice(tuple(map(str, Keep))),
        stated=Stated.CHANGED,
    )
    shard_size: int | None = setting(
        None,
        "Images whose arrays share one file; 0 gives each image a file of its own.",
        Integer(0, MOST_IN_A_SHARD, auto=True),
        metavar="N|auto",
        default_text="0 up to 1,000 images, 100 beyond; with --engine ray, 4 or a batch up to 1,000",
        stated=Stated.NEVER,
    )
