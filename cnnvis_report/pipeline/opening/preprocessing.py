"""The preprocessing of a run: the model's, with what the user wants otherwise."""

import re
from dataclasses import replace

from cnnvis_report.data.preprocessing.preprocessing import Levels, Preprocessing, read_sides
from cnnvis_report.data.preprocessing.shown_bands import MOST_BANDS, choose_bands
from cnnvis_report.errors import BadRequest, UnusedOption, shown
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.model import Model
from cnnvis_report.models.own_code.functions import transform_at
from cnnvis_report.models.own_code.transform import with_transform
from cnnvis_report.pipeline.config import PreprocessingConfig
from cnnvis_report.settings.numbers import number

NONE = "none"
PERCENTILE = re.compile(r"p([0-9]{1,3}(?:\.[0-9]{1,6})?)")
WANTED = (
    "give LOW,HIGH, the values that are black and white, the first below the second, such as 0,4095; percentiles of "
    "each picture, such as p1,p99; window, which files of DICOM and NIfTI bring; or full, whatever window they bring"
)


def with_preprocessing(model: Model, config: PreprocessingConfig) -> Model:
    """The model with its preprocessing as the user wants it, and what is to be known of its bands.

    Raises:
        BadRequest: as `adjusted_preprocessing` does.
    """
    preprocessing = adjusted_preprocessing(model, config)
    notices = _band_notices(preprocessing, chosen=config.rgb is not None)
    return replace(model, preprocessing=preprocessing, notices=(*model.notices, *notices))


def adjusted_preprocessing(model: Model, config: PreprocessingConfig) -> Preprocessing:
    """The model's preprocessing with what the user wants otherwise.

    Raises:
        BadRequest: a size or constants that can't be used.
    """
    known = model.preprocessing
    if config.transform is not None:
        channels = input_channels(model.network) or known.channels
        known = with_transform(transform_at(config.transform), f"--transform {config.transform}", channels)
    if known.transform is not None:
        return keep_transform(known, config)
    channels = len(config.mean or config.std or ()) or input_channels(model.network) or known.channels
    if channels > MOST_BANDS:
        raise BadRequest(f"{model.name} reads {channels} channels; pictures of at most {MOST_BANDS} are read.")
    known = known.with_channels(channels)
    mean, std = config.mean or known.mean, config.std or known.std
    if len(mean) != len(std):
        raise BadRequest(f"--mean has {len(mean)} numbers and --std {len(std)}; each needs one per channel.")
    if not all(value > 0 for value in std):
        raise BadRequest(f"--std {' '.join(map(str, std))}: each number has to be above 0.")
    known = replace(known, mean=mean, std=std, bands=choose_bands(channels, config.rgb))
    if config.range is not None:
        known = replace(known, levels=read_range(config.range))
    return adjusted_geometry(known, config.size, config.resize, config.crop, config.interpolation)


def _band_notices(preprocessing: Preprocessing, *, chosen: bool) -> tuple[str, ...]:
    """Which bands pages show where nobody has said it, and that nobody has said how bands are normalized."""
    channels, bands = preprocessing.channels, preprocessing.bands
    if bands is None:
        return ()
    notices = []
    if not chosen:
        notices.append(
            f"Of {channels} bands, pages show {replace(bands, stretched=False).describe()}; --rgb chooses others."
        )
    if set(preprocessing.mean) == {0.0} and set(preprocessing.std) == {1.0}:
        notices.append(
            f"Nothing says how the {channels} bands are normalized: the network gets values from 0 to 1 as they are; "
            f"--mean and --std take {channels} numbers each."
        )
    return tuple(notices)


def adjusted_geometry(
    known: Preprocessing, size: str | None, resize: str | None, crop: str | None, interpolation: str | None
) -> Preprocessing:
    """The preprocessing with what --size, --resize, --crop and --interpolation say; None leaves a part as it is.

    Raises:
        BadRequest: one can't be read.
        UnusedOption: --size is given beside what it stands for.
    """
    for option, value in (("--resize", resize), ("--crop", crop)):
        if size is not None and value is not None:
            raise UnusedOption(option, value, f"--size {size} sets --resize and --crop; give either.", "--size")
    if size is not None:
        known = known.resized(size)
    if resize is not None:
        known = replace(known, resize=_resize(resize), aspect="squash")
    if crop is not None:
        known = replace(known, crop=_crop(crop))
    return known if interpolation is None else replace(known, interpolation=interpolation)


def _resize(text: str) -> int | tuple[int, int] | None:
    wanted = "the shorter side such as 256, HEIGHTxWIDTH such as 192x256, or none"
    return None if text == NONE else read_sides(text, "--resize", wanted)


def _crop(text: str) -> tuple[int, int] | None:
    if text == NONE:
        return None
    sides = read_sides(text, "--crop", "a side such as 224, HEIGHTxWIDTH such as 192x256, or none")
    return sides if isinstance(sides, tuple) else (sides, sides)


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
