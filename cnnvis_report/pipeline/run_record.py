"""The records of a run that no stage makes."""

import platform
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

import torch

from cnnvis_report import __version__
from cnnvis_report.data.image_set import ImageSet
from cnnvis_report.engine.devices import describe
from cnnvis_report.evaluation.metric import measured_metrics
from cnnvis_report.methods.tasks import DryRun, Task
from cnnvis_report.models.model import Training
from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.pipeline.explaining.targets import AUTO
from cnnvis_report.pipeline.identity.run import files_of
from cnnvis_report.pipeline.planning.metrics_budget import MetricsBudget
from cnnvis_report.pipeline.setup import NetworkSetup, Setup
from cnnvis_report.pipeline.stages.map_tests import MapTests
from cnnvis_report.pipeline.stages.randomization import TEST, Randomization
from cnnvis_report.pipeline.stats import RunStats
from cnnvis_report.records.images import NotApplicableRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.metrics import Evaluation, MetricPrecision
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.records.run import Setting
from cnnvis_report.settings.command import command_words

PACKAGES = ("torch", "torchvision", "numpy", "pillow")
DEMO = "demo"  # what the command of this name calls its network
INSPECT = {"methods": (), "metrics": "none", "inspect": "standard"}  # what the command of this name sets by itself


def network_record(network: NetworkSetup) -> NetworkRecord:
    """The network, its layers and its scores, and where its weights come from."""
    subject, meaning = network.subject, network.subject.meaning
    return NetworkRecord(
        name=subject.name,
        parameters=subject.parameters,
        classes=len(subject.classes),
        channels=subject.preprocessing.channels,
        weights=f"{network.model.weights} · {network.checks.identity.weights}",
        preprocessing=subject.preprocessing.describe(),
        scores=subject.scores,
        layers=subject.layers,
        default_layer=subject.default_layer,
        kind=meaning.kind,
        quantity=meaning.quantity,
        reason=meaning.reason,
        averaged_layer=subject.averaged_layer,
        piecewise_linear=subject.piecewise_linear,
        names=() if meaning.kind.exclusive else subject.classes,
        loader=network.model.loader,
        conversion=network.checks.conversion,
        bands=subject.preprocessing.bands,
    )


def method_records(tasks: Sequence[Task]) -> tuple[MethodInfo, ...]:
    """Each method once, with the options that it ran with."""
    options = {task.name: dict(task.options) for task in tasks}
    infos = {task.name: task.method.info for task in tasks}
    return tuple(replace(info, options=options[name]) for name, info in infos.items())


def not_applicable_records(dry_run: DryRun) -> tuple[NotApplicableRecord, ...]:
    """The tasks that the network has no maps for, with the reasons."""
    return tuple(NotApplicableRecord(task.name, reason, task.layer) for task, reason in dry_run.not_applicable)


def evaluation_record(
    budget: MetricsBudget | None,
    images: int,
    seed: int,
    randomization: Randomization,
    map_tests: MapTests,
    precision: tuple[MetricPrecision, ...],
) -> Evaluation | None:
    """How the maps of so many images were measured; None where they weren't."""
    if budget is None:
        return None
    return Evaluation(
        budget=budget.name,
        images=images,
        steps=budget.steps,
        regions=budget.regions,
        side=budget.across,
        seed=seed,
        randomized_fractions=randomization.fractions,
        randomization_images=randomization.images,
        randomization=randomization.results,
        # localization alone, where no image was measured
        metrics=tuple(info for info in measured_metrics(budget.effort) if budget.images != 0 or info.needs_mask),
        random_maps=budget.random_maps,
        tests=randomization.tests + map_tests.tests,
        tests_info=((TEST,) if randomization.tests else ()) + map_tests.infos,
        precision=precision,
    )


def count_in_training_set(images: ImageSet, training: Training | None) -> int:
    """How many of the images were among those that the network was trained on."""
    return 0 if training is None else sum(item.content in training.seen for item in images)


def provenance(
    device: torch.device, stats: RunStats, setup: Setup, method_seconds: Mapping[str, float], batch: int
) -> dict[str, Setting]:
    """When, how long, on what, with which versions; nothing that names a person, a machine or a folder.

    Args:
        stats: of the last start. method_seconds: of all starts, by method. batch: images at a time.
    """
    classes = {"classes": str(setup.maps.choice)} if setup.config.explain.classes == AUTO else {}
    return {
        "finished": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "seconds": round(stats.seconds, 3),
        "ideal_seconds": round(stats.ideal_seconds, 3),
        "images_computed": stats.computed,
        "device": describe(device),
        "chosen": {"batch_size": batch, **classes},
        "python": platform.python_version(),
        "system": platform.system(),
        "versions": dict(versions()),
        "files": dict(files_of(setup.images)),
        "command": repeat_command(setup.config, len(setup.images)),
        "seconds_by_method": {name: round(seconds, 4) for name, seconds in sorted(method_seconds.items())},
    }


def versions() -> dict[str, str]:
    """The versions of the packages that make numbers or pictures."""
    return {"cnnvis-report": __version__} | {name: _version(name) for name in PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def repeat_command(config: RunConfig, images: int) -> str:
    """The command that gives the run again, with names of files in the place of their folders.

    Empty where there is none: images were handed over from Python.

    Args:
        images: how many were explained.
    """
    is_inspection = not config.explain.methods and config.inspect.inspect not in ("auto", "none")
    if is_inspection and (config.data.images or not images):
        return shlex.join(["cnnvis-report", "inspect", *command_words(config, INSPECT)])
    words = command_words(config)
    if config.data.images:
        return shlex.join(["cnnvis-report", "run", *words])
    if config.model.model == DEMO:
        return shlex.join(["cnnvis-report", "demo", "--images", str(images), *words[1:]])
    return ""
