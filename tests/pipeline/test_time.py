"""Numbers about time, by a clock that goes on only when something is said to take time."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from cnnvis_report.cli.console import Console
from cnnvis_report.cli.ticker import Ticker
from cnnvis_report.engine.passes import PassClock, PassTimes
from cnnvis_report.methods.registry import method
from cnnvis_report.pipeline import run as running
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.forecast import Forecast
from cnnvis_report.pipeline.plan import plan_run
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor
from cnnvis_report.pipeline.setup import set_up
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.progress import Progress
from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.records.training import SnapshotSeries
from cnnvis_report.report.payload import provenance_slots
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.store import load_run
from tests.networks import Tiny, seeded


class Clock:
    """Seconds that pass: `pace` for an image forward and for one back to the pixels, in turns where there are more."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.now, self.forward, self.backward = 100.0, 1.0, 0.0

    def __call__(self) -> float:
        return self.now


CLOCK = Clock()


class Timed(Tiny):
    """Reading the image takes its time both ways."""

    size = 40

    def forward(self, x: Any) -> Any:
        CLOCK.now += len(x) * CLOCK.forward
        if x.requires_grad:
            x.register_hook(self.back)
        return super().forward(x)

    def back(self, signal: Any) -> None:
        CLOCK.now += len(signal) * CLOCK.backward


def timed() -> nn.Module:
    return seeded(Timed(5))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(time, "perf_counter", CLOCK)
    CLOCK.start()
    return CLOCK


class Forecasts(Progress):
    def __init__(self) -> None:
        self.told: list[tuple[float, Forecast]] = []
        self.busy: Iterator[float] = iter(())

    def expect(self, seconds: float, per_item: float) -> None:
        self.told.append((CLOCK.now, Forecast(seconds, per_item)))

    def done(self, item: str, *, in_steps: bool = False) -> None:
        CLOCK.forward = next(self.busy, CLOCK.forward)


def run(drawn: Path, folder: Any, *methods: Any, progress: Any = None, before: Any = lambda: None, **given: Any) -> Any:
    """The plan and the stats of a run over the six pictures, without passes that compare."""
    given = {"metrics": "none", "inspect": "none", "batch_size": 2, "device": "cpu"} | given
    setup = set_up(RunConfig.of("tests.pipeline.test_time:timed", images=(drawn,), methods=methods, **given))
    checks = replace(setup.network.checks, monitor=PassMonitor(setup.network.subject))
    setup = replace(setup, network=replace(setup.network, checks=checks))
    plan = plan_run(setup)
    before()
    return plan, running.run(setup, plan, folder, progress or Forecasts())[1]


# --- the bound


