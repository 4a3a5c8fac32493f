"""The preprocessing of a run: the model's, with what the user wants otherwise."""

from dataclasses import replace

from cnnvis_report.data.preprocessing.geometry_options import adjusted_geometry
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.preprocessing.range_option import read_range
from cnnvis_report.data.preprocessing.shown_bands import MOST_BANDS, choose_bands
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.model import Model
from cnnvis_report.models.own_code.functions import transform_at
from cnnvis_report.models.own_code.transform import with_transform
from cnnvis_report.pipeline.config import PreprocessingConfig
from cnnvis_report.pipeline.opening.transform_options import keep_transform


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
