"""What a run says on the terminal: the plan before, progress meanwhile, the bill after."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from cnnvis_report.cli.params import printable
from cnnvis_report.cli.progress import Progress as BarState
from cnnvis_report.cli.ticker import Ticker
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.setup import Setup
from cnnvis_report.pipeline.stages.predict import Selection
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.time_estimate import pages_seconds
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.write import Written

QUIET, NORMAL, VERBOSE = -1, 0, 1
LISTED = 4  # things that have changed
UNITS = 1000  # of a progress bar, for each image
TOLD = 0.05  # seconds that are worth a word: less reads as 0.0 s
EVERY = 30.0  # seconds between two lines of progress where no bar can be drawn


class Console(Progress):
    """Writes to the standard error stream, so that the standard output holds the result alone.

    Args:
        level: QUIET says only what went wrong, VERBOSE adds tracebacks of methods that failed.
        clock: seconds that pass. ticker: when a line of progress is due where no bar can be drawn.
    """

    def __init__(
        self, level: int = NORMAL, clock: Callable[[], float] = time.monotonic, ticker: Ticker | None = None
    ) -> None:
        self.level = level
        self._clock, self._ticker = clock, ticker or Ticker(EVERY)
        self._bar: Any = None
        self._progress: BarState | None = None
        self._pages = 0.0

    def say(self, text: str = "") -> None:
        """A line, unless the user wants quiet."""
        if self.level > QUIET:
            click.echo(text, err=True)

    def plan(self, setup: Setup, plan: Plan) -> None:
        """What will run, how many passes, how long, how much."""
        subject, dry_run = setup.subject, plan.dry_run
        size = fmt.short(subject.parameters)
        kind = subject.meaning.kind
        outputs, each = fmt.columns(len(subject.classes), kind), fmt.columns(plan.classes, kind)
        self.say(f"Plan      {subject.name}, {size} parameters, {outputs}, on {subject.device}")
        self.say(f"          {fmt.count(plan.images, 'image')}, {plan.batch} at a time, {each} each")
        if plan.images and kind.judged:
            self.say(f"          labels: {_labels(setup.images)}")
        self.say(f"          pictures: {subject.preprocessing.describe()}")
        self.say(f"          scores: {subject.meaning.kind}, {printable(subject.meaning.reason)}")
        if subject.scores != "logits":
            self.say(f"          explained: {subject.scores}")
        for notice in setup.notices:
            self.say(f"          note: {printable(notice)}")
        names = list(dict.fromkeys(task.name for task in dry_run.tasks))
        if names:
            self.say(f"          {fmt.count(len(names), 'method')}: {', '.join(names)}")
        if dry_run.layers:
            self.say(f"          layers read: {', '.join(dry_run.layers)}")
        for task, reason in dry_run.not_applicable:
            self.say(f"          not applicable: {task.name} ({reason})")
        if plan.reduced:
            rough = ", ".join(dict.fromkeys(task.name for task in plan.reduced))
            order = "" if setup.config.explain.precision == "bfloat16" else ", where that keeps the order of the pixels"
            self.say(f"          in bfloat16{order}: {rough}")
        maps = [(task.method.info, shape) for task, shape in zip(dry_run.tasks, dry_run.shapes, strict=True)]
        self._pages = pages_seconds(maps, plan.images, plan.classes)
        self.say(
            f"          {fmt.number(dry_run.forward)} forward and {fmt.number(dry_run.backward)} backward "
            f"passes an image; about {fmt.duration(plan.seconds)} and {fmt.size(plan.bytes)} of arrays"
        )
        if setup.inspection is not None:
            budget = setup.inspection.budget
            seconds = plan.time.of(*budget.passes(plan.images, len(subject.classes)))
            self.say(f"          inspection, {budget.name}: about {fmt.duration(seconds)} more")

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[None]:
        """A bar with what is done, the rate and the time left; lines of it where no terminal shows a bar."""
        if self.level == QUIET:
            yield
            return
        self._progress = BarState(label, total, self._clock)
        try:
            with self._shown(self._progress):
                yield
        finally:
            self._bar = self._progress = None

    @contextmanager
    def _shown(self, progress: BarState) -> Iterator[None]:
        if not sys.stderr.isatty():
            with self._ticker.striking(lambda: self.say(progress.line())):
                yield
            return
        bar: Any = click.progressbar(
            length=progress.total * UNITS,
            label=f"{progress.label:<9}",
            file=sys.stderr,
            item_show_func=lambda item: item,
        )
        with bar as self._bar:
            yield
            bar.update(bar.length - bar.pos)

    def step(self, what: str, items: float = 0.0) -> None:
        """Part of the work is done, or begins."""
        self._move(items, what)

    def done(self, item: str, *, in_steps: bool = False) -> None:
        """One more item is done; where its steps have been told of, the bar is there already."""
        self._move(0.0 if in_steps else 1.0, item, done=1)

    def expect(self, seconds: float, per_item: float) -> None:
        """How long the run will take, now that some of it is done."""
        if self._progress is None:
            return
        left = seconds + self._pages
        spent = self._progress.expect(left)
        each = f"; {fmt.duration(per_item)} an image" if per_item >= TOLD else ""
        self.interject(
            f"Now       about {fmt.duration(spent + left)} in all, pages included, {fmt.duration(left)} of it to "
            f"come{each}"
        )

    def _move(self, amount: float, item: str, done: int = 0) -> None:
        if self._progress is None:
            return
        self._progress.move(amount, printable(item)[:40], done)
        if self._bar is not None:
            step = max(0, min(int(self._progress.amount * UNITS), self._bar.length) - self._bar.pos)
            self._bar.update(step, self._progress.state())

    def interject(self, text: str) -> None:
        """A line while a bar is shown."""
        if self._bar is not None:
            click.echo("\r\033[K", nl=False, err=True)
        self.say(text)

    def changed(self, parts: Sequence[str]) -> None:
        """Why nothing of what the folder held is kept."""
        self.interject(f"Changed   since the run in the folder: {_listed(parts)}; everything is made anew")

    def warn(self, message: str, error: Exception | None = None) -> None:
        """A warning on a line of its own, in quiet runs too."""
        if self._bar is not None:
            click.echo("\r\033[K", nl=False, err=True)
        click.echo(f"Warning: {printable(message)}", err=True)
        if error is not None and self.level >= VERBOSE:
            click.echo("".join(traceback.format_exception(error)), err=True)

    def bill(self, run: RunRecord, stats: RunStats) -> None:
        """Where the time went, beside what it should have taken."""
        if not stats.computed and not stats.inspection_seconds:
            skipped = f", but for {fmt.count(len(run.skipped), 'skipped file')}" if run.skipped else ""
            self.say(f"          every image was there already{skipped}; only the pages are written again")
            return
        spent = run.provenance.get("seconds_by_method")
        costs = sorted(spent.items(), key=lambda each: -each[1]) if isinstance(spent, dict) else []
        costs = [each for each in costs if each[1] >= TOLD]
        looked = fmt.duration(stats.inspection_seconds)
        if run.inspection is not None:
            self.say(f"Inspected {looked} on what the layers hold{', snapshots included' if run.snapshots else ''}")
        elif run.snapshots:
            self.say(f"Snapshots {looked} on images over the epochs")
        if not stats.computed:
            return
        share = fmt.of_the_bound(stats.seconds, stats.ideal_seconds)
        self.say(
            f"Took      {fmt.duration(stats.seconds)} for {fmt.count(stats.computed, 'image')}"
            + (f": {share}, {fmt.duration(stats.ideal_seconds)} of passes at their best" if share else "")
        )
        if run.evaluation is not None:
            self.say(f"          and {fmt.duration(stats.metrics_seconds)} on metrics")
        if costs and stats.computed < run.images:
            self.say(f"          all {fmt.number(run.images)} images, earlier starts included:")
        for start in range(0, len(costs), 4):
            row = [f"{name} {fmt.duration(seconds)}" for name, seconds in costs[start : start + 4]]
            self.say("          " + "".join(f"{each:<31}" for each in row).rstrip())

    def predicted(self, selection: Selection, images: int) -> None:
        """How many of all images are classified correctly, and how many of them will be explained."""
        answers, labels = selection.predictions, selection.label_predictions
        if answers is not None:
            correct, unknown = f"{answers.correct} of {answers.images} labeled images correctly", answers.unknown
        elif labels is not None:
            correct = f"{labels.exact} of {labels.images} labeled images with exactly their labels"
            unknown = labels.unknown
        else:
            return
        beside = f", {unknown} with a label that the network doesn't know" if unknown else ""
        self.say(f"Predicted {fmt.count(images, 'image')}: {correct}{beside}; {len(selection.images)} to be explained")

    def pages(self, written: Written) -> None:
        """How large the pages are, and what was lost to make them small."""
        size = fmt.size(written.bytes)
        quality = written.quality
        if quality.halved:
            self.say(f"Pages     {size}; pixel maps averaged over 2×2, in {quality.bits} bits, to keep one file small")
        else:
            self.say(f"Pages     {size}; pixel maps to within {fmt.percent(quality.error)} of their largest value")


def _listed(changed: Sequence[str]) -> str:
    more = [f"{len(changed) - LISTED} more"] if len(changed) > LISTED else []
    return printable(", ".join([*changed[:LISTED], *more]))


def _labels(images: ImageSet) -> str:
    """How many images have one that the network knows; where none has, how to give them."""
    known = sum(any(label.index is not None for label in item.labels) for item in images)
    if known:
        return f"of {fmt.number(known)} of {fmt.count(len(images), 'image')}"
    return "none known; sub-folders called like classes, --labels folders, or a .txt, .csv or .tsv list give them"
