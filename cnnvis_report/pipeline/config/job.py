"""What a job takes from a run beside its pages, and when it fails."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.rules.rule import Rule, RuleText
from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import File, Flag, Several


@dataclass(frozen=True)
class JobConfig:
    """What a job takes from a run beside its pages, and when it fails."""

    group: ClassVar = Group.REPORT

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
