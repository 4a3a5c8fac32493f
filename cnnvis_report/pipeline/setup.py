"""Everything that a run is about, loaded and checked against each other, before the first map is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from cnnvis_report.data.batches import sample
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.data.preprocessing import Levels, Preprocessing
from cnnvis_report.engine.devices import batch_size, choose_device
from cnnvis_report.engine.reference import Reference
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.inspection.projections import Unit, parse_unit
from cnnvis_report.methods.registry import select
from cnnvis_report.methods.tasks import Task, tasks_for
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.load import load_model
from cnnvis_report.models.model import Model, Training
from cnnvis_report.pipeline.config import DataConfig, RunConfig
from cnnvis_report.pipeline.identity.network import NetworkIdentity, identify_network
from cnnvis_report.pipeline.image_source import Aliases, image_source
from cnnvis_report.pipeline.open_subject import make_subject
from cnnvis_report.pipeline.rejected_images import usable
from cnnvis_report.pipeline.repeatability.check import Repeatability, check_passes
from cnnvis_report.pipeline.repeatability.witness import Witness
from cnnvis_report.pipeline.stages.evaluation import Budget, choose_budget
from cnnvis_report.pipeline.stages.inspection_budget import BUDGETS, LookBudget, Preferences, choose_look, parse_goal
from cnnvis_report.pipeline.targets import ClassChoice, check_choice, images_of, parse_classes
from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.predictions import Predictions
from cnnvis_report.records.run import Setting
from cnnvis_report.settings import identity_part, settings_table

SAMPLE = 64  # images that methods compare with, or are fitted to


@dataclass(frozen=True)
class Study:
    """A subject, an image set, and what is to be found out.

    weights: where the weights come from, in words. reference: a sample of the images. budget: for measuring what maps
    are worth, look: for the inside of the network, where `units` are looked at above others; None where that isn't
    wanted. settings: as the report states them; deciding: those that are
    part of the run's identity themselves. answers, label_answers: to all images, where these
    are a selection.
    notices: what a user has to know before believing the results, a sentence each. passes: what those over one image
    have in common. identity: what tells the network from others, beside its logits. witness: compares later passes.
    """

    subject: Subject
    weights: str
    images: ImageSet
    tasks: tuple[Task, ...]
    choice: ClassChoice
    device: torch.device
    seed: int
    precision: str
    batch_size: int | None
    settings: dict[str, Setting]
    deciding: dict[str, Setting]
    reference: Reference
    budget: Budget | None
    look: LookBudget | None
    units: tuple[Unit, ...]
    preferences: Preferences
    training: Training | None = None
    answers: Predictions | None = None
    notices: tuple[str, ...] = ()
    label_answers: LabelPredictions | None = None
    passes: Repeatability = field(default_factory=Repeatability)
    identity: NetworkIdentity = field(default_factory=NetworkIdentity)
    witness: Witness | None = None


def open_study(config: RunConfig) -> Study:
    """Load what the configuration names.

    Raises:
        BadRequest, UnknownName: something doesn't exist or doesn't fit.
        RunFailed: not one image can be read.
    """
    choose_device(config.machine.device)
    choose_budget(config.evaluate.metrics, config.explain.methods)
    choose_look(config.inspect.inspect, config.explain.methods)
    # a slip of the pen shows before a large file is read
    if config.explain.methods or config.inspect.inspect in ("auto", "none"):
        tasks_for(select(config.explain.methods), config.explain.layers, config.explain.options)
    model = load_model(config.model.model, config.model.weights)
    model, images_for, aliases = image_source(replace(model, preprocessing=adjust(model, config.data)), config)
    return study_of(model, images_for, config, aliases)


def study_of(
    model: Model, images_for: Callable[[Sequence[str]], ImageSet], config: RunConfig, aliases: Aliases = ()
) -> Study:
    """A study of a model that is loaded.

    Args:
        images_for: the image set, labeled with the class names that it gets.
        config: everything but the model and the images.
        aliases: what else the classes are called, class by class.

    Raises:
        BadRequest, UnknownName: something doesn't exist or doesn't fit.
        RunFailed: not one image can be read.
    """
    device = choose_device(config.machine.device)
    subject = make_subject(model, images_for(model.classes or ()), device, config.model.scores)
    identity = identify_network(subject.network, config.model.model)  # before a pass may change what it holds
    assert subject.first_pass is not None  # nobody has taken it yet
    first = subject.first_pass.images, subject.first_pass.logits
    passes = check_passes(subject)
    subject.one_by_one = passes.one_by_one
    images = images_for(subject.classes)
    if images.order and model.classes is None and subject.meaning.kind.judged:
        subject.classes = images.order
    images = images_of(images, subject.meaning, subject.classes)
    choice = parse_classes(config.explain.classes, subject.classes, aliases)
    check_choice(choice, images, subject)
    layers = [_layer(subject, layer) for layer in config.explain.layers]
    tasks = tasks_for(select(config.explain.methods) if config.explain.methods else (), layers, config.explain.options)
    takes_layer = [task.name for task in tasks if task.method.takes_layer]
    if takes_layer and not subject.default_layer:
        apart = next((task.name for task in tasks if not task.method.takes_layer), "gradient")
        raise BadRequest(
            f"{subject.name} has no layer whose output has a spatial size, which {', '.join(takes_layer)} need. "
            f"Choose others with --methods, such as {apart}."
        )
    inspect = config.inspect
    return Study(
        subject=subject,
        weights=model.weights,
        images=images,
        tasks=tasks,
        choice=choice,
        device=device,
        seed=config.machine.seed,
        precision=config.explain.precision,
        batch_size=1 if passes.one_by_one else config.machine.batch_size,
        settings=settings_table(config),
        deciding=identity_part(config),
        reference=Reference(lambda: _compared_with(subject, images, device, config)),
        budget=choose_budget(config.evaluate.metrics, config.explain.methods),
        look=choose_look(config.inspect.inspect, config.explain.methods)
        or (BUDGETS["standard"] if config.inspect.units else None),
        units=tuple(dict.fromkeys(parse_unit(unit, subject) for unit in inspect.units)),
        preferences=Preferences(
            tuple(parse_goal(each, subject) for each in config.inspect.maximize),
            config.inspect.parametrization,
            config.inspect.init,
        ),
        training=model.training,
        notices=(
            *model.notices,
            *subject.notices,
            *images.notices,
            *_layer_notices(subject, tasks),
            *passes.notices(subject.name),
        ),
        passes=passes,
        identity=identity,
        witness=Witness.of(subject, *first, passes),
    )


def _layer(subject: Subject, name: str) -> str:
    """The layer's own name.

    Raises:
        BadRequest: the network has none that is called so.
    """
    try:
        return subject.layer(name).name
    except UnknownName as error:
        raise BadRequest(f"{error} See: cnnvis-report layers MODEL.") from error


def adjust(model: Model, data: DataConfig) -> Preprocessing:
    """The model's preprocessing with what the user wants otherwise.

    Raises:
        BadRequest: a size or constants that can't be used.
    """
    known = model.preprocessing
    channels = len(data.mean or data.std or ()) or input_channels(model.network) or known.channels
    if channels not in (1, 3):
        raise BadRequest(f"{model.name} reads {channels} channels; pictures have 1 (gray) or 3 (color).")
    known = known.with_channels(channels)
    mean, std = data.mean or known.mean, data.std or known.std
    if len(mean) != len(std):
        raise BadRequest(f"--mean has {len(mean)} numbers and --std {len(std)}; each needs one a channel.")
    if not all(value > 0 for value in std):
        raise BadRequest(f"--std {' '.join(map(str, std))}: each number has to be above 0.")
    known = replace(known, mean=mean, std=std)
    if data.range is not None:
        known = replace(known, levels=Levels.between(data.range))
    return known if data.size is None else known.resized(data.size)


def _compared_with(subject: Subject, images: ImageSet, device: torch.device, config: RunConfig) -> Tensor:
    """A sample of the images that the network takes."""
    found = sample(images, subject.preprocessing, SAMPLE).to(device)
    return usable(subject, found, 1 if subject.one_by_one else batch_size(subject, device, config.machine.batch_size))


def _layer_notices(subject: Subject, tasks: Sequence[Task]) -> tuple[str, ...]:
    """How the default layer is read, where somebody reads it and it isn't as usual."""
    read = any(task.method.takes_layer and not task.layer for task in tasks)
    return (f"{subject.default_notice}.",) if read and subject.default_notice else ()
