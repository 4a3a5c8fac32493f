"""Run the stages one after the other, into a run folder."""

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.evidence import evidence_of
from cnnvis_report.pipeline.explaining.map_making import Engine, MapMaking, survey_set
from cnnvis_report.pipeline.explaining.reduced_maps import array_layout
from cnnvis_report.pipeline.identity.parts import identity_parts
from cnnvis_report.pipeline.identity.run import changed_since, files_of, identify, recall, replaced_notices
from cnnvis_report.pipeline.not_applicable import Stages
from cnnvis_report.pipeline.planning.forecast import Forecaster
from cnnvis_report.pipeline.planning.later_stages import later_stages
from cnnvis_report.pipeline.planning.metrics_budget import randomized_tasks
from cnnvis_report.pipeline.planning.plan import Plan
from cnnvis_report.pipeline.run_record import (
    count_in_training_set,
    evaluation_record,
    method_records,
    network_record,
    not_applicable_records,
    provenance,
)
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stages.bfloat16_check import bfloat16_check, confirmed
from cnnvis_report.pipeline.stages.explain import MOST_SKIPPED, explain_images
from cnnvis_report.pipeline.stages.inspection import inspection
from cnnvis_report.pipeline.stages.map_tests import MapTests, run_map_tests
from cnnvis_report.pipeline.stages.metrics_precision import confirmed_metrics, metrics_precision
from cnnvis_report.pipeline.stages.randomization import Randomization, randomization
from cnnvis_report.pipeline.stages.snapshots import snapshots
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.records.identity import Content, Identity, fingerprint
from cnnvis_report.records.inspection import InspectionRecord
from cnnvis_report.records.metrics import Evaluation, MetricPrecision, Precision
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.training import SnapshotSeries
from cnnvis_report.settings import Group, settings_table
from cnnvis_report.store.files.lock import writing
from cnnvis_report.store.run_folder import load_run
from cnnvis_report.store.writer import RunWriter


def run(
    setup: Setup, plan: Plan, folder: Path, progress: Progress, engine: Engine | None = None
) -> tuple[RunRecord, RunStats]:
    """Run what isn't there yet and leave a complete run in the folder.

    A start that is stopped keeps the images that are done; the next one with the same setup goes on from there.

    Args:
        engine: makes the maps, where this process doesn't.

    Returns:
        The run, and what this start has met; a run that was complete already is left as it is.

    Raises:
        BadRequest: the folder holds something else, or somebody else is writing there.
        RunFailed: a single image doesn't fit into memory, or the folder is gone.
    """
    with writing(folder):
        images = setup.images
        recall(images, folder)
        identity = identify(identity_parts(setup, plan), setup.network.checks.repeatability)
        changed = changed_since(folder, images, identity)
        if changed:
            progress.changed(changed)
        names = {item.id: item.name for item in images}
        layout = array_layout(setup, plan.batch)
        writer = RunWriter(folder, identity, names, resume=changed == [], files=files_of(images), layout=layout)
        if writer.complete:
            return load_run(folder).record, RunStats()
        if writer.damaged:
            extent = f"{len(writer.done)} of its {len(names)} images are kept, the rest" if names else "it"
            progress.warn(f"{folder}: the run that was complete there got damaged; {extent} is made again.")
        start = _Start(setup, plan, identity, writer, progress, engine)
        try:
            record = start.run()
        except BaseException:
            writer.abandon()
            raise
        writer.finish(record)
        return record, start.stats


