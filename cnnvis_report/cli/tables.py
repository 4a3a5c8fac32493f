"""Tables for the terminal: methods, and layers."""

from collections.abc import Sequence
from pathlib import Path

import torch

from cnnvis_report.engine.subject import Subject
from cnnvis_report.errors import BadRequest
from cnnvis_report.methods.registry import methods, select
from cnnvis_report.models.load import load_model
from cnnvis_report.pipeline.config import DataConfig, ModelConfig
from cnnvis_report.pipeline.setup import adjusted_preprocessing
from cnnvis_report.report.views.formatting import number, sides


def methods_table() -> str:
    """Every method: name, the smallest set it is in, source, and what it shows."""
    rows = [("NAME", "SET", "SOURCE", "WHAT IT SHOWS")]
    rows += [(entry.name, entry.info.preset, entry.info.source, entry.info.summary) for entry in methods()]
    return _table(rows)


def method_details(name: str) -> str:
    """All about one method.

    Raises:
        UnknownName: there is none of that name.
    """
    (entry, *_) = select([name])
    card = entry.info
    facts = [
        ("title", card.title),
        ("family", card.family),
        ("source", card.source),
        ("kind", f"{card.kind.value}, {card.sign.value}"),
        ("set", card.preset),
        *((f"option {option}", repr(value)) for option, value in card.options.items()),
    ]
    return f"{entry.name}\n\n{card.text}\n\n{_table(facts)}"


def layer_names(name: str, weights: Path | None) -> list[str]:
    """The layers that a map can be computed from, in execution order."""
    subject = _subject(ModelConfig(name, weights), DataConfig())
    return [layer.name for layer in subject.layers if layer.layout]


def layers_table(config: ModelConfig, data: DataConfig) -> str:
    """The layers of a network in execution order; the one that maps read by default has a star.

    Raises:
        BadRequest, UnknownName: the network can't be loaded or run.
    """
    subject = _subject(config, data)
    rows: list[tuple[str, ...]] = [("", "LAYER", "TYPE", "OUTPUT", "PARAMETERS", "READ AS")]
    default = subject.layer().name if subject.default_layer else ""
    for layer in subject.layers:
        star = "*" if layer.name == default else ""
        parameters = number(layer.parameters) if layer.parameters else ""
        rows.append((star, layer.name, layer.type, sides(layer.shape), parameters, layer.layout))
    if not any(layer.layout for layer in subject.layers):
        rows = [row[:-1] for row in rows]
    legend = f"* the default of --layer: {default}" if default else "No layer has a spatial size."
    return f"{_table(rows)}\n\n{legend}"


def _subject(config: ModelConfig, data: DataConfig) -> Subject:
    model = load_model(config.model, config.weights, untrained=True)
    preprocessing = adjusted_preprocessing(model, data)
    if preprocessing.size is None:
        raise BadRequest("--size original has no meaning without images; give a side or HEIGHTxWIDTH.")
    example = torch.zeros(1, preprocessing.channels, *preprocessing.size)
    return Subject(model.network, example, name=model.name, preprocessing=preprocessing)


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
