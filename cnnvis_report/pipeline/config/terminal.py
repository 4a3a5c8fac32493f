"""What is said on the terminal."""

from dataclasses import dataclass
from typing import ClassVar

from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, Flag


@dataclass(frozen=True)
class TerminalConfig:
    """What is said on the terminal, and how."""

    group: ClassVar = Group.REPORT

    quiet: bool = setting(
        False,
        "Print warnings, errors and the path of the result only.",
        Flag(),
        short="-q",
        stated=Stated.NEVER,
        decides=False,
    )
    verbose: bool = setting(
        False,
        "Print the traceback of a method that fails, or of an error in your own code.",
        Flag(),
        short="-v",
        stated=Stated.NEVER,
        decides=False,
    )
    log_format: str = setting(
        "text",
        "How progress and warnings are written to the standard error stream: as lines to read, or as one JSON object "
        "per line.",
        Choice(("text", "json")),
        stated=Stated.NEVER,
        decides=False,
    )
