"""Options of the preprocessing beside a transform that makes the network's input."""

from dataclasses import replace

from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.preprocessing.range_option import read_range
from cnnvis_report.errors import BadRequest
from cnnvis_report.pipeline.config import PreprocessingConfig


def keep_transform(known: Preprocessing, config: PreprocessingConfig) -> Preprocessing:
    """The preprocessing by a transform, which gets pictures of more than 8 bits as the user wants them.

    Raises:
        BadRequest: an option would change what the transform decides.
    """
    for option in ("size", "resize", "crop", "interpolation", "mean", "std"):
        if getattr(config, option) is not None:
            raise BadRequest(f"--{option}: a transform makes what the network reads, and decides that.")
    return known if config.range is None else replace(known, levels=read_range(config.range))
