"""Where the report is written, and in which form."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import File, Flag, Integer, Text

MOST_PAGES = 1_000_000
MOST_PROCESSES = 1024


@dataclass(frozen=True)
class ReportConfig:
    """Where the report is written, and in which form.

    processes: None for one a processor.
    """

    group: ClassVar = Group.REPORT

    output: Path = setting(
        Path("report"), "Folder of the report.", File(), short="-o", metavar="DIR", stated=Stated.NEVER, decides=False
    )
    single_file: bool = setting(
        False,
        "Write one HTML file that holds everything, of at most 25 MB where possible.",
        Flag(),
        stated=Stated.NEVER,
        decides=False,
    )
    pages: int = setting(
        2000,
        "Most images that get a page of their own and are in the gallery: those that other pages lead to, which all "
        "get one, then errors, extremes, and some of each class. Numbers and charts are of all images.",
        Integer(1, MOST_PAGES),
        metavar="N",
        stated=Stated.NEVER,
        decides=False,
    )
    processes: int | None = setting(
        None,
        "Processes that write the pages; auto is one for each processor.",
        Integer(1, MOST_PROCESSES, auto=True),
        metavar="N|auto",
        stated=Stated.NEVER,
        decides=False,
    )
    title: str | None = setting(
        None,
        "Title of the report.",
        Text(),
        metavar="TEXT",
        default_text="What MODEL looks at in IMAGES",
        stated=Stated.CHANGED,
        decides=False,
    )
    open: bool = setting(False, "Open the report in the browser.", Flag(), stated=Stated.NEVER, decides=False)
