"""Batches through the tape and the methods into the store."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from cnnvis_report.errors import BadRequest
from cnnvis_report.passes import PassTimes
from cnnvis_report.pipeline.batches import Batch, batches
from cnnvis_report.pipeline.devices import is_out_of_memory, too_large
from cnnvis_report.pipeline.evaluation import Measuring
from cnnvis_report.pipeline.forecast import Forecast, Foresight
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.refusing import in_one_line
from cnnvis_report.pipeline.results import Result, results_of
from cnnvis_report.pipeline.study import Study
from cnnvis_report.pipeline.tasks import perform
from cnnvis_report.pipeline.trial import trials
from cnnvis_report.records import Skipped
from cnnvis_report.records_worth import Precision
from cnnvis_report.store.writer import RunWriter
from cnnvis_report.tape import Tape

MOST_NOTICES = 12  # of single pictures
MOST_SKIPPED = 10  # files that are told of one by one


class Watcher:
    """Told how a run goes on; this one says nothing of it."""

    def task_done(self, method: str, images: int, share: float) -> None:
        """A method is through with so many images, which was that share of the work on them."""

    def image_done(self, name: str, already: bool) -> None:
        """One more image is done, in this start or `already` in an earlier one."""

    def anew(self, changed: Sequence[str]) -> None:
        """What the folder held is of another run, and everything is done again: what has changed since."""

    def expected(self, forecast: Forecast) -> None:
        """What is still to come, as the images that are done let expect; told after the first batch."""

    def trouble(self, message: str, error: Exception | None = None) -> None:
        """Something that doesn't stop the run: a skipped file, a method that failed, too little memory."""


@dataclass
class Tally:
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


def run_batches(study: Study, plan: Plan, writer: RunWriter, watcher: Watcher) -> Tally:
    """Explain all images that the writer hasn't got yet.

    Writing goes on in another thread, one batch behind.

    Raises:
        RunFailed: a single image doesn't fit into memory.
        OSError: the disk is full, say; what was written stays whole.
    """
    tally = Tally(skipped=list(study.images.skipped), passes=plan.time.as_passes())
    start = time.perf_counter()
    with study.subject.held(), ThreadPoolExecutor(max_workers=1) as worker:
        tally.precision = _tried(study, plan, watcher)
        used = {(each.method, each.layer) for each in tally.precision if each.used}
        plan = replace(plan, reduced=tuple(task for task in plan.reduced if (task.name, task.layer) in used))
        writing: Future[None] | None = None
        foresight = Foresight(study, plan, writer.done)
        told = 0
        for batch in batches(study.images, study.subject.preprocessing, plan.batch, tally.skipped):
            told = _tell(tally.skipped, told, watcher)
            tally.read_otherwise += [
                f"{each.item.name}: {each.picture.note}." for each in batch.ready if each.picture.note
            ]
            missing = {each.item.id for each in batch.ready} - writer.done
            results = list(_explained(study, plan, batch, tally, watcher)) if missing else []
            if writing is not None:
                writing.result()
            wanted = [result for result in results if result.image.id in missing]
            tally.gaps += sum(len(result.image.gaps) for result in wanted)
            writing = worker.submit(_write, writer, wanted)
            due = foresight.after(results, batch.ready[-1].item.id, tally.measuring, tally.passes)
            if due is not None:
                watcher.expected(due)
            for each in batch.ready:
                watcher.image_done(each.item.name, already=each.item.id not in missing)
        if writing is not None:
            writing.result()
    _tell(tally.skipped, told, watcher)
    if len(tally.skipped) > MOST_SKIPPED:
        watcher.trouble(f"{len(tally.skipped) - MOST_SKIPPED} more files can't be read; the report lists them all.")
    for notice in tally.notices:
        watcher.trouble(notice)
    tally.seconds = time.perf_counter() - start - tally.measuring
    return tally


def _tell(skipped: Sequence[Skipped], told: int, watcher: Watcher) -> int:
    """Say which files are skipped beyond those that were told of, a few in all; how many have been met."""
    for each in skipped[told:MOST_SKIPPED]:
        watcher.trouble(f"{each.name}: {each.reason}. Skipped.")
    return len(skipped)


def _tried(study: Study, plan: Plan, watcher: Watcher) -> tuple[Precision, ...]:
    """What came of the trial of bfloat16; nothing where the device hasn't the memory for it."""
    try:
        return trials(study, plan, lambda what: watcher.task_done(what, 0, 0.0))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        watcher.trouble("Out of device memory while trying bfloat16; going on in float32.")
        return ()