def test_a_busy_machine_while_the_run_is_planned_makes_no_bound(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    clock.forward = 10.0

    def calm() -> None:
        clock.forward = 1.0

    plan, stats = run(drawn, tmp_path / "r", "occlusion", "saliency", before=calm)
    assert plan.time.forward == pytest.approx(10)
    assert stats.ideal_seconds == pytest.approx(stats.seconds), "all the time went into passes as short as the shortest"
    assert stats.ideal_seconds == pytest.approx(stats.computed * plan.dry_run.forward)


def test_a_busy_machine_during_the_run_shows_against_the_bound(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    progress = Forecasts()
    progress.busy = iter([1.0, 3.0, 3.0, 3.0, 3.0])  # from the second batch on
    plan, stats = run(drawn, tmp_path / "r", "occlusion", progress=progress)
    passes = plan.dry_run.forward
    assert stats.ideal_seconds == pytest.approx(6 * passes)
    assert stats.seconds == pytest.approx((2 + 4 * 3) * passes)


def test_passes_that_stop_at_a_layer_are_not_counted_as_whole_ones(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    clock.backward = 5.0
    plan, stats = run(drawn, tmp_path / "r", "grad_cam")
    assert plan.dry_run.backward == 3 and plan.time.backward == pytest.approx(5)
    assert stats.seconds == pytest.approx(6) and stats.ideal_seconds == pytest.approx(6)
    _, stats = run(drawn, tmp_path / "s", "gradient", "deconvnet")
    assert stats.ideal_seconds == stats.seconds == pytest.approx(6 * (1 + 6 * 5))
    _, stats = run(drawn, tmp_path / "t", "grad_cam", "deconvnet")
    assert stats.ideal_seconds == stats.seconds == pytest.approx(6 * (1 + 3 * 5)), "short ones aren't whole ones"


def test_a_pass_within_a_pass_is_counted_once(clock: Clock) -> None:
    timer = PassClock(torch.device("cpu"))
    with timer.timing("outer", 1.0):
        clock.now += 1
        with timer.timing("inner", 2.0):
            clock.now += 4
    with pytest.raises(ValueError), timer.timing("inner", 1.0):
        clock.now += 0.1
        raise ValueError
    assert timer.times() == PassTimes({"inner": 2.0}, {"inner": 4.0}, {"inner": 2.0})
    assert timer.times().bound == 4.0


def test_passes_that_compare_are_no_part_of_what_an_image_takes(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    progress = Forecasts()
    given = {"images": (drawn,), "batch_size": 2, "metrics": "none", "inspect": "none", "device": "cpu"}
    setup = set_up(RunConfig.of("tests.pipeline.test_time:timed", methods=("saliency",), **given))
    stats = running.run(setup, plan_run(setup), tmp_path / "r", progress)[1]
    assert setup.network.checks.monitor.seconds == pytest.approx(2), "one in each batch, beside the example"
    assert stats.seconds == stats.ideal_seconds == pytest.approx(6)
    ((_, forecast),) = progress.told
    assert forecast.an_image == pytest.approx(1) and forecast.left == pytest.approx(4)


# --- the forecast


@pytest.fixture
def thoughtful() -> None:
    """A method that takes 7 seconds an image without any pass, as superpixels do."""

    @method(title="T", family="f", source="no source", sign=Sign.POSITIVE, kind=Kind.PIXEL)
    def thoughtful(tape: Any, targets: Any) -> Any:
        """It thinks."""
        if type(tape).__name__ == "Tape":
            CLOCK.now += 7.0 * len(targets) / 3  # it is called for each of three classes
        return torch.ones_like(tape.images)


def test_what_is_no_pass_is_forecast_after_the_first_batch(
    clock: Clock, thoughtful: Any, drawn: Path, tmp_path: Path
) -> None:
    progress = Forecasts()
    plan, stats = run(drawn, tmp_path / "r", "thoughtful", "gradient", progress=progress)
    ((told, forecast),) = progress.told
    assert plan.seconds == pytest.approx(plan.images), "the plan knows of passes alone"
    assert forecast.an_image == pytest.approx(8)
    assert forecast.left == pytest.approx(clock.now - told) == pytest.approx(4 * 8)
    assert stats.seconds == pytest.approx(6 * 8)


def test_what_is_done_once_is_not_forecast_for_every_image(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    progress = Forecasts()
    run(drawn, tmp_path / "r", "pattern_net", progress=progress)
    ((told, forecast),) = progress.told
    assert forecast.an_image == pytest.approx(1), "six passes for the patterns are behind it"
    assert forecast.left == pytest.approx(clock.now - told) == pytest.approx(4)


def test_a_run_that_goes_on_forecasts_what_is_left(clock: Clock, thoughtful: Any, drawn: Path, tmp_path: Path) -> None:
    class Stop(Forecasts):
        def done(self, item: str, *, in_steps: bool = False) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(drawn, tmp_path / "r", "thoughtful", progress=Stop())
    progress = Forecasts()
    run(drawn, tmp_path / "r", "thoughtful", progress=progress)
    ((told, forecast),) = progress.told
    assert forecast.left == pytest.approx(clock.now - told) == pytest.approx(2 * 8)


@pytest.mark.parametrize(
    ("methods", "stages"),
    [
        (("gradient", "grad_cam"), {"metrics": "quick"}),  # most of the time goes into what follows the maps
        (("gradient", "pattern_attribution"), {"metrics": "full"}),
        (("gradient",), {"inspect": "standard"}),
        (("thoughtful", "occlusion", "smoothgrad", "lrp_composite"), {"metrics": "quick", "inspect": "standard"}),
    ],
)
def test_the_forecast_of_all_stages_is_within_half(
    clock: Clock, thoughtful: Any, drawn: Path, tmp_path: Path, methods: Any, stages: Any
) -> None:
    clock.backward = 2.0
    progress = Forecasts()
    run(drawn, tmp_path / "r", *methods, progress=progress, **stages)
    told, forecast = progress.told[0]
    needed = clock.now - told
    assert needed / 1.5 < forecast.left < needed * 1.5, (needed, forecast.left)


def test_a_forecast_that_was_wrong_is_said_again(clock: Clock, drawn: Path, tmp_path: Path) -> None:
    progress = Forecasts()
    progress.busy = iter([1.0, 4.0])  # from the second batch on
    run(drawn, tmp_path / "r", "occlusion", progress=progress)
    assert len(progress.told) == 2
    steady = Forecasts()
    run(drawn, tmp_path / "s", "occlusion", progress=steady)
    assert len(steady.told) == 1


# --- lines of progress


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
    said = told()
    assert said.startswith(
        "Inspect   0.3 s for layers and units\nExplain   3.0 s for 2 images: 1.50 × the theoretical minimum, 2.0 s"
    )
    assert "grad_cam 1.5 s" in said and "cam 0.05 s" in said and "random" not in said
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
