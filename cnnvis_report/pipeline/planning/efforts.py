"""What a run takes at each effort, and the highest effort that fits into the time that there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.pipeline.identity.parts import identity_parts
from cnnvis_report.pipeline.identity.run import identify, is_run_of
from cnnvis_report.pipeline.planning.plan import PagesSeconds, Plan, plan_setups
from cnnvis_report.pipeline.setup import Setup, at_effort
from cnnvis_report.records.methods import EFFORTS

NOISE = 1.25  # times: two plans of the same run, on a machine that does other things as well, may differ by so much


@dataclass(frozen=True)
class PlannedRun:
    """A run that is ready to start.

    setup: at its effort. plan: of it. seconds: that the whole of it takes at each effort, from the lowest.
    time: that there is, in seconds; None where nobody said.
    begun: whether an earlier start of this run is gone on with.
    """

    setup: Setup
    plan: Plan
    seconds: Mapping[str, float]
    time: float | None = None
    begun: bool = False

    @property
    def effort(self) -> str:
        """Of the run."""
        return self.setup.config.explain.effort

    @property
    def fits(self) -> bool:
        """Whether there is time for it; of a run that was begun, as far as two plans may tell."""
        return self.time is None or self.plan.whole <= self.time * (NOISE if self.begun else 1)


def plan_efforts(setup: Setup, folder: Path, pages: PagesSeconds) -> PlannedRun:
    """Plan the run at each effort, and take its own; where there is a time, the highest that fits, or else the lowest.

    Args:
        folder: of the report: a run that was begun there goes on with its effort where that fits, too.
        pages: seconds for the pages.

    Raises:
        RunFailed: not one of the methods is applicable to the network, or a single image doesn't fit into memory.
    """
    time, effort = setup.config.explain.time, setup.config.explain.effort
    setups = {name: at_effort(setup, name) for name in EFFORTS}
    plans = dict(zip(EFFORTS, plan_setups(list(setups.values()), pages), strict=True))
    seconds = {name: plan.whole for name, plan in plans.items()}
    begun = "" if time is None else _begun(setups, plans, time, folder)
    if time is not None:
        effort = begun or highest_within(seconds, time) or EFFORTS[0]
    return PlannedRun(setups[effort], plans[effort], seconds, time, bool(begun))


def highest_within(seconds: Mapping[str, float], time: float) -> str:
    """The highest effort that takes no longer than the time; empty where none does."""
    return next((effort for effort in reversed(EFFORTS) if seconds[effort] <= time), "")


def _begun(setups: Mapping[str, Setup], plans: Mapping[str, Plan], time: float, folder: Path) -> str:
    """The effort of the run in the folder, where it is this one, and the time may as well choose it; else nothing."""
    seconds = {effort: plan.whole for effort, plan in plans.items()}
    lowest, highest = (highest_within(seconds, limit) for limit in (time / NOISE, time * NOISE))
    for effort in EFFORTS[EFFORTS.index(lowest or EFFORTS[0]) : EFFORTS.index(highest) + 1] if highest else ():
        setup = setups[effort]
        identity = identify(identity_parts(setup, plans[effort]), setup.network.checks.repeatability)
        if is_run_of(folder, identity):
            return effort
    return ""
