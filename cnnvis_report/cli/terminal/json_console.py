"""What a run says where a program reads it: one JSON object per line, on the standard error stream."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from cnnvis_report.cli.terminal.console import Console
from cnnvis_report.cli.terminal.json_line import json_line
from cnnvis_report.cli.terminal.run_lines import prediction_line
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.write import Written

if TYPE_CHECKING:
    from cnnvis_report.pipeline.planning.efforts import PlannedRun
    from cnnvis_report.pipeline.stages.predict import Selection
    from cnnvis_report.pipeline.stats import RunStats

EVERY = 1.0  # seconds between two lines of progress


class JsonConsole(Console):
    """Writes events: plan, progress, estimate, warning, changed, prediction, cost, pages, message.

    Args:
        clock: seconds that pass.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock=clock)
        self._part, self._total, self._amount, self._items, self._last = "", 0, 0.0, 0, 0.0

    def say(self, text: str = "") -> None:
        """A line that is no event of its own, such as one of a training."""
        if text.strip():
            self._write("message", text=" ".join(text.split()))

    def interject(self, text: str) -> None:
        """The same while work goes on."""
        self.say(text)

    def plan(self, planned: "PlannedRun") -> None:
        """What will run."""
        setup, plan = planned.setup, planned.plan
        subject, dry_run = setup.network.subject, plan.dry_run
        self._write(
            "plan",
            model=subject.name,
            opened_as=setup.network.model.loader,
            parameters=subject.parameters,
            classes=len(subject.classes),
            device=str(subject.device),
            images=plan.images,
            batch_size=plan.batch,
            preprocessing=subject.preprocessing.describe(),
            methods=list(dict.fromkeys(task.name for task in dry_run.tasks)),
            not_applicable={task.name: reason for task, reason in dry_run.not_applicable},
            forward_passes=dry_run.forward,
            backward_passes=dry_run.backward,
            effort=planned.effort,
            seconds=round(plan.whole, 3),
            seconds_by_effort={effort: round(seconds, 3) for effort, seconds in planned.seconds.items()},
            bytes=plan.bytes,
            notices=list(setup.notices),
        )

    @contextmanager
    def progress(self, label: str, total: int) -> Iterator[None]:
        """A part of the work, from its beginning to its end."""
        self._part, self._total, self._amount, self._items = label.lower(), total, 0.0, 0
        self._progress_line("")
        yield
        self._amount = float(total)
        self._progress_line("")

    def step(self, what: str, items: float = 0.0) -> None:
        """Part of an item is done."""
        self._go_on(items, what)

    def done(self, item: str, *, in_steps: bool = False) -> None:
        """An item is done."""
        self._items += 1
        self._go_on(0.0 if in_steps else 1.0, item)

    def expect(self, seconds: float, per_item: float) -> None:
        """How long the work still takes."""
        self._write("estimate", seconds_left=round(seconds, 1), seconds_per_item=round(per_item, 3))

    def changed(self, parts: Sequence[str]) -> None:
        """Why nothing of what the folder held is kept."""
        self._write("changed", parts=list(parts))

    def warn(self, message: str, error: Exception | None = None) -> None:
        """A warning."""
        self._write("warning", message=message)

    def predicted(self, selection: "Selection", images: int) -> None:
        """How the whole set was predicted."""
        line = prediction_line(selection, images)
        if line is not None:
            self._write("prediction", text=" ".join(line.split()[1:]))

    def bill(self, run: RunRecord, stats: "RunStats") -> None:
        """Where the time went."""
        self._write(
            "cost",
            images=stats.computed,
            seconds=round(stats.seconds, 3),
            ideal_seconds=round(stats.ideal_seconds, 3),
            metrics_seconds=round(stats.metrics_seconds, 3),
            inspection_seconds=round(stats.inspection_seconds, 3),
            seconds_by_method=run.provenance.get("seconds_by_method", {}),
        )

    def pages(self, written: Written) -> None:
        """How large the pages are."""
        self._write("pages", first_page=str(written.first_page), bytes=written.bytes, error=written.quality.error)

    def _go_on(self, amount: float, item: str) -> None:
        self._amount += amount
        if self._clock() - self._last >= EVERY:
            self._progress_line(item)

    def _progress_line(self, item: str) -> None:
        self._last = self._clock()
        share = min(1.0, self._amount / self._total) if self._total else 1.0
        self._write("progress", part=self._part, share=round(share, 4), items=self._items, total=self._total, item=item)

    def _write(self, event: str, **fields: object) -> None:
        click.echo(json_line(event, **fields), err=True)
