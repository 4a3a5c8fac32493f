"""The images of a run that are samples: of a dataset, a loader or a list that a program or a module holds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.image_set import ImageSet, Limit
from cnnvis_report.data.preprocessing.prepare import Picture
from cnnvis_report.data.samples.inputs import Constants, Reader, input_preprocessing
from cnnvis_report.data.samples.sample_set import SampleSet, first_of, levels_of
from cnnvis_report.data.samples.samples import Samples, class_names_of, samples_of, transform_of
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.model import Model
from cnnvis_report.models.own_code.datasets import dataset_at, is_own_dataset
from cnnvis_report.models.own_code.transform import normalization_of
from cnnvis_report.pipeline.opening.preprocessing import adjusted_preprocessing

if TYPE_CHECKING:
    from cnnvis_report.pipeline.config import RunConfig

SCALED = (
    "The images are shown with their lowest value as black and their highest as white: their normalization isn't "
    "known. What starts from black or gray, as integrated gradients and occlusion do, starts from 0, whatever color "
    "that is. Give mean and std to have both right."
)


def limit_of(config: "RunConfig") -> Limit | None:
    """How many images are taken, and which; None where all are."""
    data = config.data
    return None if data.limit is None else Limit(data.limit, data.limit_order, config.machine.seed)


@dataclass(frozen=True)
class SampleRequest:
    """What was handed over.

    images: a dataset, a loader, a list or a tensor. labels, masks: one per image, where the images have none.
    """

    images: object
    labels: object = None
    masks: object = None


def sample_source(
    model: Model, request: SampleRequest, config: "RunConfig"
) -> tuple[Model, Callable[[Sequence[str]], ImageSet]]:
    """The model as it reads the samples, and the image set by class names.

    Raises:
        BadRequest: they are no images, or a setting doesn't fit them.
    """
    for name, wanted in (("masks", config.data.masks), ("labels", config.data.labels != "names")):
        if wanted:
            raise BadRequest(f"{name}: the images are no files of a folder or a list; give one for each image.")
    samples: Samples = samples_of(request.images, request.labels, config.data.limit, request.masks)
    dataset = getattr(request.images, "dataset", request.images)
    reader = Reader(_normalization(config) or normalization_of(transform_of(dataset)), config.preprocessing.rgb)
    if isinstance(first := first_of(samples, reader), Picture):
        model = _of_inputs(model, first, reader, config)
    else:
        preprocessing = adjusted_preprocessing(model, config.preprocessing)
        if isinstance(first, UprightPicture) and first.deep:
            preprocessing = replace(preprocessing, levels=levels_of(samples, reader, preprocessing.levels))
        model, reader = replace(model, preprocessing=preprocessing), replace(reader, levels=preprocessing.levels)
    limit = limit_of(config) if config.data.select == "all" else None
    source = SampleSet(samples, reader, class_names_of(dataset), limit, unnamed=model.classes is None)
    return model, source.labeled


def own_dataset_source(model: Model, config: "RunConfig") -> tuple[Model, Callable[[Sequence[str]], ImageSet]] | None:
    """The same of IMAGES that name a dataset of a user's own; None where they don't.

    Raises:
        BadRequest: it can't be had, is no dataset, or stands among other images.
    """
    images = config.data.images
    spec = next(filter(is_own_dataset, images), None)
    if spec is None:
        return None
    if len(images) > 1:
        raise BadRequest(f"{spec}: a dataset of your own is given alone, without other IMAGES.")
    for option, value in (("--masks", config.data.masks), ("--label-columns", config.data.label_columns)):
        if value:
            raise BadRequest(f"{option}: {spec} is a dataset of your own, whose samples have labels and masks.")
    dataset: Any = dataset_at(spec, config.data.split)
    try:
        return sample_source(model, SampleRequest(dataset), config)
    except BadRequest as error:
        raise BadRequest(f"{spec}: {error}") from error


def _of_inputs(model: Model, first: Picture, reader: Reader, config: "RunConfig") -> Model:
    """The model with samples that are what it reads."""
    if config.preprocessing.size is not None:
        raise BadRequest("size: the images are tensors and keep the size that they have.")
    if model.preprocessing.transform is not None:
        raise BadRequest("transform: the images are tensors, which the network reads as they are; give pictures.")
    beyond = not 0 <= float(first.values.min()) <= float(first.values.max()) <= 1
    notices = (SCALED,) if reader.constants is None and beyond else ()
    preprocessing = input_preprocessing(reader.constants, len(first.values), reader.rgb, scaled=beyond)
    return replace(model, preprocessing=preprocessing, notices=(*model.notices, *notices))


def _normalization(config: "RunConfig") -> Constants | None:
    """The constants of the normalization that the user gives."""
    mean, std = config.preprocessing.mean, config.preprocessing.std
    if mean is None and std is None:
        return None
    if mean is None or std is None or len(mean) != len(std) or min(std) <= 0:
        raise BadRequest("mean and std: give both, one number per channel, std above 0.")
    return mean, std
