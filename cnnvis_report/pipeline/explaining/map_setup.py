"""Which maps a run makes, and how they are measured, as its configuration says."""

from dataclasses import dataclass

from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import Task, tasks_for
from cnnvis_report.pipeline.config import ExplainConfig, RunConfig
from cnnvis_report.pipeline.explaining.targets import ClassChoice
from cnnvis_report.pipeline.planning.metrics_budget import MetricsBudget, choose_budget


@dataclass(frozen=True)
class MapSetup:
    """Which maps are made, and how they are measured.

    choice: the classes that are explained. reference: a sample of the images, for methods that compare with others.
    metrics: None where the maps aren't measured.
    """

    tasks: tuple[Task, ...]
    choice: ClassChoice
    reference: Reference
    metrics: MetricsBudget | None


def make_tasks(subject: Subject, config: ExplainConfig) -> tuple[Task, ...]:
    """The methods with their options, at each layer.

    Raises:
        BadRequest, UnknownName: no method, layer or option is called so, or the network has no layer for a method.
    """
    layers = [_layer(subject, name) for name in config.layers]
    methods = select(config.methods) if config.methods else ()
    tasks = tasks_for(methods, layers, config.options, config.effort)
    takes_layer = [task.name for task in tasks if task.method.takes_layer]
    if takes_layer and not subject.default_layer:
        other = next((task.name for task in tasks if not task.method.takes_layer), "gradient")
        raise BadRequest(
            f"{subject.name} has no layer whose output has a spatial size, which {', '.join(takes_layer)} need. "
            f"Choose others with --methods, such as {other}."
        )
    return tasks


def _layer(subject: Subject, name: str) -> str:
    """The layer's own name."""
    try:
        return subject.layer(name).name
    except UnknownName as error:
        raise BadRequest(f"{error} See: cnnvis-report layers MODEL.") from error


def choose_metrics(config: RunConfig, images: ImageSet) -> MetricsBudget | None:
    """How the maps of these images are measured."""
    masks = any(item.mask is not None for item in images)
    return choose_budget(config.evaluate.metrics, config.explain.methods, config.explain.effort, masks=masks)
