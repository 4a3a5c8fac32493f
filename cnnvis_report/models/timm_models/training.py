"""What a checkpoint says of its training by timm: the architecture, and how pictures were prepared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.checkpoints.safe_unpickle import Inert
from cnnvis_report.models.folder_config import CONFIG, read_config
from cnnvis_report.models.timm_models.folder import is_timm_config
from cnnvis_report.models.timm_models.names import PREFIX

PREPARED = ("img_size", "input_size", "in_chans", "crop_pct", "crop_mode", "mean", "std", "interpolation")


@dataclass(frozen=True)
class TrainingArguments:
    """What a checkpoint says of its training; nothing where it is of another script.

    architecture: as it was given to train.py. preparation: options that change what timm does to pictures.
    """

    architecture: str = ""
    preparation: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, content: object) -> "TrainingArguments":
        """Those of what a checkpoint holds; PyTorch's own example script keeps an architecture too, and no version."""
        if not isinstance(content, Mapping) or not isinstance(content.get("arch"), str) or "version" not in content:
            return cls()
        namespace = content.get("args")
        options = namespace.state if isinstance(namespace, Inert) else namespace
        options = options if isinstance(options, Mapping) else {}
        preparation = {key: options[key] for key in PREPARED if options.get(key) not in (None, "", 0)}
        return cls(content["arch"], preparation)


def timm_notices(content: object, path: Path, name: str) -> tuple[str, ...]:
    """What a user has to know where a file says that timm has trained it: pictures were prepared otherwise then.

    Args:
        content: what the file holds. name: torchvision's, that the weights are loaded under.
    """
    architecture, source = _said(content, path)
    if not architecture:
        return ()
    return (
        f"{path.name} holds weights of timm's {architecture}, as {source} says, and pictures are prepared as for "
        f"torchvision's {name}. Give {PREFIX}{architecture.partition('.')[0]} as MODEL where they were prepared as "
        f"timm does it.",
    )


def _said(content: object, path: Path) -> tuple[str, str]:
    """The architecture of timm, and where it is said; empty where nothing says it."""
    training = TrainingArguments.of(content)
    if training.architecture:
        return training.architecture, "its training script"
    beside = path.parent / CONFIG
    try:
        if beside.is_file() and is_timm_config(config := read_config(path.parent)):
            return str(config["architecture"]), f"{CONFIG} beside it"
    except (BadRequest, OSError):  # another program's
        pass
    metadata = _metadata(path)
    of_timm = any("timm" in f"{key} {value}".lower() for key, value in metadata.items())
    named = metadata.get("architecture") or metadata.get("arch") or metadata.get("model_name") or path.stem
    return (named, "its header") if of_timm else ("", "")


def _metadata(path: Path) -> dict[str, str]:
    """What the header of a safetensors file says beside the tensors; nothing of other files."""
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError):
        return {}
