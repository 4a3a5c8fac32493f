"""A clock that goes on only when a pass of a network is said to take time."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from cnnvis_report.pipeline import run as running
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.planning.forecast import Forecast
from cnnvis_report.pipeline.planning.plan import plan_setups
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor
from cnnvis_report.pipeline.setup import set_up
from cnnvis_report.progress import Progress
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
    given = {"metrics": "none", "inspect": "none", "batch_size": 2, "device": "cpu", "classes": "top:3"} | given
    setup = set_up(RunConfig.of("tests.pipeline.clock:timed", images=(drawn,), methods=methods, **given))
    checks = replace(setup.network.checks, monitor=PassMonitor(setup.network.subject))
    setup = replace(setup, network=replace(setup.network, checks=checks))
    plan = plan_setups([setup], lambda *_: 0.0)[0]
    before()
    return plan, running.run(setup, plan, folder, progress or Forecasts())[1]
