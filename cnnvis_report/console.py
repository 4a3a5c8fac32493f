"""What a run says on the terminal: the plan before, progress meanwhile, the bill after."""

import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from cnnvis_report.commandline import printable
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.run import Tally, Watcher
from cnnvis_report.pipeline.study import Study
from cnnvis_report.records import RunRecord
from cnnvis_report.report import words
from cnnvis_report.report.site import Written

QUIET, NORMAL, VERBOSE = -1, 0, 1
LISTED = 4  # things that have changed
UNITS = 1000  # of a progress bar, for each image


class Console(Watcher):
    """Writes to the standard error stream, so that the standard output holds the result alone.

    Args:
        level: QUIET says only what went wrong, VERBOSE adds tracebacks of methods that failed.
    """

    def __init__(self, level: int = NORMAL) -> None:
        self.level = level
        self._bar: Any = None
        self._done, self._total, self._start, self._left_over = 0, 0, 0.0, 0.0

    def say(self, text: str = "") -> None:
        """A line, unless the user wants quiet."""
        if self.level > QUIET:
            click.echo(text, err=True)

    def plan(self, study: Study, plan: Plan) -> None:
        """What will run, how many passes, how long, how much."""
        subject, rehearsed = study.subject, plan.rehearsed
        size = words.short(subject.parameters)
        kind = subject.meaning.kind
        outputs, each = words.columns(len(subject.classes), kind), words.columns(plan.classes, kind)
        self.say(f"Plan      {subject.name}, {size} parameters, {outputs}, on {study.device}")
        self.say(f"          {words.count(plan.images, 'image')}, {plan.batch} at a time, {each} each")
        self.say(f"          pictures: {subject.preprocessing.describe()}")
        self.say(f"          scores: {subject.meaning.kind}, {printable(subject.meaning.reason)}")
        if subject.scores != "logits":
            self.say(f"          explained: {subject.scores}")
        for notice in study.notices:
            self.say(f"          note: {printable(notice)}")
        names = list(dict.fromkeys(task.name for task in rehearsed.tasks))
        if names:
            self.say(f"          {words.count(len(names), 'method')}: {', '.join(names)}")
        if rehearsed.layers:
            self.say(f"          layers read: {', '.join(rehearsed.layers)}")
        for task, reason in rehearsed.refused:
            self.say(f"          not defined: {task.name} ({reason})")
        if plan.reduced:
            rough = ", ".join(dict.fromkeys(task.name for task in plan.reduced))
            order = "" if study.precision == "bfloat16" else ", where that keeps the order of the pixels"
            self.say(f"          in bfloat16{order}: {rough}")
        self.say(
            f"          {words.number(rehearsed.forward)} forward and {words.number(rehearsed.backward)} backward "
            f"passes an image; about {words.duration(plan.seconds)} and {words.size(plan.bytes)} of arrays"
        )
        if study.look is not None:
            inside = plan.time.of(*study.look.passes(plan.images, len(subject.classes)))
            self.say(f"          inside the network, {study.look.name} views: about {words.duration(inside)} more")

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[None]:
        """A bar with what is done, the rate and the time left; nothing where nobody watches."""
        if self.level == QUIET or not sys.stderr.isatty():
            yield
            return
        self._done, self._total, self._start = 0, total, time.monotonic()
        bar: Any = click.progressbar(
            length=total * UNITS,
            label=f"{label:<9}",
            file=sys.stderr,
            item_show_func=lambda item: item,
        )
        with bar as self._bar:
            yield
            bar.update(bar.length - bar.pos)
        self._bar = None

    def advance(self, item: str, whole: bool = True) -> None:
        """One more is done; `whole` where nothing has told of parts of it."""
        self._done += 1
        self._move(UNITS if whole else 0, item)

    def task_done(self, method: str, images: int, share: float) -> None:
        """A part of some images is done."""
        self._move(images * share * UNITS, method)

    def image_done(self, name: str, already: bool) -> None:
        """One more image; its parts have been told of, unless it was done in an earlier start."""
        self.advance(name, whole=already)

    def _move(self, units: float, item: str) -> None:
        if self._bar is None:
            return
        self._left_over += units
        step = min(int(self._left_over), self._bar.length - self._bar.pos)
        self._left_over -= int(self._left_over)
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        pace = f"  {rate:.1f}/s" if self._done else ""
        self._bar.update(step, f"{self._done}/{self._total}{pace}  {printable(item)[:40]}")

    def interject(self, text: str) -> None:
        """A line while a bar is shown."""
        if self._bar is not None:
            click.echo("\r\033[K", nl=False, err=True)
        self.say(text)

    def anew(self, changed: Sequence[str]) -> None:
        """Why nothing of what the folder held is kept."""
        self.interject(f"Changed   since the run in the folder: {_listed(changed)}; everything is made anew")

    def trouble(self, message: str, error: Exception | None = None) -> None:
        """A warning on a line of its own, in quiet runs too."""
        if self._bar is not None:
            click.echo("\r\033[K", nl=False, err=True)
        click.echo(f"Warning: {printable(message)}", err=True)
        if error is not None and self.level >= VERBOSE:
            click.echo("".join(traceback.format_exception(error)), err=True)

    def bill(self, run: RunRecord, tally: Tally) -> None:
        """Where the time went, beside what it should have taken."""
        if not tally.computed and not tally.looking:
            self.say("          every image was there already; only the pages are written again")
            return
        spent = run.provenance.get("seconds_by_method")
        costs = sorted(spent.items(), key=lambda each: -each[1]) if isinstance(spent, dict) else []
        if tally.looking:
            self.say(f"Inside    {words.duration(tally.looking)} on what the layers hold")
        if not tally.computed:
            return
        self.say(
            f"Took      {words.duration(tally.seconds)} for {words.count(tally.computed, 'image')}: "
            f"{tally.seconds / tally.bound:.2f} of the bound, {words.duration(tally.bound)} of passes"
        )
        if run.evaluation is not None:
            self.say(f"          and {words.duration(tally.measuring)} on what the maps are worth")
        for start in range(0, len(costs), 4):
            row = [f"{name} {words.duration(seconds)}" for name, seconds in costs[start : start + 4]]
            self.say("          " + "".join(f"{each:<31}" for each in row).rstrip())

    def pages(self, written: Written) -> None:
        """How large the pages are, and what was lost to make them small."""
        size = words.size(written.bytes)
        quality = written.quality
        if quality.halved:
            self.say(f"Pages     {size}; pixel maps averaged over 2×2, in {quality.bits} bits, to keep one file small")
        else:
            self.say(f"Pages     {size}; pixel maps to within {words.percent(quality.error)} of their largest value")


def _listed(changed: Sequence[str]) -> str:
    more = [f"{len(changed) - LISTED} more"] if len(changed) > LISTED else []
    return printable(", ".join([*changed[:LISTED], *more]))


def _classes(plan: Plan) -> str:
    return words.count(plan.classes, "class", "classes")
