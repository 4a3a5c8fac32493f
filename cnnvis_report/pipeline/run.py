"""A planned study into a run folder."""

import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from cnnvis_report.errors import WentAway
from cnnvis_report.pipeline.execute import MOST_SKIPPED, RunStats, run_batches
from cnnvis_report.pipeline.fit_cache import FolderFitCache
from cnnvis_report.pipeline.identity.provenance import provenance
from cnnvis_report.pipeline.identity.replaced_files import replaced_notices
from cnnvis_report.pipeline.identity.run import changed_since, contents_of, files_of, identify, recall
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.setup import Study
from cnnvis_report.pipeline.stages.inspection import look_inside
from cnnvis_report.pipeline.stages.randomization import randomization
from cnnvis_report.pipeline.stages.snapshots import snapshots
from cnnvis_report.progress import Progress
from cnnvis_report.records.identity import Identity, fingerprint
from cnnvis_report.records.images import NotApplicableRecord
from cnnvis_report.records.inspection import InspectionRecord
from cnnvis_report.records.metrics import Evaluation, RandomizationResult
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.training import SnapshotSeries
from cnnvis_report.store.lock import writing
from cnnvis_report.store.os_errors import refusal
from cnnvis_report.store.run_folder import load_run
from cnnvis_report.store.writer import RunWriter


def conduct(study: Study, plan: Plan, folder: Path, progress: Progress) -> tuple[RunRecord, RunStats]:
    """Run what isn't there yet and leave a complete run in the folder.

    A start that is stopped keeps the images that are done; the next one with the same study goes on from there.

    Returns:
        The run, and what this start has met; a run that was complete already is left as it is.

    Raises:
        BadRequest: the folder holds something else, or somebody else is writing there.
        RunFailed: a single image doesn't fit into memory, or the folder is gone.
    """
    with writing(folder):
        return _conduct(study, plan, folder, progress)


def _conduct(study: Study, plan: Plan, folder: Path, progress: Progress) -> tuple[RunRecord, RunStats]:
    recall(study, folder)
    identity = identify(study, plan)
    changed = changed_since(folder, study, identity)
    if changed:
        progress.changed(changed)
    names = {item.id: item.name for item in study.images}
    writer = RunWriter(folder, identity, names, keep=changed == [], files=files_of(study))
    if writer.complete:
        return load_run(folder).record, RunStats()
    if writer.damaged:
        kept = f"{len(writer.done)} of its {len(names)} images are kept, the rest" if names else "it"
        progress.warn(f"{folder}: the run that was complete there got damaged; {kept} is made again.")
    study = replace(study, reference=study.reference.with_cache(FolderFitCache(folder, fingerprint(identity))))
    try:
        tally = run_batches(study, plan, writer, progress)
        start = time.perf_counter()
        plan = replace(plan, measured=plan.measured & writer.done)
        evaluation = _evaluation(study, plan, len(plan.measured), progress)
        tally.measuring += time.perf_counter() - start
        start = time.perf_counter()
        inside = _inside(study, plan, writer, progress)
        filmed = _films(study, plan, writer, progress)
        tally.looking = time.perf_counter() - start
        late = [*_witnessed(study), *replaced_notices(study.images, writer.done)]
        for notice in late[:MOST_SKIPPED]:
            progress.warn(notice)
        tally.read_otherwise[:0] = late
    except BaseException:
        writer.abandon()
        raise
    facts = provenance(study, tally.seconds, tally.bound, tally.computed)
    facts["files"] = files_of(study)
    facts["seconds_by_method"] = {name: round(seconds, 4) for name, seconds in sorted(writer.seconds().items())}
    record = replace(
        _record(study, plan, writer, tally, identity),
        provenance=facts,
        evaluation=evaluation,
        inspection=inside,
        snapshots=filmed,
    )
    writer.finish(record)
    return record, tally