class _Start:
    """The stages of one start: what each of them gets, and what became of it."""

    def __init__(
        self,
        setup: Setup,
        plan: Plan,
        identity: Identity,
        writer: RunWriter,
        progress: Progress,
        engine: Engine | None,
    ) -> None:
        self.setup, self.plan, self.identity = setup, plan, identity
        self.writer, self.progress, self.engine = writer, progress, engine
        self.network, self.images, self.maps = setup.network, setup.images, setup.maps
        self.subject, self.monitor = setup.network.subject, setup.network.checks.monitor
        self.seed, self.forced = setup.config.machine.seed, setup.config.explain.precision == "bfloat16"
        self.making = MapMaking(setup, plan, writer.folder, fingerprint(identity))
        self.settings = self.making.batch_settings()
        self.stats = RunStats(skipped=list(setup.images.skipped), passes=plan.time.as_passes())
        self.attempts = Stages(progress)

    def run(self) -> RunRecord:
        """Every stage in order; all but the maps themselves may fail alone."""
        attempt = self.attempts.run
        with self.stats.timing("seconds"):
            precision: tuple[Precision, ...] = attempt("bfloat16 check", self.check_bfloat16, ())
            with self.stats.timing("metrics_seconds"):
                of_metrics: tuple[MetricPrecision, ...] = attempt("bfloat16 check of metrics", self.check_metrics, ())
            self.explain(precision, confirmed_metrics(of_metrics))
        self.stats.seconds -= self.stats.metrics_seconds + self.monitor.seconds
        with self.stats.timing("metrics_seconds"):
            cascade = attempt("randomization test", self.randomize, Randomization())
            map_tests = attempt("tests of maps", self.test_maps, MapTests())
        with self.stats.timing("inspection_seconds"):
            inspected = attempt("inspection", self.inspect, None)
            series: tuple[SnapshotSeries, ...] = attempt("explanation of snapshots", self.follow_training, ())
        self.look_back()
        measured = len(self.plan.measured & self.writer.done)
        evaluation = evaluation_record(self.maps.metrics, measured, self.seed, cascade, map_tests, of_metrics)
        record = self.record(precision, evaluation, inspected, series)
        evidence = attempt("evidence", lambda: evidence_of(record, self.writer.images()), None)
        return replace(record, evidence=evidence, stages_not_applicable=tuple(self.attempts.not_applicable))

    def check_bfloat16(self) -> tuple[Precision, ...]:
        """May methods that need forward passes only run in bfloat16?"""
        tasks = self.plan.reduced
        return bfloat16_check(self.subject, self.images, tasks, self.settings, self.progress, forced=self.forced)

    def check_metrics(self) -> tuple[MetricPrecision, ...]:
        """May the metrics' passes run in bfloat16?"""
        stage, plan = self.making.metrics(), self.plan
        if stage is None or not plan.reduced_metrics:
            return ()
        tasks = randomized_tasks(plan.dry_run, plan.classes, stage.budget)
        return metrics_precision(stage, self.images, tasks, self.settings, self.progress, forced=self.forced)

    def explain(self, precision: tuple[Precision, ...], in_bfloat16: frozenset[str]) -> None:
        """The maps of every image, and their metrics where they are wanted."""
        plan, stats = self.plan, self.stats
        reduced = confirmed(plan.reduced, precision)
        self.settings = replace(self.settings, reduced=reduced)
        self.making = replace(self.making, reduced=reduced, in_bfloat16=in_bfloat16)
        if self.engine is not None:
            self.engine.explain(self.making, self.writer, stats, self.progress)
            return
        assert self.settings.reference is not None  # a run's methods compare with a sample of its images
        forecaster = Forecaster(
            self.images,
            done=self.writer.done,
            measured=plan.measured,
            reference=self.settings.reference,
            monitor=self.monitor,
            later=later_stages(plan, self.network, self.maps.metrics, self.setup.inspection),
        )
        explain_images(self.making, self.settings, self.writer, stats, forecaster, self.progress)

    def randomize(self) -> Randomization:
        """Do maps change when the network forgets what it learned?"""
        budget, plan = self.maps.metrics, self.plan
        if budget is None:
            return Randomization()
        tasks = randomized_tasks(plan.dry_run, plan.classes, budget)
        measured = self._done(plan.measured)
        return randomization(self.subject, measured, tasks, budget, self.settings, self.progress)

    def test_maps(self) -> MapTests:
        """Do maps stay where they should, and change where they should?"""
        if (tests := self.plan.tests) is None:
            return MapTests()
        measured, training = self._done(self.plan.measured), self.network.model.training
        return run_map_tests(self.subject, measured, tests, training, self.settings, self.attempts, self.progress)

    def inspect(self) -> InspectionRecord | None:
        """What the layers hold."""
        inspection_plan, explained = self.setup.inspection, self._done()
        if inspection_plan is None or (len(self.images) and not len(explained)):
            return None
        return inspection(
            self.subject,
            explained,
            inspection_plan,
            1 if self.subject.one_by_one else self.plan.batch,
            self.seed,
            named_classes=self.maps.choice.named,
            set_pass=partial(survey_set, self.making, self.writer.done, self.engine, self.progress),
            monitor=self.monitor,
            writer=self.writer,
            progress=self.progress,
        )

    def follow_training(self) -> tuple[SnapshotSeries, ...]:
        """A few images over the epochs of the training."""
        training, dry_run = self.network.model.training, self.plan.dry_run
        return snapshots(self.subject, self._done(), training, dry_run, self.seed, self.writer, self.progress)

    def look_back(self) -> None:
        """What showed of the network and the files while the run went on."""
        self.monitor.close()
        notices = [*self.monitor.notices(), *replaced_notices(self.images, self.writer.done)]
        for notice in notices[:MOST_SKIPPED]:
            self.progress.warn(notice)
        self.stats.image_notices[:0] = notices

    def record(
        self,
        precision: tuple[Precision, ...],
        evaluation: Evaluation | None,
        inspected: InspectionRecord | None,
        series: tuple[SnapshotSeries, ...],
    ) -> RunRecord:
        """All that the run has brought, without its images."""
        setup, plan, writer, selection = self.setup, self.plan, self.writer, self.setup.selection
        training = self.network.model.training
        contents = [Content(item.name, item.fingerprint) for item in self.images]  # as they were last read
        return RunRecord(
            fingerprint=fingerprint(self.identity, contents),
            network=network_record(self.network),
            methods=method_records(self.maps.tasks),
            settings=settings_table(setup.config, () if self.maps.tasks else (Group.EXPLAIN,)),
            images=len(writer.done),
            skipped=tuple(self.stats.skipped),
            not_applicable=not_applicable_records(plan.dry_run),
            passes_per_image={"forward": plan.dry_run.forward, "backward": plan.dry_run.backward},
            provenance=provenance(self.subject.device, self.stats, setup, writer.seconds(), plan.batch),
            evaluation=evaluation,
            precision=precision,
            inspection=inspected,
            training=training.record if training else None,
            snapshots=series,
            in_training_set=count_in_training_set(self._done(), training),
            predictions=selection.predictions if selection else None,
            label_predictions=selection.label_predictions if selection else None,
            notices=(*setup.notices, *self.stats.notices),
            identity=self.identity,
        )

    def _done(self, ids: Collection[str] | None = None) -> ImageSet:
        """The images that are done, or those of them with these ids."""
        done = self.writer.done if ids is None else self.writer.done.intersection(ids)
        return replace(self.images, items=tuple(item for item in self.images if item.id in done))
