"""What is written of a report to be handed on."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, File, Flag
from cnnvis_report.settings.text_kinds import Size


@dataclass(frozen=True)
class ShareConfig:
    """How a report is handed on; none of it changes the run."""

    group: ClassVar = Group.SHARE

    zip: bool = setting(
        False,
        "Pack what is handed on as a zip file beside its folder; the same files give the same bytes.",
        Flag(),
        stated=Stated.NEVER,
        decides=False,
    )
    max_size: int | None = setting(
        None,
        "Size that a single file may have, e.g. 10MB; maps get fewer steps, then half the size, then fewer methods "
        "have maps, and the page states what that costs. Implies --single-file.",
        Size(),
        metavar="SIZE",
        stated=Stated.NEVER,
        decides=False,
    )
    anonymous: bool = setting(
        False,
        "Write a copy without names for a blind review: images, classes and layers are numbered.",
        Flag(),
        stated=Stated.NEVER,
        decides=False,
    )
    share: str = setting(
        "full",
        "What a copy holds: all, or minimal for the pages without the arrays and records behind them.",
        Choice(("full", "minimal")),
        stated=Stated.NEVER,
        decides=False,
    )
    copy: Path | None = setting(
        None,
        "Folder of the copy that --anonymous and --share minimal write.",
        File(),
        metavar="DIR",
        default_text="anonymous-report, or REPORT-share, beside the report",
        only_with=("anonymous", "share"),
        stated=Stated.NEVER,
        decides=False,
    )