def _evaluation(study: Study, plan: Plan, measured: int, progress: Progress) -> Evaluation | None:
    """How maps of so many images were measured, and what cascading randomization made of them."""
    budget = study.budget
    if budget is None:
        return None
    stages: tuple[float, ...] = ()
    images = 0
    found: tuple[RandomizationResult, ...] = ()
    try:
        stages, images, found = randomization(study, plan, budget, progress)
    except Exception as error:  # some networks can't be copied; the images are done, and worth keeping without it
        progress.warn(f"The weights couldn't be randomized ({type(error).__name__}: {error}).", error)
    return Evaluation(
        budget=budget.name,
        images=measured,
        steps=budget.steps,
        regions=budget.regions,
        side=budget.across,
        seed=study.seed,
        randomized_fractions=stages,
        randomization_images=images,
        randomization=found,
    )


def _inside(study: Study, plan: Plan, writer: RunWriter, progress: Progress) -> InspectionRecord | None:
    """What the layers hold, where that is wanted and can be found out."""
    if study.look is None or (len(study.images) and not writer.done):
        return None
    try:
        return look_inside(
            study,
            study.look,
            1 if study.subject.one_by_one else plan.batch,
            writer,
            progress,
        )
    except WentAway:
        raise
    except Exception as error:  # the images are done, and worth keeping without it
        if refusal(error) is not None:  # but not without what couldn't be written: that can be made up for
            raise
        progress.warn(f"The inside of the network couldn't be looked at ({type(error).__name__}: {error}).", error)
        return None


def _films(study: Study, plan: Plan, writer: RunWriter, progress: Progress) -> tuple[SnapshotSeries, ...]:
    """Some images over the epochs, where the training left snapshots."""
    try:
        return snapshots(study, plan, writer, progress)
    except WentAway:
        raise
    except Exception as error:  # the images are done, and worth keeping without it
        if refusal(error) is not None:  # but not without what couldn't be written: that can be made up for
            raise
        progress.warn(f"The snapshots couldn't be looked at ({type(error).__name__}: {error}).", error)
        return ()


def _witnessed(study: Study) -> list[str]:
    """What showed of the network in the passes of the run."""
    if study.witness is None:
        return []
    study.witness.close()
    return study.witness.notices()


def _record(study: Study, plan: Plan, writer: RunWriter, tally: RunStats, identity: Identity) -> RunRecord:
    subject, dry_run = study.subject, plan.dry_run
    cards = {task.name: task.method.info for task in study.tasks}
    options = {task.name: dict(task.options) for task in study.tasks}
    network = NetworkRecord(
        name=subject.name,
        parameters=subject.parameters,
        classes=len(subject.classes),
        channels=subject.preprocessing.channels,
        weights=f"{study.weights} · {study.identity.weights}",
        preprocessing=subject.preprocessing.describe(),
        scores=subject.scores,
        layers=subject.layers,
        default_layer=subject.default_layer,
        kind=subject.meaning.kind,
        quantity=subject.meaning.quantity,
        reason=subject.meaning.reason,
        names=() if subject.meaning.kind.exclusive else subject.classes,
    )
    return RunRecord(
        fingerprint=fingerprint(identity, contents_of(study)),
        network=network,
        methods=tuple(replace(card, options=options[name]) for name, card in cards.items()),
        settings=study.settings,
        images=len(writer.done),
        skipped=tuple(tally.skipped),
        not_applicable=tuple(NotApplicableRecord(task.name, reason, task.layer) for task, reason in dry_run.refused),
        passes_per_image={"forward": dry_run.forward, "backward": dry_run.backward},
        provenance={},
        precision=tally.precision,
        training=study.training.record if study.training else None,
        in_training_set=_trained_on(study, writer.done),
        predictions=study.answers,
        label_predictions=study.label_answers,
        notices=(*study.notices, *tally.notices),
        identity=identity,
    )


def _trained_on(study: Study, done: Collection[str]) -> int:
    """How many of the images were among those that the network was trained on."""
    seen = study.training.seen if study.training else frozenset()
    return sum(item.id in done and item.content in seen for item in study.images)
