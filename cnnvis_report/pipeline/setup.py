"""What a run needs, loaded and checked against each other before the first map is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from cnnvis_report.data.batches import sample
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.devices import batch_size, choose_device
from cnnvis_report.engine.outputs.readers import TargetFunction
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.methods.selection import select
from cnnvis_report.methods.tasks import Task, tasks_for
from cnnvis_report.models.model import Model
from cnnvis_report.models.own_code.functions import target_reader
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.explaining.map_setup import MapSetup, choose_metrics, make_tasks
from cnnvis_report.pipeline.explaining.rejected_images import usable
from cnnvis_report.pipeline.explaining.targets import AUTO, automatic_choice, check_choice, images_of, parse_classes
from cnnvis_report.pipeline.identity.network import NetworkIdentity, identify_network
from cnnvis_report.pipeline.inspection.budget import InspectionPlan, choose_inspection, plan_inspection
from cnnvis_report.pipeline.opening.compare_original import compare_with_original
from cnnvis_report.pipeline.opening.image_source import Aliases, image_source
from cnnvis_report.pipeline.opening.open_model import open_model
from cnnvis_report.pipeline.opening.open_subject import make_subject
from cnnvis_report.pipeline.opening.preprocessing import with_preprocessing
from cnnvis_report.pipeline.opening.sample_source import limit_of
from cnnvis_report.pipeline.planning.metrics_budget import choose_budget
from cnnvis_report.pipeline.planning.rule_checks import check_rules
from cnnvis_report.pipeline.repeatability.check import Repeatability, check_passes
from cnnvis_report.pipeline.repeatability.pass_monitor import PassMonitor
from cnnvis_report.pipeline.stages.predict import Selection, predict
from cnnvis_report.progress import Progress
from cnnvis_report.records.network import ConversionRecord

SAMPLE = 64  # images that methods compare with, or are fitted to


@dataclass(frozen=True)
class NetworkChecks:
    """What was found out about the network before the first image.

    identity: digests of its weights, settings and code. repeatability: what passes over one image have in common.
    monitor: compares later passes of the run. conversion: how far it is from the network that it was converted from.
    """

    identity: NetworkIdentity
    repeatability: Repeatability
    monitor: PassMonitor
    conversion: ConversionRecord | None = None


@dataclass(frozen=True)
class NetworkSetup:
    """The network of a run: as it was loaded, with how it was trained; as methods see it; and what was found out."""

    model: Model
    subject: Subject
    checks: NetworkChecks


@dataclass(frozen=True)
class Setup:
    """A run before it starts, in parts; a stage gets the parts that it uses.

    selection: where the set was predicted as a whole, of which `images` are a part. inspection: None where none is
    wanted. notices: what a user has to know before believing the results, a sentence each.
    """

    config: RunConfig
    network: NetworkSetup
    images: ImageSet
    maps: MapSetup
    inspection: InspectionPlan | None
    selection: Selection | None
    notices: tuple[str, ...]


def set_up(config: RunConfig) -> Setup:
    """Load what the configuration names.

    Raises:
        BadRequest, UnknownName: something doesn't exist or doesn't fit.
        RunFailed: not one image can be read.
    """
    explain = config.explain
    choose_device(config.machine.device)
    choose_budget(config.evaluate.metrics, explain.methods, explain.effort)
    choose_inspection(config.inspect.inspect, explain)
    check_rules(config)
    # a slip of the pen shows before a large file is read
    if explain.methods or config.inspect.inspect in ("auto", "none"):
        tasks_for(select(explain.methods), explain.layers, explain.options, explain.effort)
    model = open_model(config.model)
    model = with_preprocessing(model, config.preprocessing)
    model, images_for, aliases = image_source(model, config)
    return set_up_model(model, images_for, config, aliases)


def set_up_model(
    model: Model,
    images_for: Callable[[Sequence[str]], ImageSet],
    config: RunConfig,
    aliases: Aliases = (),
    target: TargetFunction | None = None,
) -> Setup:
    """Set up a run of a model that is loaded.

    Args:
        images_for: the image set, labeled with the class names that it gets.
        config: everything but the model and the images.
        aliases: what else the classes are called, class by class.
        target: makes scores of the network's output; None for what the configuration says.

    Raises:
        BadRequest, UnknownName: something doesn't exist or doesn't fit.
        RunFailed: not one image can be read.
    """
    device = choose_device(config.machine.device)
    reader = target_reader(target or config.model.target)
    subject = make_subject(model, images_for(model.classes or ()), device, config.model.task, reader)
    checks = _check_network(subject, model, config.model.model)
    images = images_for(subject.classes)
    if images.order and model.classes is None and subject.meaning.kind.has_classes:
        subject.classes = images.order
    images = images_of(images, subject.meaning, subject.classes)
    if config.explain.classes != AUTO:
        choice = parse_classes(config.explain.classes, subject.classes, aliases)
        check_choice(choice, images, subject)
    else:
        choice = automatic_choice(config.explain.effort, subject.meaning.kind)
    tasks = make_tasks(subject, config.explain)
    reference = Reference(lambda: _reference_images(subject, images, config.machine.batch_size))
    budget = choose_metrics(config, images)
    check_rules(config, subject.classes, masks=any(item.mask is not None for item in images))
    return Setup(
        config=config,
        network=NetworkSetup(model, subject, checks),
        images=images,
        maps=MapSetup(tasks, choice, reference, budget),
        inspection=plan_inspection(config.inspect, config.explain, subject),
        selection=None,
        notices=(*model.notices, *subject.notices, *images.notices, *_method_notices(subject, tasks, checks)),
    )


def at_effort(setup: Setup, effort: str) -> Setup:
    """The same run at another effort."""
    config = replace(setup.config, explain=replace(setup.config.explain, effort=effort, time=None))
    subject, choice = setup.network.subject, setup.maps.choice
    if config.explain.classes == AUTO:
        choice = automatic_choice(effort, subject.meaning.kind)
    maps = replace(
        setup.maps,
        tasks=make_tasks(subject, config.explain),
        choice=choice,
        metrics=choose_metrics(config, setup.images),
    )
    inspection = plan_inspection(config.inspect, config.explain, subject)
    return replace(setup, config=config, maps=maps, inspection=inspection)


def select_images(setup: Setup, progress: Progress, most: int | None = None) -> Setup:
    """Predict all images, and go on with those that the configuration selects.

    Args:
        most: where there are more, some of the misclassified ones and a spread over the set.

    Raises:
        BadRequest: nothing is selected.
    """
    config = setup.config
    selection = predict(
        setup.network.subject,
        setup.images,
        config.data.select,
        progress,
        most=most,
        limit=limit_of(config),
        size=config.machine.batch_size,
    )
    notices = (*setup.notices, *selection.notices)
    return replace(setup, images=selection.images, selection=selection, notices=notices)


def _check_network(subject: Subject, model: Model, spec: str) -> NetworkChecks:
    """Identify the network and compare its passes; from then on it gets images one by one where they matter."""
    identity = identify_network(subject.network, spec)  # before a pass may change what it holds
    assert subject.first_pass is not None  # nobody has taken it yet
    first = subject.first_pass.images, subject.first_pass.logits
    repeatability = check_passes(subject)
    subject.one_by_one = repeatability.one_by_one
    monitor = PassMonitor.of(subject, *first, repeatability)
    return NetworkChecks(identity, repeatability, monitor, compare_with_original(model, subject, first[0]))


def _reference_images(subject: Subject, images: ImageSet, size: int | None) -> Tensor:
    """A sample of the images that the network takes."""
    inputs = sample(images, subject.preprocessing, SAMPLE).to(subject.device)
    return usable(subject, inputs, batch_size(subject, subject.device, size))


def _method_notices(subject: Subject, tasks: Sequence[Task], checks: NetworkChecks) -> tuple[str, ...]:
    """How the default layer is read, where a task reads it and it isn't as usual; and whether passes repeat."""
    read = any(task.method.takes_layer and not task.layer for task in tasks)
    layer = (f"{subject.default_notice}.",) if read and subject.default_notice else ()
    return (*layer, *checks.repeatability.notices(subject.name))
