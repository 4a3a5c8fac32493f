"""What --range says: which values of a picture of more than 8 bits a channel are black and white."""

import re

from cnnvis_report.data.preprocessing.preprocessing import Levels
from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.settings.numbers import number

PERCENTILE = re.compile(r"p([0-9]{1,3}(?:\.[0-9]{1,6})?)")
WANTED = (
    "give LOW,HIGH, the values that are black and white, the first below the second, such as 0,4095; percentiles of "
    "each picture, such as p1,p99; window, which files of DICOM and NIfTI bring; or full, whatever window they bring"
)


def read_range(text: str) -> Levels:
    """How pictures of more than 8 bits are read: "0,4095", "p1,p99", "window" or "full".

    Raises:
        BadRequest: the text is none of these.
    """
    if text == "window":
        return Levels()
    if text == "full":
        return Levels(windows=False)
    parts = [part.strip() for part in text.split(",")]
    percentiles = [PERCENTILE.fullmatch(part) for part in parts]
    ends = [number(part) if match is None else float(match[1]) for part, match in zip(parts, percentiles, strict=True)]
    both = len(ends) == 2 and None not in ends
    low, high = ends if both else (None, None)
    if low is None or high is None or not low < high or len(set(map(bool, percentiles))) != 1:
        raise BadRequest(f"--range {shown(text)}: {WANTED}.")
    if percentiles[0] is None:
        return Levels(range=(low, high))
    if high > 100:
        raise BadRequest(f"--range {shown(text)}: percentiles lie between p0 and p100.")
    return Levels(percentiles=(low, high))
