"""The images of a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from cnnvis_report.records.interpolations import INTERPOLATIONS
from cnnvis_report.settings import Group, Stated, setting
from cnnvis_report.settings.kinds import Choice, File, Integer, Numbers, Several, Text


@dataclass(frozen=True)
class DataConfig:
    """The images, their labels and masks, and how they are preprocessed.

    size: "224" (a square as the preprocessing cuts it), "192x256" (height by width, the whole picture) or "original".
    """

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
    size: str | None = setting(
        None,
        "Input size: a side (224), HEIGHTxWIDTH (192x256) without cropping, or original.",
        Text(numbers=True),
        metavar="SIZE",
        default_text="what the network was trained with",
        decides=False,
    )
    resize: str | None = setting(
        None,
        "Size before the crop: the shorter side (256), HEIGHTxWIDTH (192x256) whatever the aspect, or none.",
        Text(numbers=True),
        metavar="SIZE",
        default_text="what the network was trained with",
        decides=False,
    )
    crop: str | None = setting(
        None,
        "Crop from the center: a side (224), HEIGHTxWIDTH (192x256), or none.",
        Text(numbers=True),
        metavar="SIZE",
        default_text="what the network was trained with",
        decides=False,
    )
    interpolation: str | None = setting(
        None,
        "How images are resized.",
        Choice(INTERPOLATIONS),
        default_text="what the network was trained with",
        decides=False,
    )
    mean: tuple[float, ...] | None = setting(
        None,
        "Channel means for input normalization, e.g. 0.485,0.456,0.406.",
        Numbers(),
        metavar="NUMBERS",
        decides=False,
    )
    std: tuple[float, ...] | None = setting(
        None,
        "Channel standard deviations for input normalization, e.g. 0.229,0.224,0.225.",
        Numbers(),
        metavar="NUMBERS",
        decides=False,
    )
    range: tuple[float, ...] | None = setting(
        None,
        "Values of black and white in images of more than 8 bits per channel, e.g. 0,4095.",
        Numbers(),
        metavar="LOW,HIGH",
        default_text="the fewest bits that hold their values",
        decides=False,
    )
    rgb: tuple[float, ...] | None = setting(
        None,
        "Bands that pages show as red, green and blue, or one as gray, counted from 1; where the network reads neither "
        "gray nor color.",
        Numbers(),
        metavar="BANDS",
        default_text="the first three, or the first",
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
