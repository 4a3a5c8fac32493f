"""What a network has: its layers, and the methods that are applicable to it."""

from dataclasses import asdict
from pathlib import Path

import torch

from cnnvis_report.cli.terminal.tables import as_json, table
from cnnvis_report.engine.dry_run import DryRunTape
from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.methods.registry import methods
from cnnvis_report.methods.tasks import dry_run_tasks, tasks_for
from cnnvis_report.pipeline.config import ModelConfig, PreprocessingConfig
from cnnvis_report.pipeline.opening.open_model import open_model
from cnnvis_report.pipeline.opening.preprocessing import adjusted_preprocessing
from cnnvis_report.report.views.formatting import number, sides


def layer_names(name: str, weights: Path | None) -> list[str]:
    """The layers of a network, in execution order."""
    return [layer.name for layer in open_network(ModelConfig(name, weights), PreprocessingConfig()).layers]


def layers_table(config: ModelConfig, wanted: PreprocessingConfig) -> str:
    """The layers of a network in execution order; the one that maps read by default has a star.

    Raises:
        BadRequest, UnknownName: the network can't be loaded or run.
    """
    subject = open_network(config, wanted)
    rows: list[tuple[str, ...]] = [("", "LAYER", "TYPE", "OUTPUT", "PARAMETERS", "READ AS")]
    default = _default_layer(subject)
    for layer in subject.layers:
        star = "*" if layer.name == default else ""
        parameters = number(layer.parameters) if layer.parameters else ""
        rows.append((star, layer.name, layer.type, sides(layer.shape), parameters, layer.layout))
    if not any(layer.layout for layer in subject.layers):
        rows = [row[:-1] for row in rows]
    legend = f"* the default of --layer: {default}" if default else "No layer has a spatial size."
    return f"{table(rows)}\n\n{legend}"


def layers_json(config: ModelConfig, wanted: PreprocessingConfig) -> str:
    """The layers of a network in execution order, as a list of records, and whether maps read each by default."""
    subject = open_network(config, wanted)
    default = _default_layer(subject)
    return as_json([asdict(layer) | {"default": layer.name == default} for layer in subject.layers])


def not_applicable_methods(config: ModelConfig, wanted: PreprocessingConfig) -> dict[str, str]:
    """Why methods aren't applicable to a network, by name, in the words that a run gives; a dry run finds out.

    Raises:
        BadRequest, UnknownName: the network can't be loaded or run.
    """
    subject = open_network(config, wanted)
    first = subject.take_first_pass()
    target = first.logits[:1].argmax(dim=1, keepdim=True)
    dry_run = dry_run_tasks(tasks_for(methods(), (), {}), DryRunTape(subject, first, capacity=1, seed=0), target)
    return {task.name: reason for task, reason in dry_run.not_applicable}


def open_network(config: ModelConfig, wanted: PreprocessingConfig) -> Subject:
    """A network on a blank image, with random weights where torchvision's aren't at hand.

    Raises:
        BadRequest, UnknownName: the network can't be loaded or run.
    """
    model = open_model(config, untrained=True)
    preprocessing = adjusted_preprocessing(model, wanted)
    if preprocessing.size is None:
        raise BadRequest("--size original has no meaning without images; give a side or HEIGHTxWIDTH.")
    example = torch.zeros(1, preprocessing.channels, *preprocessing.size)
    return Subject(model.network, example, name=model.name, preprocessing=preprocessing)


def _default_layer(subject: Subject) -> str:
    return subject.layer().name if subject.default_layer else ""
