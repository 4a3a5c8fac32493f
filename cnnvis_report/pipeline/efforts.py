"""What a run takes at each effort, and the highest effort that fits into the time that there is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.identity.parts import identity_parts
from cnnvis_report.pipeline.identity.run import identify, is_run_of
from cnnvis_report.pipeline.plan import Plan, plan_setups
from cnnvis_report.pipeline.setup import Setup, at_effort
from cnnvis_report.records.effort import EFFORTS
from cnnvis_report.report.views import formatting as fmt

NOISE = 1.25  # times: two plans of the same run, on a machine that does other things as well, may differ by so much


@dataclass(frozen=True)
class PlannedRun:
    """A run that is ready to start.

    setup: at its effort. plan: of it. seconds: that the whole of it takes at each effort, from the lowest.
    time: that there is, in seconds; None where nobody said.
    """

    setup: Setup
    plan: Plan
    seconds: Mapping[str, float]
    time: float | None = None

    @property
    def effort(self) -> str:
        """Of the run."""
        return self.setup.config.explain.effort


def plan_efforts(setup: Setup, folder: Path) -> PlannedRun:
    """Plan the run at its effort, and as far as its time at the others; where there is a time, choose by it.

    Args:
        folder: of the report: a run that was begun there goes on with its effort where that fits, too.

    Raises:
        BadRequest: not even the lowest effort fits into the time.
        RunFailed: not one of the methods is applicable to the network, or a single image doesn't fit into memory.
    """
    time, effort = setup.config.explain.time, setup.config.explain.effort
    setups = {name: at_effort(setup, name) for name in EFFORTS}
    plans = dict(zip(EFFORTS, plan_setups(list(setups.values())), strict=True))
    seconds = {name: plan.whole for name, plan in plans.items()}
    if time is not None:
        effort = _begun(setups, plans, time, folder) or highest_within(seconds, time)
        if not effort:
            raise BadRequest(_too_short(plans[EFFORTS[0]], time))
    return PlannedRun(setups[effort], plans[effort], seconds, time)


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


def _too_short(plan: Plan, time: float) -> str:
    ways = [
        "--limit with fewer images" if plan.images > 1 else "",
        "--methods quick" if len(plan.dry_run.tasks) > 1 else "",
        "--metrics none" if plan.metrics else "",
        "--inspect none" if any(plan.inspection) else "",
    ]
    shares = ", ".join(f"{name} {fmt.percent(share)}" for name, share in plan.largest_shares.items())
    parts = f" ({shares})" if shares else ""
    return (
        f"--time {fmt.duration(time)}: even low effort takes about {fmt.duration(plan.whole)}{parts}. "
        f"Give more time, or less to do: {', '.join(filter(None, ways)) or 'a smaller network'}."
    )
