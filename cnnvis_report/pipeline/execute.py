"""Batches through the tape and the methods into the store."""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from cnnvis_report.data.batches import batches
from cnnvis_report.engine.devices import is_out_of_memory
from cnnvis_report.engine.passes import PassTimes
from cnnvis_report.pipeline.forecast import Foresight
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.results import Result
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.bfloat16_check import trials
from cnnvis_report.pipeline.stages.explain import Explaining, none_left
from cnnvis_report.progress import Progress
from cnnvis_report.records.metrics import Precision
from cnnvis_report.records.run import Skipped
from cnnvis_report.store.writer import RunWriter

MOST_NOTICES = 12  # of single pictures
MOST_SKIPPED = 10  # files that are told of one by one


@dataclass
class RunStats:
    """What this start of a run has met.

    seconds: for maps, those of the trial of bfloat16 too. precision: what came of that trial. passes: that the maps
    took. measuring, looking: seconds for what the maps are worth, and for the inside of the network.
    read_otherwise: pictures that were read in a way of their own, a sentence each.
    """

    skipped: list[Skipped] = field(default_factory=list)
    gaps: int = 0
    computed: int = 0
    seconds: float = 0.0
    passes: PassTimes = field(default_factory=PassTimes)
    measuring: float = 0.0
    looking: float = 0.0
    precision: tuple[Precision, ...] = ()
    read_otherwise: list[str] = field(default_factory=list)

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user has to know of single pictures, which showed as they were decoded; of many, the first."""
        more = len(self.read_otherwise) - MOST_NOTICES
        told = self.read_otherwise[:MOST_NOTICES]
        return (*told, f"So it is with {more} more pictures.") if more > 0 else tuple(told)

    @property
    def bound(self) -> float:
        """Seconds that the maps' passes take at least; they are part of `seconds`, so it is never more."""
        return self.passes.bound


def run_batches(study: Study, plan: Plan, writer: RunWriter, progress: Progress) -> RunStats:
    """Explain all images that the writer hasn't got yet.

    Writing goes on in another thread, one batch behind.

    Raises:
        RunFailed: a single image doesn't fit into memory, or the network fails on every one.
        OSError: the disk is full, say; what was written stays whole.
    """
    tally = RunStats(skipped=list(study.images.skipped), passes=plan.time.as_passes())
    start = time.perf_counter()
    with study.subject.in_eval_mode(), ThreadPoolExecutor(max_workers=1) as worker:
        tally.precision = _tried(study, plan, progress)
        used = {(each.method, each.layer) for each in tally.precision if each.used}
        plan = replace(plan, reduced=tuple(task for task in plan.reduced if (task.name, task.layer) in used))
        explaining = Explaining(study, plan, tally, progress)
        writing: Future[None] | None = None
        foresight = Foresight(study, plan, writer.done)
        told = 0
        for batch in batches(study.images, study.subject.preprocessing, plan.batch, tally.skipped):
            told = _tell(tally.skipped, told, progress)
            tally.read_otherwise += [
                f"{each.item.name}: {each.picture.note}." for each in batch.ready if each.picture.note
            ]
            missing = {each.item.id for each in batch.ready} - writer.done
            results = list(explaining.of(batch)) if missing else []
            if writing is not None:
                writing.result()
            wanted = [result for result in results if result.image.id in missing]
            tally.gaps += sum(len(result.image.not_applicable) for result in wanted)
            writing = worker.submit(_write, writer, wanted)
            due = foresight.after(results, batch.ready[-1].item.id, tally.measuring, tally.passes)
            if due is not None:
                progress.expect(due.left, due.an_image)
            for each in batch.ready:
                progress.done(each.item.name, in_steps=each.item.id in missing)
        if writing is not None:
            writing.result()
    _tell(tally.skipped, told, progress)
    if len(tally.skipped) > MOST_SKIPPED:
        progress.warn(f"{len(tally.skipped) - MOST_SKIPPED} more images are skipped; the report lists them all.")
    if len(study.images) and not writer.done:
        raise none_left(study, tally.skipped)
    for notice in tally.notices:
        progress.warn(notice)
    looked = study.witness.seconds if study.witness is not None else 0.0
    tally.seconds = time.perf_counter() - start - tally.measuring - looked
    return tally


def _tell(skipped: Sequence[Skipped], told: int, progress: Progress) -> int:
    """Say which files are skipped beyond those that were told of, a few in all; how many have been met."""
    for each in skipped[told:MOST_SKIPPED]:
        progress.warn(f"{each.name}: {each.reason}. Skipped.")
    return len(skipped)


def _tried(study: Study, plan: Plan, progress: Progress) -> tuple[Precision, ...]:
    """What came of the trial of bfloat16; nothing where the device hasn't the memory for it."""
    try:
        return trials(study, plan, progress)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        progress.warn("Out of device memory while trying bfloat16; going on in float32.")
        return ()


def _write(writer: RunWriter, results: Sequence[Result]) -> None:
    for result in results:
        writer.add(result.image, result.arrays, result.seconds, result.files)
