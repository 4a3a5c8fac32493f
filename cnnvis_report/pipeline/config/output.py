"""Where the report is written, and what computes it."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.records.run import Keep
from cnnvis_report.rules.rule import Rule, RuleText
from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, File, Flag, Integer, Several, Text

MOST_IN_A_BATCH = 1_000_000
MOST_WORKERS = 10_000
MOST_PAGES = 1_000_000
MOST_PROCESSES = 1024


@dataclass(frozen=True)
class OutputConfig:
    """Where the report is written, in which form, and what the terminal says.

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
        "Most images that get a page of their own and are in the gallery: errors, extremes, and some of each class. "
        "Numbers and charts are of all images.",
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
    keep: str = setting(
        "reduced",
        "What the folder keeps of the maps: reduced, one half-precision number per position, as pages show them; full, "
        "all channels in single precision; none, no arrays once the pages are written.",
        Choice(tuple(map(str, Keep))),
        stated=Stated.CHANGED,
    )
    shard_size: int | None = setting(
        None,
        "Images whose arrays share one file; 0 gives each image a file of its own.",
        Integer(0, MOST_IN_A_BATCH, auto=True),
        metavar="N|auto",
        default_text="0 up to 1,000 images, 100 beyond; with --engine ray, 4 or a batch up to 1,000",
        stated=Stated.NEVER,
    )
    strict: bool = setting(
        False,
        "Exit with status 3 if a file was skipped or a map is missing.",
        Flag(),
        stated=Stated.NEVER,
        decides=False,
    )
    against: Path | None = setting(
        None,
        "Folder of an earlier run of the same images: compare it with this one, in a folder beside the report's, "
        "DIR-comparison. Rules and the summary then read both.",
        File(),
        metavar="RUN",
        stated=Stated.NEVER,
        decides=False,
    )
    fail_if: tuple[Rule, ...] = setting(
        (),
        'Exit with status 4 if a rule holds, such as "accuracy<0.9", "recall[cat]<80%" or '
        '"pointing_game[grad_cam]<0.6". The report is written all the same. Repeatable.',
        Several(RuleText()),
        metavar="RULE",
        stated=Stated.NEVER,
        decides=False,
    )
    summary: Path | None = setting(
        None,
        "Write a summary in Markdown, for a pull request or a job: findings, figures, what fails, and a picture beside "
        "FILE. - writes to the terminal, with the picture in the text.",
        File(),
        metavar="FILE|-",
        stated=Stated.NEVER,
        decides=False,
    )
    json: Path | None = setting(
        None,
        "Write all numbers that rules can read, with intervals, as JSON to FILE, or to the terminal.",
        File(),
        metavar="FILE|-",
        stated=Stated.NEVER,
        decides=False,
    )
    open: bool = setting(False, "Open the report in the browser.", Flag(), stated=Stated.NEVER, decides=False)
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
        "How progress and warnings are written to the standard error stream: as lines to read, or as one JSON object a "
        "line.",
        Choice(("text", "json")),
        stated=Stated.NEVER,
        decides=False,
    )


@dataclass(frozen=True)
class MachineConfig:
    """What computes, how much at a time, and the random numbers.

    batch_size, workers: None chooses what fits.
    """

    group: ClassVar = Group.MACHINE

    device: str = setting("auto", "Device: auto, cpu, cuda, cuda:N or mps.", Text(), metavar="NAME", decides=False)
    batch_size: int | None = setting(
        None, "Batch size.", Integer(1, MOST_IN_A_BATCH, auto=True), metavar="N|auto", decides=False
    )
    seed: int = setting(0, "Random seed.", Integer(0), metavar="N", decides=False)
    engine: str = setting(
        "local",
        "What makes the maps: this process (local), or workers of a Ray cluster (ray), which needs "
        "pip install 'cnnvis-report[ray]'.",
        Choice(("local", "ray")),
        stated=Stated.NEVER,
        decides=False,
    )
    address: str | None = setting(
        None,
        "The Ray cluster of --engine ray: auto for the one that this machine is a node of, or HOST:PORT of its head.",
        Text(),
        metavar="auto|HOST:PORT",
        default_text="RAY_ADDRESS, or a cluster of this machine alone",
        stated=Stated.NEVER,
        decides=False,
    )
    workers: int | None = setting(
        None,
        "Workers of --engine ray; auto is one for each GPU, or for each node where there are none.",
        Integer(1, MOST_WORKERS, auto=True),
        metavar="N|auto",
        stated=Stated.NEVER,
        decides=False,
    )
