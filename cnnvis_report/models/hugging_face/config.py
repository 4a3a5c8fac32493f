"""What the config.json of a folder says of its network, checked before anything is built."""

import re
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest, shown, told
from cnnvis_report.models.architectures import MOST_CLASSES
from cnnvis_report.models.checkpoints.candidates import State
from cnnvis_report.models.folder_config import CONFIG

SHARE = 4  # times the weights' numbers that a network may hold: some are tied, some are positions
SLACK = 1 << 24  # numbers
TASKS = {  # by what transformers calls the networks that do it
    "IMAGE_CLASSIFICATION": "auto",
    "SEMANTIC_SEGMENTATION": "segmentation",
    "OBJECT_DETECTION": "detection",
}
EXPLAINED = tuple(name.lower().replace("_", " ") for name in TASKS)
OF_BACKBONE = ("use_timm_backbone", "backbone", "backbone_kwargs", "use_pretrained_backbone")
REMOTE = "auto_map"  # names code in the folder or on the hub


def check_config(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse what would run a stranger's code, or can't be explained."""
    if REMOTE in config:
        raise BadRequest(
            f"{folder}: its network is code of its maker ({CONFIG} has {REMOTE}), which isn't run. Give a factory, "
            f"path/to/file.py:function, that loads it with trust_remote_code=True."
        )
    if not isinstance(config.get("model_type"), str):
        raise BadRequest(f"{folder / CONFIG}: names no model_type, by which transformers knows the network.")
    if "quantization_config" in config:
        raise BadRequest(f"{folder}: its weights are quantized, and autograd can't follow them.")


def check_size(folder: Path, shapes: Mapping[str, Any], state: State) -> None:
    """Refuse a network that is far larger than its weights.

    Args:
        shapes: its tensors, without values.
    """
    described, stored = (
        sum(prod(value.shape) for value in shapes.values()),
        sum(value.numel() for value in state.values()),
    )
    if described > SHARE * stored + SLACK:
        raise BadRequest(
            f"{folder}: {CONFIG} describes a network of {described:,} numbers, and the weights hold {stored:,}."
        )


def class_of(folder: Path, config: Mapping[str, Any]) -> tuple[Any, str]:
    """The class of transformers that is such a network, and its task, as `--task` says it.

    Raises:
        BadRequest: it is a network of another kind, or none that this transformers knows.
    """
    import transformers
    from transformers.models.auto import modeling_auto

    named = config.get("architectures")
    architectures = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    if not architectures:
        raise BadRequest(
            f"{folder / CONFIG}: names no architecture (architectures), such as ViTForImageClassification."
        )
    for kind, task in TASKS.items():
        known = getattr(modeling_auto, f"MODEL_FOR_{kind}_MAPPING_NAMES").get(config["model_type"], ())
        known = (known,) if isinstance(known, str) else known
        name = next((name for name in architectures if name in known), None)
        if name is not None:
            return getattr(transformers, name), task
    raise BadRequest(f"{folder}: {_other(architectures[0], config['model_type'])}")


def make_config(folder: Path, config: Mapping[str, Any]) -> Any:
    """The configuration as transformers has it.

    Raises:
        BadRequest: transformers doesn't take it.
    """
    from transformers import AutoConfig

    try:
        known = {key: value for key, value in _whole(config).items() if key not in ("model_type", "_name_or_path")}
        configuration = AutoConfig.for_model(config["model_type"], **known)
    except Exception as error:  # each network checks its settings in its own way
        raise BadRequest(f"{folder / CONFIG}: transformers doesn't take it ({told(error)}).") from error
    count = getattr(configuration, "num_labels", 0)
    if type(count) is not int or not 0 < count <= MOST_CLASSES:
        raise BadRequest(f"{folder / CONFIG}: is for {shown(count)} classes; 1 to {MOST_CLASSES:,} can be shown.")
    return configuration


def _whole(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings with timm's backbone described, where older files name it alone: its weights are in the folder."""
    if config.get("use_timm_backbone") is not True or config.get("backbone_config") is not None:
        return config
    options = config.get("backbone_kwargs")
    options = dict(options) if isinstance(options, Mapping) else {}
    backbone = {
        "model_type": "timm_backbone",
        "backbone": config.get("backbone"),
        "num_channels": options.pop("in_chans", config.get("num_channels", 3)),
        "features_only": True,
        "use_pretrained_backbone": False,
        "out_indices": [1, 2, 3, 4],
        **options,
    }
    return {key: value for key, value in config.items() if key not in OF_BACKBONE} | {"backbone_config": backbone}


def class_names(config: Any) -> tuple[str, ...] | None:
    """The names of the classes in index order; None where they are the ones that transformers makes up."""
    names = [str(config.id2label.get(index, f"LABEL_{index}")) for index in range(config.num_labels)]
    made_up = all(name == f"LABEL_{index}" for index, name in enumerate(names))
    return None if made_up else tuple(names)


def _other(architecture: str, kind: str) -> str:
    """What a network is that can't be explained."""
    task = re.search(r"For([A-Z]\w+)$", architecture)
    if task is None:
        return (
            f"{architecture} is the network without a classifier; its outputs are features. Give one that was trained "
            f"to classify, such as {architecture.removesuffix('Model')}ForImageClassification."
        )
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", task[1]).lower()
    if words in EXPLAINED:
        return f"{architecture} of {kind!r} isn't known to the transformers that is installed here."
    return f"{architecture} is a network for {words}; those for {_listed(EXPLAINED)} can be explained."


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
