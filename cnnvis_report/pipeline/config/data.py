"""The images of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.data.labels.modes import MODES
from cnnvis_report.data.limit import ORDERS
from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, File, Integer, Names, Several, Text
from cnnvis_report.settings.text_kinds import ChoiceOrFile, FileOrAddress


@dataclass(frozen=True)
class DataConfig:
    """The images, their labels and masks, and which of them are explained."""

    group: ClassVar = Group.IMAGES

    images: tuple[str, ...] = setting(
        (),
        "Image files, folders, archives, data sets, and tables of paths and labels.",
        Several(FileOrAddress()),
        argument=True,
        decides=False,
    )
    labels: str = setting(
        "names",
        "Where labels come from: subfolders named like classes, by WordNet ID, or all by class index (names); all "
        "subfolders, in alphabetical order where none is named like a class (folders); subfolders named by a number "
        "(indices); or a file: a table (CSV, TSV, JSON, JSON lines, Parquet), a list, or COCO's annotations, joined by "
        "name.",
        ChoiceOrFile(MODES),
        metavar="names|folders|indices|FILE",
    )
    label_columns: tuple[str, ...] = setting(
        (),
        "Columns of a table or a data set that hold labels, by name, with commas between them; found by their usual "
        "names without it.",
        Names(),
        metavar="NAMES",
        decides=False,
    )
    split: str = setting(
        "",
        "The part of a table or a data set that is taken, such as val; all of it without one.",
        Text(empty=True),
        metavar="NAME",
        decides=False,
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
        Choice(ORDERS),
        only_with=("limit",),
        decides=False,
    )
    select: str = setting(
        "all",
        "Predict all images first, then explain only those that are misclassified, or only those classified correctly.",
        Choice(("all", "misclassified", "correct"), (("wrong", "misclassified"), ("right", "correct"))),
        stated=Stated.CHANGED,
    )
