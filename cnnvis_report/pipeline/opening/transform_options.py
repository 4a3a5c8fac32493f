"""Options of the preprocessing beside a transform that makes the network's input."""

from dataclasses import replace

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.preprocessing.range_option import read_range
from cnnvis_report.errors import UnusedOption
from cnnvis_report.pipeline.config import PreprocessingConfig


def keep_transform(known: Preprocessing, config: PreprocessingConfig) -> Preprocessing:
    """The preprocessing by a transform, which gets pictures of more than 8 bits as the user wants them.

    Raises:
        UnusedOption: an option would change what the transform decides.
    """
    for option in ("size", "resize", "crop", "interpolation", "mean", "std"):
        value = getattr(config, option)
        if value is not None:
            text = value if isinstance(value, str) else ",".join(f"{number:g}" for number in value)
            raise UnusedOption(f"--{option}", text, "a transform makes what the network reads, and decides that.")
    return known if config.range is None else replace(known, levels=read_range(config.range))