def _write(writer: RunWriter, results: Sequence[Result]) -> None:
    for result in results:
        writer.add(result.image, result.arrays, result.seconds, result.files)


def _explained(study: Study, plan: Plan, batch: Batch, tally: Tally, watcher: Watcher) -> Iterator[Result]:
    """The results of a batch, in halves where the whole is too much for the device's memory.

    Images that the network doesn't take, as one of another size may be, are skipped.
    """
    count = len(batch.ready)
    if count > 1 and study.subject.one_by_one:  # which showed after the plan was made
        for each in batch.ready:
            yield from _explained(study, plan, Batch((each,)), tally, watcher)
        return
    try:
        results = _explain(study, plan, batch, tally, watcher)
    except BadRequest as error:
        if count > 1:
            for each in batch.ready:
                yield from _explained(study, plan, Batch((each,)), tally, watcher)
            return
        item = batch.ready[0].item
        tally.skipped.append(Skipped(item.name, str(error).rstrip("."), item.fingerprint))
        return
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if count == 1:
            raise too_large(batch.ready[0].item.name) from error
    else:
        yield from results
        return
    if study.device.type == "cuda":
        torch.cuda.empty_cache()
    watcher.trouble(f"Out of device memory with {count} images at a time; going on with {count // 2}.")
    for part in (batch.ready[: count // 2], batch.ready[count // 2 :]):
        yield from _explained(study, plan, Batch(part), tally, watcher)


def _explain(study: Study, plan: Plan, batch: Batch, tally: Tally, watcher: Watcher) -> list[Result]:
    rehearsed = plan.rehearsed
    images = batch.images.to(study.device)
    with in_one_line(study.subject, images):
        tape = Tape(
            study.subject,
            images,
            layers=rehearsed.layers,
            reads=rehearsed.reads,
            operands=rehearsed.operands,
            capacity=min(plan.batch, len(batch.ready)),
            reference=study.reference,
            seed=study.seed,
        )
    if study.witness is not None and study.witness.saw([each.item.id for each in batch.ready], images, tape.logits):
        del tape
        return [result for each in batch.ready for result in _explain(study, plan, Batch((each,)), tally, watcher)]
    logits = tape.logits.float().cpu()
    meaning = study.subject.meaning
    rows = zip(logits, batch.ready, strict=True)
    chosen = [study.choice.choose(row, each.item.labels, meaning) for row, each in rows]
    outcomes = []
    targets = _rectangle(chosen, logits).to(study.device)
    performed = perform(rehearsed.tasks, tape, targets, plan.reduced)
    for outcome, share in zip(performed, plan.shares[:-1], strict=True):
        if outcome.error is not None:
            watcher.trouble(f"{outcome.task.name} failed: {outcome.reason}.", outcome.error)
        outcomes.append(outcome.moved())
        watcher.task_done(outcome.task.name, len(batch.ready), share)
    tape.ledger.wait()
    tally.computed += len(batch.ready)
    tally.passes.merge(tape.ledger.clock.times())
    results = results_of(study.subject, batch, logits, chosen, outcomes, tape.ledger)
    return _measured(study, plan, batch, results, tally, watcher)


def _measured(
    study: Study, plan: Plan, batch: Batch, results: Sequence[Result], tally: Tally, watcher: Watcher
) -> list[Result]:
    """The results, with what their maps are worth where that is wanted."""
    if study.budget is None:
        return list(results)
    cards = {task.name: task.method.card for task in study.tasks}
    capacity = 1 if study.subject.one_by_one else plan.batch
    measuring = Measuring(study.subject, study.budget, cards, capacity, study.seed)
    found = []
    for result, ready in zip(results, batch.ready, strict=True):
        if ready.item.id in plan.measured:
            start = time.perf_counter()
            try:
                result = measuring.of(result, ready, ready.picture.values.to(study.device))
            except Exception as error:  # the maps are there, and worth keeping without it
                if is_out_of_memory(error):
                    raise
                watcher.trouble(f"{ready.item.name}: its maps couldn't be measured ({error}).", error)
            tally.measuring += time.perf_counter() - start
        found.append(result)
        watcher.task_done("measures", 1, plan.shares[-1])
    return found


def _rectangle(chosen: Sequence[Sequence[int]], logits: Tensor) -> Tensor:
    """[N, K] targets; an image with fewer classes than others has its first again, which nobody reads."""
    rows = [list(classes) or [int(row.argmax())] for classes, row in zip(chosen, logits, strict=True)]
    most = max(map(len, rows))
    return torch.tensor([row + row[:1] * (most - len(row)) for row in rows])
