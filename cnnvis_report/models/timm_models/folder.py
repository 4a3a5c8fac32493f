"""Folders that timm has written: config.json with an architecture, and weights beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.folder_config import CONFIG, read_config
from cnnvis_report.models.timm_models.names import TimmName, read_name

WEIGHTS = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")
# what a network is told of its shape; others would make timm fetch or read other files
NEVER = (
    "pretrained",
    "config",
    "checkpoint",
    "cache_dir",
    "model_name",
    "scriptable",
    "exportable",
    "no_jit",
    "device",
)


@dataclass(frozen=True)
class TimmFolder:
    """What such a folder holds.

    arguments: of timm's factory. config: of the preprocessing and the classes.
    """

    name: TimmName
    arguments: Mapping[str, Any]
    config: Mapping[str, Any]
    weights: Path


def is_timm_config(config: Mapping[str, Any]) -> bool:
    """Whether timm has written it; what transformers writes of a network of timm's names its own kind of model."""
    return isinstance(config.get("architecture"), str) and "model_type" not in config


def read_folder(folder: Path) -> TimmFolder:
    """The network and the weights in a folder.

    Raises:
        BadRequest: it holds something else, or no weights.
    """
    content = read_config(folder)
    name = read_name(str(content["architecture"]))
    inner = content.get("pretrained_cfg", content)  # older versions of timm wrote all of it side by side
    if not isinstance(inner, dict):
        raise BadRequest(f"{folder / CONFIG}: its pretrained_cfg is no table.")
    outer: dict[str, Any] = {
        key: content[key] for key in ("num_classes", "label_names", "label_descriptions") if key in content
    }
    model_args = content.get("model_args", {})
    arguments = model_args if isinstance(model_args, dict) else {}
    arguments = {key: value for key, value in arguments.items() if not any(word in key for word in NEVER)}
    weights = next((folder / file for file in WEIGHTS if (folder / file).is_file()), None)
    if weights is None:
        raise BadRequest(f"{folder}: has no weights beside {CONFIG}; one of {', '.join(WEIGHTS)} is needed.")
    return TimmFolder(name, arguments, inner | outer, weights)
