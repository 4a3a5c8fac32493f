"""Forecasts of the stages that follow the maps."""

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.pipeline.forecast import Later
from cnnvis_report.pipeline.inspection.budget import InspectionPlan
from cnnvis_report.pipeline.plan import Plan
from cnnvis_report.pipeline.setup import NetworkSetup
from cnnvis_report.pipeline.stages.evaluation import MetricsBudget, randomized_tasks
from cnnvis_report.pipeline.stages.inspection import inspection_seconds
from cnnvis_report.pipeline.stages.randomization import randomization_seconds
from cnnvis_report.pipeline.stages.snapshots import snapshot_seconds


def later_stages(
    plan: Plan,
    network: NetworkSetup,
    images: ImageSet,
    metrics: MetricsBudget | None,
    inspection: InspectionPlan | None,
) -> list[Later]:
    """What tells the seconds of each stage that will run, from those of the images that are done."""
    tasks, classes = plan.dry_run.tasks, plan.classes
    later: list[Later] = []
    if metrics is not None:
        names = {task.name for task in randomized_tasks(plan.dry_run, classes, metrics)}
        later.append(lambda spent: randomization_seconds(spent, metrics, names, len(plan.measured), classes))
    if inspection is not None:
        later.append(lambda spent: inspection_seconds(spent, inspection, network.subject, len(images), plan.time))
    if (training := network.model.training) is not None:
        quick = {task.name for task in tasks if task.method.info.preset == "quick"}
        later.append(lambda spent: snapshot_seconds(spent, training, quick, len(images), classes))
    return later
