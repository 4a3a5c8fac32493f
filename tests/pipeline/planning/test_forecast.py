"""How long a run is said to take still, by a clock that goes on only in passes."""

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.clock import Clock, Forecasts, run


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
        pytest.param(("gradient", "pattern_attribution"), {"metrics": "full"}, marks=pytest.mark.exhaustive),
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
