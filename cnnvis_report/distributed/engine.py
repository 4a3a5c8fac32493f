"""The engine of `--engine ray`: the command plans and gathers, and workers explain shards."""

import os
import pickle as standard_pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from cnnvis_report.data.discovery.addresses import shown_address
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.distributed.cluster import Cluster, connected
from cnnvis_report.distributed.exchange import Exchange
from cnnvis_report.distributed.job import Decisions, ShardResult, ShardTask, WorkerJob
from cnnvis_report.distributed.pool import Pool
from cnnvis_report.distributed.worker import PATIENCE, journal_head
from cnnvis_report.errors import BadRequest, told
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.explaining.map_making import Engine, MapMaking
from cnnvis_report.pipeline.identity.parts import identity_parts
from cnnvis_report.pipeline.identity.run import identify
from cnnvis_report.pipeline.inspection.merge_tree import merged
from cnnvis_report.pipeline.inspection.set_pass import SetPass
from cnnvis_report.pipeline.run_record import versions
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stages.explain import sum_up, warn_of_skipped
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.store.files.atomic import sweep
from cnnvis_report.store.files.names import ARRAYS, FILE, shard_name
from cnnvis_report.store.writer import RunWriter


@contextmanager
def engine_of(config: RunConfig, set_up: Callable[[RunConfig], Setup]) -> Iterator[Engine | None]:
    """What makes the maps in the place of this process, until the block ends; None where nothing does.

    Args:
        set_up: opens the network and the images, in this process and in each worker.

    Raises:
        BadRequest: there is no such cluster, or workers can't write to the exchange.
    """
    machine = config.machine
    if machine.engine == "local":
        yield None
        return
    if machine.exchange is not None:
        Exchange.of(machine.exchange, config.report.output, "")  # before anything else is done
    with connected(machine.address) as cluster:
        yield RayEngine(cluster, machine.workers, set_up, machine.exchange)


