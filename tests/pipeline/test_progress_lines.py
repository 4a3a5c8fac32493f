"""Lines of progress, and what is said of the cost in the end."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cnnvis_report.cli.terminal.console import Console
from cnnvis_report.cli.terminal.progress import Ticker
from cnnvis_report.engine.passes import PassTimes
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.records.training import SnapshotSeries
from cnnvis_report.report.payload import provenance_slots
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.store import load_run
from tests.pipeline.clock import CLOCK, Clock


class ByHand(Ticker):
    """A ticker that strikes when it is told to."""

    strike: Callable[[], None]

    def __init__(self) -> None:
        super().__init__(3600.0)

    @contextmanager
    def striking(self, stroke: Callable[[], None]) -> Iterator[None]:
        self.strike = stroke
        yield
        del self.strike


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was written to the standard error stream since the last time."""
    return lambda: capsys.readouterr().err.replace("\u202f", " ")


def test_a_line_of_progress_where_no_bar_can_be_drawn(clock: Clock, told: Callable[[], str]) -> None:
    ticker = ByHand()
    console = Console(clock=clock, ticker=ticker)
    with console.progress("Explain", 8):
        clock.now += 30
        ticker.strike()
        assert told() == "Explain   0 of 8, 30 s so far\n"
        console.step("gradient", 4 * 0.01)
        ticker.strike()
        assert told() == "Explain   0 of 8, 30 s so far; gradient\n"  # no hours, of a hundredth
        console.step("grad_cam", 4 * 0.49)
        ticker.strike()
        assert told() == "Explain   0 of 8, about 1 min 30 s left; grad_cam\n"
        console.step("occlusion", 4 * 0.5)
        for name in "abcd":
            console.done(name, in_steps=True)
        clock.now += 10
        ticker.strike()
        assert told() == "Explain   4 of 8, 0.1 per second, about 40 s left; d\n"
    assert not hasattr(ticker, "strike")
    with Console(level=-1, ticker=ticker).progress("Explain", 8):
        assert not hasattr(ticker, "strike"), "quiet is quiet"


def test_a_forecast_is_said_and_kept_to(clock: Clock, told: Callable[[], str]) -> None:
    ticker = ByHand()
    console = Console(clock=clock, ticker=ticker)
    with console.progress("Explain", 8):
        clock.now += 20
        console.expect(100.0, 3.1)
        assert told() == "Estimate  about 2 min 0 s in all, pages included, 1 min 40 s remaining; 3.1 s per image\n"
        clock.now += 30
        ticker.strike()
        assert "about 1 min 10 s left" in told()
        console.expect(10.0, 0.04)
        assert told() == "Estimate  about 1 min 0 s in all, pages included, 10 s remaining\n"


def test_the_bill_has_no_figure_that_says_nothing(told: Callable[[], str], report: Path) -> None:
    """No ratio of a moment, no methods of 0.0 s, and nothing of an inside that nobody looked at."""
    run = load_run(report).record
    costs = {"grad_cam": 1.5, "cam": 0.05, "random": 0.04}
    long = replace(run, provenance=run.provenance | {"seconds_by_method": costs})
    short = replace(
        run, inspection=None, snapshots=(), evaluation=None, provenance={"seconds_by_method": {"cam": 0.04}}
    )
    passes = PassTimes()
    passes.add("forward", 2, 2.0)
    stats = RunStats(computed=2, seconds=3.0, inspection_seconds=0.3, passes=passes)
    Console().bill(long, stats)
    bill = told()
    assert bill.startswith(
        "Inspect   0.3 s for layers and units\nExplain   3.0 s for 2 images: 1.50 × the theoretical minimum, 2.0 s"
    )
    assert "grad_cam 1.5 s" in bill and "cam 0.050 s" in bill and "random" not in bill
    Console().bill(short, replace(stats, seconds=0.2, inspection_seconds=1e-4))
    assert told() == "Explain   0.2 s for 2 images\n"
    Console().bill(replace(short, snapshots=(SnapshotSeries("1", "ring", 2, (), ()),)), stats)
    assert told().startswith("Snapshots 0.3 s for images over the epochs\n"), "nobody looked inside"
    Console().bill(replace(long, images=3), stats)
    assert "\nall 3 images, earlier starts included:\ngrad_cam" in re.sub(" *\n +", "\n", told())
    slots = provenance_slots(replace(run, images=3, provenance={"device": "CPU", "images_computed": 2}))
    assert slots["took-detail"] == f"CPU · for 2 of {fmt.count(3, 'image')}"
    slots = provenance_slots(replace(run, provenance={"seconds": 0.2, "ideal_seconds": 0.1, "device": "CPU"}))
    assert slots["took-detail"] == "CPU"
    slots = provenance_slots(replace(run, provenance={"seconds": 3.0, "ideal_seconds": 2.0, "device": "CPU"}))
    assert slots["took-detail"] == "1.50 × the theoretical minimum · CPU"


def test_every_progress_has_its_lines(drawn: Path, tmp_path: Path, told: Callable[[], str]) -> None:
    """Also where nobody looks at single images: a line needs no event to be due."""
    ticker = ByHand()
    console = Console(clock=CLOCK, ticker=ticker)
    for label in ("Look", "Pages", "Train", "Draw", "Read"):
        with console.progress(label, 3):
            console.done("one")
            ticker.strike()
            assert told().startswith(f"{label:<9} 1 of 3, ")


def test_a_ticker_strikes_while_it_is_open() -> None:
    struck, enough = [], threading.Event()

    def stroke() -> None:
        struck.append(threading.current_thread())
        if len(struck) >= 3:
            enough.set()

    with Ticker(0.0).striking(stroke):
        assert enough.wait(60)
    count = len(struck)
    assert struck[0] is not threading.current_thread() and not struck[0].is_alive()
    assert len(struck) == count
    with Ticker(3600.0).striking(stroke):
        pass
    assert len(struck) == count, "no stroke at the start, and none is waited for at the end"
