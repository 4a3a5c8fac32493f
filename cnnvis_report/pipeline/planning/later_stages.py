"""Forecasts of the stages that follow the maps, from what the maps have taken so far."""

from cnnvis_report.pipeline.inspection.budget import InspectionPlan
from cnnvis_report.pipeline.planning.forecast import Later
from cnnvis_report.pipeline.planning.metrics_budget import MetricsBudget, randomized_tasks
from cnnvis_report.pipeline.planning.plan import Plan
from cnnvis_report.pipeline.setup import NetworkSetup
from cnnvis_report.pipeline.stages.inspection import inspection_seconds
from cnnvis_report.pipeline.stages.map_tests import map_test_seconds
from cnnvis_report.pipeline.stages.randomization import randomization_seconds
from cnnvis_report.pipeline.stages.snapshots import snapshot_seconds


def later_stages(
    plan: Plan, network: NetworkSetup, metrics: MetricsBudget | None, inspection: InspectionPlan | None
) -> list[Later]:
    """One a stage that the run has."""
    images, classes, measured = plan.images, plan.classes, len(plan.measured)
    later: list[Later] = []
    if metrics is not None:
        names = {task.name for task in randomized_tasks(plan.dry_run, classes, metrics)}
        later.append(lambda spent: randomization_seconds(spent, metrics, names, measured, classes))
    if (tests := plan.tests) is not None:
        later.append(lambda spent: map_test_seconds(spent, tests, measured, classes))
    if inspection is not None:
        later.append(lambda spent: inspection_seconds(spent, inspection, network.subject, images, plan.time))
    if (training := network.model.training) is not None:
        quick = {task.name for task in plan.dry_run.tasks if task.method.info.preset == "quick"}
        later.append(lambda spent: snapshot_seconds(spent, training, quick, images, classes))
    return later
