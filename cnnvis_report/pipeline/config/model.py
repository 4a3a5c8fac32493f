"""The network of a run, and how its scores are read."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.records.scores import TASKS
from cnnvis_report.settings import Group, Stated, required, setting
from cnnvis_report.settings.kinds import Choice, File, FileName, Flag, Several, Text
from cnnvis_report.settings.text_kinds import Assignment


@dataclass(frozen=True)
class ModelConfig:
    """The network, and how its scores are read."""

    group: ClassVar = Group.MODEL

    model: str = required(
        "A network by name, a model file or folder, or package.module:function.",
        FileName(),
        argument=True,
        completes="models",
        decides=False,
    )
    weights: Path | None = setting(
        None,
        "A .pth, .pt or .safetensors file with a state dict; FILE#KEY names the entry of the file that holds it.",
        File(),
        short="-w",
        metavar="FILE",
        decides=False,
    )
    architecture: str | None = setting(
        None,
        "The architecture of a checkpoint that doesn't say it: a name that MODEL could be, or package.module:Class.",
        Text(),
        key="arch",
        metavar="NAME",
        default_text="what the file says",
        completes="models",
        decides=False,
    )
    arguments: tuple[str, ...] = setting(
        (),
        "An argument of the function or class that makes the network, e.g. classes=10. Repeatable.",
        Several(Assignment()),
        key="arg",
        metavar="NAME=VALUE",
        decides=False,
    )
    trust: bool = setting(
        False,
        "Open model files that can only be opened by running what is in them. A pickle, such as of torch.save(network) "
        "or learn.export(), is a program that runs with your rights: give it only for files from a source you trust.",
        Flag(),
        stated=Stated.CHANGED,
        decides=False,
    )
    task: str = setting(
        "auto",
        "What the network does: one class per image (classification), several labels per image (multilabel), one "
        "score for the positive class (binary), numbers without probabilities (regression), a class per pixel "
        "(segmentation), or boxes with classes (detection). auto finds out and says why.",
        Choice(("auto", *TASKS)),
        stated=Stated.CHANGED,
    )
    target: str | None = setting(
        None,
        "A function of your own that computes the scores to explain from the network's output: "
        "package.module:function or path/to/file.py:function.",
        FileName(),
        metavar="FUNCTION",
        default_text="the network's own scores",
        decides=False,
    )
    class_names: Path | None = setting(
        None,
        "A file of class names: one per line in index order, index and name per line, a table, JSON, a Python dict, "
        "or a Hugging Face config.json.",
        File(),
        metavar="FILE",
        decides=False,
    )
