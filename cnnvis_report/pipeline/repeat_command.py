"""The command that gives a run again."""

import shlex

from cnnvis_report.pipeline.config import RunConfig
from cnnvis_report.settings.command import command_words

DEMO = "demo"  # what the command of this name calls its network
INSPECT = {"methods": (), "metrics": "none", "inspect": "standard"}  # what the command of this name sets by itself


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
