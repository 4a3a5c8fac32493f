"""The images of a run: found, read in one way, and labeled with whatever classes the network turns out to have."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnnvis_report.data.collection import Selection
from cnnvis_report.data.decoding.decode import COLOR
from cnnvis_report.data.image_set import FoundImages, ImageSet, find_images, labeled
from cnnvis_report.data.labels.class_files import read_classes
from cnnvis_report.data.labels.class_names import distinct
from cnnvis_report.data.labels.modes import MODES
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.preprocessing.value_range import find_levels
from cnnvis_report.data.tables.label_file import with_labels_of
from cnnvis_report.models.model import Model
from cnnvis_report.pipeline.opening.sample_source import limit_of, own_dataset_source

if TYPE_CHECKING:
    from cnnvis_report.pipeline.config import RunConfig

Aliases = tuple[tuple[str, ...], ...]


def image_source(model: Model, config: "RunConfig") -> tuple[Model, Callable[[Sequence[str]], ImageSet], Aliases]:
    """The model as it reads these images, the image set by class names, and what else the classes are called.

    Raises:
        BadRequest: there are no images, or the class names can't be read.
    """
    if (samples := own_dataset_source(model, config)) is not None:
        return *samples, ()
    # a user's own transform takes pictures, whatever it makes of them
    channels = COLOR if model.preprocessing.transform is not None else model.preprocessing.channels
    images = _images(config, channels)
    aliases: Aliases = ()
    if config.model.class_names is not None:
        known = read_classes(config.model.class_names)
        model, aliases = replace(model, classes=known.names), known.aliases
    classes = distinct(model.classes) if model.classes is not None else None
    levels, level_notices = find_levels(images, model.preprocessing.levels, "--range", channels)
    bands = model.preprocessing.bands
    if bands is not None and levels.range is None and any(image.deep for image in images):
        bands = replace(bands, stretched=True)
    preprocessing = replace(model.preprocessing, levels=levels, bands=bands)
    # with --select, the limit is of the selection, which a look at all images finds
    limit = limit_of(config) if config.data.select == "all" else None

    def label(classes: Sequence[str]) -> ImageSet:
        return labeled(
            images,
            classes,
            labels=config.data.labels if config.data.labels in MODES else MODES[0],
            aliases=aliases,
            masks=config.data.masks,
            limit=limit,
            levels=levels,
            channels=channels,
        )

    notices = (*model.notices, *level_notices, *_of_transform(images, preprocessing))
    return replace(model, classes=classes, preprocessing=preprocessing, notices=notices), label, aliases


def _of_transform(images: FoundImages, preprocessing: Preprocessing) -> tuple[str, ...]:
    """That a transform gets pictures of bytes, whatever the files hold."""
    if preprocessing.transform is None or not any(image.deep for image in images):
        return ()
    return ("Pictures of more than 8 bits are given to the transform in 256 steps of their range.",)


def _images(config: "RunConfig", channels: int) -> FoundImages:
    """The images, with the labels of a file where one is given: then a split and columns are those of the file."""
    data = config.data
    if not data.images:
        return FoundImages(())
    selection = Selection(data.split, data.label_columns)
    if data.labels in MODES:
        return find_images(data.images, channels, selection)
    return with_labels_of(find_images(data.images, channels), Path(data.labels), selection)
