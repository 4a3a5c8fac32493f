"""What a run says on the terminal: the plan before, progress meanwhile, the bill after."""

import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from cnnvis_report.cli.terminal.progress import Progress as BarState
from cnnvis_report.cli.terminal.progress import Ticker
from cnnvis_report.cli.terminal.run_lines import NOTABLE, about, cost_lines, plan_lines, prediction_line
from cnnvis_report.errors import printable
from cnnvis_report.progress import Progress
from cnnvis_report.records.run import RunRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.write import Written

if TYPE_CHECKING:
    from cnnvis_report.pipeline.planning.efforts import PlannedRun
    from cnnvis_report.pipeline.stages.predict import Selection
    from cnnvis_report.pipeline.stats import RunStats

QUIET, NORMAL, VERBOSE = -1, 0, 1
LISTED = 4  # things that have changed
UNITS = 1000  # of a progress bar, for each image
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

    def plan(self, planned: "PlannedRun") -> None:
        """What will run, how many passes, how long, how much."""
        self._pages = planned.plan.pages
        for line in plan_lines(planned):
            self.say(line)

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
        per_image = f"; {fmt.duration(per_item)} per image" if per_item >= NOTABLE else ""
        self.interject(
            f"Estimate  {about(spent + left)} in all, pages included, {fmt.duration(left)} remaining{per_image}"
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
        self.interject(f"Changed   since the run in this folder: {listed(parts)}; the run starts over")

    def warn(self, message: str, error: Exception | None = None) -> None:
        """A warning on a line of its own, in quiet runs too."""
        if self._bar is not None:
            click.echo("\r\033[K", nl=False, err=True)
        click.echo(f"Warning: {printable(message)}", err=True)
        if error is not None and self.level >= VERBOSE:
            click.echo("".join(traceback.format_exception(error)), err=True)

    def bill(self, run: RunRecord, stats: "RunStats") -> None:
        """Where the time went, beside what it should have taken."""
        for line in cost_lines(run, stats):
            self.say(line)

    def predicted(self, selection: "Selection", images: int) -> None:
        """How many of all images are classified correctly, and how many of them will be explained."""
        line = prediction_line(selection, images)
        if line is not None:
            self.say(line)

    def pages(self, written: Written) -> None:
        """How large the pages are, and what was lost to make them small."""
        size = fmt.size(written.bytes)
        quality = written.quality
        if quality.halved:
            steps = f"in {quality.steps} steps from zero to their largest value"
            self.say(f"Pages     {size}; pixel maps averaged over 2×2, {steps}, to keep one file small")
        else:
            self.say(f"Pages     {size}; pixel maps accurate to {fmt.percent(quality.error)} of their largest value")
        if quality.left_out:
            self.say(f"          maps left out to keep one file small: {', '.join(quality.left_out)}")
        if written.sample:
            self.say(f"          {written.sample}")


def listed(changed: Sequence[str], most: int = LISTED) -> str:
    """The first of what has changed, and how many more there are."""
    more = [f"{len(changed) - most} more"] if len(changed) > most else []
    return printable(", ".join([*changed[:most], *more]))
