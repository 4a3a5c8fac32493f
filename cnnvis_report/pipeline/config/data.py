"""The images of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, File, Integer, Several


@dataclass(frozen=True)
class DataConfig:
    """The images, their labels and masks, and which of them are explained."""

    group: ClassVar = Group.IMAGES

    images: tuple[Path, ...] = setting(
        (),
        "Image files, folders, and lists of paths and labels (.txt, .csv, .tsv).",
        Several(File()),
        argument=True,
        decides=False,
    )
    labels: str = setting(
        "names",
        "Where labels come from: subfolders named like classes, by WordNet ID, or all by class index (names); all "
        "subfolders, in alphabetical order where none is named like a class (folders); or subfolders named by a number "
        "(indices). In a list, labels follow the path.",
        Choice(("names", "folders", "indices")),
    )
    masks: Path | None = setting(
        None,
        "A folder of ground-truth masks, or of Pascal VOC boxes, named like the images.",
        File(),
        metavar="DIR",
        decides=False,
    )
    limit: int | None = setting(
        None, "Explain at most N images; with --select, N of the selected ones.", Integer(1), metavar="N", decides=False
    )
    limit_order: str = setting(
        "balanced",
        "Which images --limit takes: equally many of each class, drawn by the seed, or the first ones.",
        Choice(("balanced", "first")),
        only_with="limit",
        decides=False,
    )
    select: str = setting(
        "all",
        "Predict all images first, then explain only those that are misclassified, or only those classified correctly.",
        Choice(("all", "misclassified", "correct"), (("wrong", "misclassified"), ("right", "correct"))),
        stated=Stated.CHANGED,
    )
