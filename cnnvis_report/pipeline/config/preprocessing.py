"""How images become what the network reads."""

from dataclasses import dataclass
from typing import ClassVar

from cnnvis_report.records.interpolations import INTERPOLATIONS
from cnnvis_report.settings import Group, setting
from cnnvis_report.settings.kinds import Choice, FileName, Numbers, Text
from cnnvis_report.settings.text_kinds import RangeText


@dataclass(frozen=True)
class PreprocessingConfig:
    """What a user wants otherwise than the model's own preprocessing.

    size: "224" (a square as the preprocessing cuts it), "192x256" (height by width, the whole picture) or "original".
    """

    group: ClassVar = Group.IMAGES

    transform: str | None = setting(
        None,
        "A function of your own that turns a picture into the network's input, in place of resizing, cropping and "
        "normalizing: package.module:function or path/to/file.py:function, such as a pipeline of torchvision, timm or "
        "Albumentations, or a function that returns one.",
        FileName(),
        metavar="FUNCTION",
        default_text="what the network was trained with",
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
    range: str | None = setting(
        None,
        "Values of black and white in images of more than 8 bits per channel: numbers (0,4095), percentiles of each "
        "image (p1,p99), window (the file's own, of DICOM and NIfTI) or full.",
        RangeText(),
        metavar="LOW,HIGH",
        default_text="the file's own window, else the fewest bits that hold the values",
        decides=False,
    )
    rgb: tuple[float, ...] | None = setting(
        None,
        "For a network whose input is neither gray nor color: the bands that pages show as red, green and blue, or the "
        "one that they show as gray, counted from 1.",
        Numbers(),
        metavar="BANDS",
        default_text="the first three, or the first",
        decides=False,
    )
