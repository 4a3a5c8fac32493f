"""One worker: it opens the network itself, checks that all is as the command has it, and explains shard after shard."""

import os
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch

from cnnvis_report.data.image_set import ImageItem, ImageSet
from cnnvis_report.distributed.exchange import Exchange
from cnnvis_report.distributed.job import Decisions, Failure, ImageCost, Reason, ShardResult, WorkerJob
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.errors import BadRequest, CnnVisError
from cnnvis_report.pipeline.explaining.explain_batch import BatchSettings
from cnnvis_report.pipeline.explaining.map_making import MapMaking
from cnnvis_report.pipeline.explaining.results import Result
from cnnvis_report.pipeline.identity.parts import PREDICTED, identity_parts
from cnnvis_report.pipeline.identity.run import identify
from cnnvis_report.pipeline.inspection.set_pass import SetPass
from cnnvis_report.pipeline.run_record import versions
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.records.identity import Identity, changes
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import StoredFile
from cnnvis_report.store.array_files.shards import write_shard
from cnnvis_report.store.files.names import ARRAYS, JOURNAL, shard_name
from cnnvis_report.store.manifest import list_lines

Answer = TypeVar("Answer")
PATIENCE = 5.0  # seconds in which a shared folder has to show what another node has written


class ShardWorker:
    """Explains shards of one run."""

    def __init__(self, job: WorkerJob) -> None:
        self.job = job

    def open(self) -> Failure | None:
        """Open the network and the images; why this worker is of no use, where it isn't."""
        try:
            reason = self._unlike_folders() or self._unlike_versions() or self._unlike_run()
        except CnnVisError as error:
            reason = str(error)
        return Failure(reason, Reason.REQUEST) if reason else None

    def explain(self, number: int, ids: Sequence[str]) -> ShardResult | Failure:
        """Explain the images of a shard, and write it into the run's folder, or to where the command fetches it."""
        return self._tried(lambda: self._explained(number, ids))

    def survey(self, number: int, ids: Sequence[str], expected: int) -> SetPass | Failure:
        """Pass over the images of a shard, of so many in all, for what is shown of the layers."""
        return self._tried(lambda: self.making.survey(self._images(ids), number, expected, Progress()))

    def _tried(self, work: Callable[[], Answer]) -> Answer | Failure:
        try:
            return work()
        except CnnVisError as error:
            memory = error.__cause__ is not None and is_out_of_memory(error.__cause__)
            return Failure(str(error), Reason.MEMORY if memory else Reason.RUN)
        except OSError as error:
            return Failure(f"{error.filename or self.job.folder}: {error.strerror or error}.", Reason.RUN)

    def _images(self, ids: Sequence[str]) -> ImageSet:
        return replace(self.making.setup.images, items=tuple(self._items[id] for id in ids))

    def _explained(self, number: int, ids: Sequence[str]) -> ShardResult:
        start, stats, gathered = time.perf_counter(), RunStats(), _Gathered()
        costs: dict[str, ImageCost] = {}
        records: list[ImageRecord] = []
        stored: StoredFile | None = None
        with self.making.setup.network.subject.in_eval_mode():
            results = self._results(ids, stats, gathered, costs)
            first = next(results, None)
            if first is not None:
                records, stored = self._written(number, chain([first], results))
        return ShardResult(
            number,
            records,
            stored,
            costs,
            stats,
            warnings=gathered.warnings,
            notices=self.making.setup.network.checks.monitor.notices(),
            seconds=time.perf_counter() - start,
        )

    def _written(self, number: int, results: Iterator[Result]) -> tuple[list[ImageRecord], StoredFile]:
        """Write a shard into the run's folder, or by way of a folder of its own to where the command fetches it."""
        deflated = self.making.layout.deflated
        if self.job.exchange is None:
            return write_shard(self.job.folder, number, results, deflated=deflated)
        with TemporaryDirectory(prefix="cnnvis-report-") as folder:
            written = write_shard(Path(folder), number, results, deflated=deflated)
            self.job.exchange.send(Path(folder) / shard_name(number))
        return written

    def _results(
        self, ids: Sequence[str], stats: RunStats, progress: Progress, costs: dict[str, ImageCost]
    ) -> Iterator[Result]:
        for batch in self.making.batches(self._images(ids), self._settings, stats, progress):
            for result in batch.results:
                costs[result.image.id] = ImageCost(result.seconds, result.files)
                yield result

    @cached_property
    def making(self) -> MapMaking:
        """What the maps are made with."""
        (plan, reduced, scored), job = self._decisions, self.job
        return MapMaking(self._setup, plan, job.folder, job.run, reduced, scored, keeps_fits=job.exchange is None)

    @cached_property
    def _setup(self) -> Setup:
        setup = self.job.set_up()
        if self.job.selected is None:
            return setup
        items = {item.id: item for item in setup.images}
        chosen = tuple(items[id] for id in self.job.selected if id in items)
        return replace(setup, images=replace(setup.images, items=chosen))

    @cached_property
    def _decisions(self) -> Decisions:
        decisions: Decisions = pickle.loads(self.job.decisions)
        return decisions

    @cached_property
    def _settings(self) -> BatchSettings:
        return self.making.batch_settings()

    @cached_property
    def _items(self) -> dict[str, ImageItem]:
        return {item.id: item for item in self.making.setup.images}

    def _unlike_folders(self) -> str:
        """Which folder isn't shared with the command; empty where all are."""
        job = self.job
        try:
            os.chdir(job.directory)
        except OSError:  # with everything at addresses, nothing in it is needed
            if job.exchange is None:
                return f"{job.directory}, in which the command was started, isn't there. Share it with every node."
        if job.exchange is not None:
            return self._unlike_exchange(job.exchange)
        deadline = time.monotonic() + PATIENCE
        while journal_head(job.folder) != job.journal:
            if time.monotonic() > deadline:
                return f"{job.folder} isn't the folder of the report there. Give -o a folder that every node shares."
            time.sleep(0.2)
        if not os.access(job.folder / ARRAYS, os.W_OK):
            return f"{job.folder / ARRAYS} can't be written to. Give -o a folder that every node may write to."
        return ""

    def _unlike_exchange(self, exchange: Exchange) -> str:
        if exchange.is_announced():
            return ""
        return f"--exchange {exchange.shown} isn't the same place there. Give one that every node reaches."

    def _unlike_versions(self) -> str:
        """Which package is of another version than the command's; empty where none is."""
        installed = versions()
        for name, version in self.job.versions.items():
            if installed.get(name) != version:
                return f"has {name} {installed.get(name)}, and the command {version}. Install the same on every node."
        return ""

    def _unlike_run(self) -> str:
        """What of the network, the images or the settings isn't as the command has it; empty where all is."""
        torch.set_num_threads(self.job.threads)
        parts = identity_parts(self._setup, self._decisions[0])
        now = identify(parts, self._setup.network.checks.repeatability)
        names = changes(_without_predictions(self.job.identity), _without_predictions(now))
        if not names:
            return ""
        return f"isn't as the command has it: {', '.join(names)}. Give every node the same files and the same device."


class _Gathered(Progress):
    """Gathers the warnings of a shard."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, message: str, error: Exception | None = None) -> None:
        """Keep a warning until the shard is done."""
        self.warnings.append(message)


def _without_predictions(identity: Identity) -> Identity:
    """The identity without what only the command knows."""
    return replace(identity, parts={name: digest for name, digest in identity.parts.items() if name != PREDICTED})


def journal_head(folder: Path) -> str:
    """The first line of a run's journal, which tells its folder from any other; empty where there is none."""
    try:
        return next(list_lines(folder / JOURNAL), "")
    except (OSError, BadRequest):  # a link or a pipe in its place, too
        return ""
