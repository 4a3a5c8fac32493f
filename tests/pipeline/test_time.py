"""The bound of the time of a run, by a clock that goes on only in passes."""

from pathlib import Path

import pytest
import torch

from cnnvis_report.engine.passes import PassClock, PassTimes
from cnnvis_report.pipeline import run as running
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.planning.plan import plan_setups
from cnnvis_report.pipeline.setup import set_up
from tests.pipeline.clock import Clock, Forecasts, run


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
    setup = set_up(RunConfig.of("tests.pipeline.clock:timed", methods=("saliency",), **given))
    stats = running.run(setup, plan_setups([setup], lambda *_: 0.0)[0], tmp_path / "r", progress)[1]
    assert setup.network.checks.monitor.seconds == pytest.approx(2), "one in each batch, beside the example"
    assert stats.seconds == stats.ideal_seconds == pytest.approx(6)
    ((_, forecast),) = progress.told
    assert forecast.an_image == pytest.approx(1) and forecast.left == pytest.approx(4)