@dataclass(frozen=True)
class RayEngine:
    """Makes maps by the workers of a Ray cluster.

    workers: how many; None for what suits the cluster. set_up: opens the network and the images in each of them.
    exchange: where they put shards for this process to fetch, in the place of the run's folder.
    """

    cluster: Cluster
    workers: int | None
    set_up: Callable[[RunConfig], Setup]
    exchange: str | None = None

    def describe(self, setup: Setup) -> str:
        """Where the maps are made, and by how many workers."""
        count, threads = self._crew(setup)
        nodes = "1 node" if self.cluster.nodes == 1 else f"{self.cluster.nodes} nodes"
        of_one = "" if count == 1 else "; the time above is that of one"
        way = "" if self.exchange is None else f"; maps come by {shown_address(self.exchange)}"
        return (
            f"{self.cluster.name}, {nodes}: {count} worker{'s' if count > 1 else ''}, "
            f"{threads} thread{'s' if threads > 1 else ''} each{of_one}{way}"
        )

    def explain(self, making: MapMaking, writer: RunWriter, stats: RunStats, progress: Progress) -> None:
        """Write the maps of all images that the writer hasn't got yet.

        Raises:
            BadRequest: a worker isn't what the command needs. RunFailed: the workers can't go on.
        """
        start = time.perf_counter()
        items, layout, tasks = making.setup.images.items, making.layout, []
        for number in range(layout.shards(len(items))):
            ids, names = zip(*((item.id, item.name) for item in items[layout.positions(number)]), strict=True)
            if not writer.done.issuperset(ids):
                tasks.append(ShardTask(number, ids, names))
                continue
            for name in names:
                progress.done(name)
        files = {item.id: item.files for item in items}
        warned, computed, exchange = 0, 0.0, self._exchange(making)
        for task, result in self._done(making, progress, tasks, "explain"):
            _take_in(result, writer, stats, progress, exchange)
            computed += result.seconds
            warned = warn_of_skipped(stats.skipped, warned, progress)
            for id, cost in result.costs.items():
                for file in files[id]:
                    file.recall(cost.files)
            for name in task.names:
                progress.done(name)
        sweep(making.folder / ARRAYS, FILE)  # what workers that were lost were writing
        stats.skipped.sort(key=lambda file: (file.name, file.reason))
        sum_up(making.setup.images, writer, stats, progress)
        stats.seconds += computed - (time.perf_counter() - start)  # the workers', not this process's

    def survey(self, making: MapMaking, shards: Sequence[ImageSet], progress: Progress) -> SetPass:
        """Pass over the images of all shards for what is shown of the layers.

        Raises:
            BadRequest: a worker isn't what the command needs. RunFailed: the workers can't go on.
        """
        tasks = [
            ShardTask(number, tuple(item.id for item in images), tuple(item.name for item in images))
            for number, images in enumerate(shards)
        ]

        def parts() -> Iterator[tuple[int, SetPass]]:
            for task, part in self._done(making, progress, tasks, "survey", sum(map(len, shards))):
                progress.step(f"inspection: {task.names[0] if task.names else ''}")
                yield task.number, part

        return merged(parts(), len(shards))

    def _done(
        self, making: MapMaking, progress: Progress, tasks: Sequence[ShardTask], method: str, *arguments: object
    ) -> Iterator[tuple[ShardTask, Any]]:
        """Shards with what workers have made of them, as they come."""
        if not tasks:
            return
        count, threads = self._crew(making.setup)
        share = self.cluster.share(count, on_devices=_on_devices(making.setup))
        job = _pickled(self.job(making, threads))
        exchange = self._exchange(making)
        if exchange is not None:
            exchange.announce()
        try:
            yield from Pool(self.cluster, count, share, job, progress, method, *arguments).map(tasks)
        finally:
            if exchange is not None:
                exchange.clear()

    def _exchange(self, making: MapMaking) -> Exchange | None:
        if self.exchange is None:
            return None
        return Exchange.of(self.exchange, making.folder, journal_head(making.folder))

    def _crew(self, setup: Setup) -> tuple[int, int]:
        """How many workers there are, and threads of each."""
        count = self.cluster.workers(self.workers, on_devices=_on_devices(setup))
        return count, torch.get_num_threads() if "OMP_NUM_THREADS" in os.environ else self.cluster.threads(count)

    def job(self, making: MapMaking, threads: int) -> WorkerJob:
        """What a worker with so many threads opens, and compares itself with."""
        setup = making.setup
        decisions: Decisions = (making.plan, making.reduced, making.in_bfloat16)
        return WorkerJob(
            set_up=partial(self.set_up, _of_worker(setup.config)),
            decisions=_pickled(decisions),
            selected=None if setup.selection is None else tuple(item.id for item in setup.images),
            directory=Path.cwd(),
            folder=making.folder.resolve(),
            exchange=self._exchange(making),
            journal=journal_head(making.folder),
            run=making.run,
            identity=identify(identity_parts(setup, making.plan), setup.network.checks.repeatability),
            versions=versions(),
            threads=threads,
        )


def _pickled(content: object) -> bytes:
    """What workers read; functions and classes of the caller's own script travel whole, where Ray is there to see."""
    pickle: Any = sys.modules.get("ray.cloudpickle") or standard_pickle
    try:
        pickled: bytes = pickle.dumps(content)
    except Exception as error:  # somebody's own classes may raise anything
        raise BadRequest(f"The network can't be sent to the workers of --engine ray ({told(error)}).") from error
    return pickled


def _of_worker(config: RunConfig) -> RunConfig:
    """The settings of a worker, which sees no GPUs but its own."""
    device, _, _ = config.machine.device.partition(":")
    return replace(config, machine=replace(config.machine, device=device))


def _on_devices(setup: Setup) -> bool:
    return setup.network.subject.device.type == "cuda"


def _take_in(
    result: ShardResult, writer: RunWriter, stats: RunStats, progress: Progress, exchange: Exchange | None = None
) -> None:
    """Put a shard that a worker has written into the run.

    Raises:
        WentAway: its file isn't in the run's folder. RunFailed: it isn't where workers put it.
    """
    for warning in result.warnings:
        progress.warn(warning)
    stats.merge(result.stats)
    stats.image_notices += [notice for notice in result.notices if notice not in stats.image_notices]
    if result.stored is None:
        return
    if exchange is None:
        _wait_for(writer.folder / shard_name(result.number), result.stored.bytes)
    else:
        exchange.fetch(writer.folder / shard_name(result.number), result.stored)
    costs = [result.costs[image.id] for image in result.records]
    writer.add_shard(
        result.number, result.records, result.stored, [cost.seconds for cost in costs], [cost.files for cost in costs]
    )


def _wait_for(path: Path, size: int) -> None:
    """Let a network's file system show what another node has written; it may take its time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if path.stat().st_size == size:
                return
        except OSError:
            pass
        time.sleep(0.2)
