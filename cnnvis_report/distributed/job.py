"""What travels between a command and its workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from cnnvis_report.distributed.exchange import Exchange
from cnnvis_report.methods.tasks import Task
from cnnvis_report.pipeline.planning.plan import Plan
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.records.identity import Identity
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import StoredFile

Decisions = tuple[Plan, tuple[Task, ...], frozenset[str]]  # the plan, and the tasks and metrics that run in bfloat16


@dataclass(frozen=True)
class WorkerJob:
    """What a worker opens the network and the images by, and checks that they are those of the command.

    set_up: opens them. decisions: `Decisions` of the command, pickled, as methods of one's own can be read only after
    that. selected: ids of the images, where the command has selected some of those that `set_up` finds. directory: in
    which the command was started; paths are relative to it. folder: of the run; exchange: where shards go in its place.
    journal: the first line of the run's journal, by which a worker knows either. run, identity: of the run. versions:
    of the packages that make numbers. threads: of a worker.
    """

    set_up: Callable[[], Setup]
    decisions: bytes
    selected: tuple[str, ...] | None
    directory: Path
    folder: Path
    exchange: Exchange | None
    journal: str
    run: str
    identity: Identity
    versions: Mapping[str, str]
    threads: int


class Reason(StrEnum):
    """Why a worker can't go on."""

    REQUEST = "request"  # it isn't what the command needs
    MEMORY = "memory"  # an image doesn't fit into its device
    RUN = "run"


@dataclass(frozen=True)
class Failure:
    """Why a worker can't go on, in one line without its node."""

    message: str
    reason: Reason


@dataclass(frozen=True)
class ShardTask:
    """Consecutive images that one worker explains: their ids, and their names for messages."""

    number: int
    ids: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class ImageCost:
    """What methods took on an image, in seconds, and what its files are remembered by."""

    seconds: dict[str, float]
    files: dict[str, str]


@dataclass(frozen=True)
class ShardResult:
    """A shard that is written.

    stored: its file; None where not one of its images could be explained. costs: by image. stats: what was met.
    warnings: that a command says meanwhile. notices: of the network. seconds: that the worker took.
    """

    number: int
    records: list[ImageRecord]
    stored: StoredFile | None
    costs: dict[str, ImageCost]
    stats: RunStats
    warnings: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    seconds: float = 0.0
