"""Samples of datasets, loaders, lists and tensors: an image, its label and its name, one by one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from cnnvis_report.data.samples.loader import takes_all, unbatched
from cnnvis_report.data.samples.sample import Sample, sample_of
from cnnvis_report.errors import BadRequest, told

DEEPEST = 8  # of datasets around datasets
# where torchvision's and like datasets keep labels and paths, which saves decoding
LABEL_LISTS = ("targets", "labels", "_labels", "y", "attr", "samples", "_samples")
FILE_LISTS = ("samples", "imgs", "_samples", "_image_files", "_images", "images")
TRIED = 8  # samples whose labels are compared with the dataset's list


class Samples(Protocol):
    """Samples by their number, from 0."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Sample:
        """Read one; whatever the dataset raises is raised."""
        ...

    def label(self, index: int) -> Any:
        """The label of one, without reading its image where the dataset can do that."""
        ...

    def name(self, index: int) -> str:
        """What the report calls one."""
        ...


@dataclass(frozen=True)
class FromDataset:
    """Samples of anything with a length that gives one for a number: a dataset, a list, a tensor."""

    dataset: Any

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Sample:
        return sample_of(self.dataset[index])

    def label(self, index: int) -> Any:
        """The label, from the dataset's own list of them where there is one."""
        labels = self._labels
        return self[index].label if labels is None else labels[_innermost(self.dataset, index)[1]]

    @cached_property
    def _labels(self) -> Any:
        """The dataset's own list of labels; None where it has none, or its samples say otherwise."""
        dataset, _ = _innermost(self.dataset, 0)
        for name in LABEL_LISTS:
            labels = getattr(dataset, name, None)
            if not isinstance(labels, Sequence | np.ndarray | Tensor) or isinstance(labels, str):
                continue
            if len(labels) and isinstance(labels[0], tuple):  # beside the paths
                labels = [entry[-1] for entry in labels]
            if len(labels) == len(dataset) and all(map(partial(self._agrees, labels), _spread(len(self)))):
                return labels
        return None

    def _agrees(self, labels: Any, index: int) -> bool:
        """Whether a sample has the label that the list says; one that can't be read tells nothing."""
        try:
            label = self[index].label
        except Exception:  # its image will say why
            return True
        return bool(np.array_equal(np.asarray(label), np.asarray(labels[_innermost(self.dataset, index)[1]])))

    def name(self, index: int) -> str:
        """The file's path below the dataset's folder, where it has files; else its number."""
        dataset, inner = _innermost(self.dataset, index)
        lists = (getattr(dataset, name, None) for name in FILE_LISTS)
        files = next((files for files in lists if isinstance(files, list) and len(files) == len(dataset)), None)
        entry = files[inner] if files is not None else dataset
        entry = (entry,) if isinstance(entry, str | Path) else entry
        path = entry[0] if isinstance(entry, tuple) else None
        if path is None and isinstance(dataset, list | tuple):
            image = sample_of(dataset[inner]).image
            path = image if isinstance(image, str | Path) else getattr(image, "filename", None)
        if not isinstance(path, str | Path) or not str(path):
            return f"image {index:0{len(str(max(1, len(self.dataset) - 1)))}d}"
        root = getattr(dataset, "root", None)
        inside = isinstance(root, str | Path) and Path(path).is_relative_to(root)
        return Path(path).relative_to(root).as_posix() if inside and root is not None else Path(path).name


def samples_of(images: object, labels: object, limit: int | None, masks: object = None) -> Samples:
    """The samples of whatever was handed over.

    Args:
        images: a dataset, a loader, a list or tensor of images, a pair of images and labels.
        labels: of the images, in their order; None where the dataset has them, or nobody knows.
        limit: samples that are taken of what has no length. masks: as `labels`, of each image or None.

    Raises:
        BadRequest: it is nothing that gives images, or there are more or fewer labels or masks than images.
    """
    if labels is None and isinstance(images, tuple) and len(images) == 2 and _is_batch(images[0]):
        images, labels = images
    samples = _samples(images, limit)
    try:
        count = len(samples)
    except Exception as error:
        raise BadRequest(f"The dataset's length can't be told ({told(error)}).") from error
    if not count:
        raise BadRequest("There are no images: what was handed over is empty.")
    for what, values in (("labels", labels), ("masks", masks)):
        _check_beside(what, values, count)
    return samples if labels is None and masks is None else _Annotated(samples, labels, masks)


def _check_beside(what: str, values: Any, count: int) -> None:
    if values is None:
        return
    if not hasattr(values, "__len__") or not hasattr(values, "__getitem__"):
        raise BadRequest(f"{what} are {_kind(values)}; a list with one for each image is needed.")
    if len(values) != count:
        raise BadRequest(f"There are {len(values)} {what} for {count} images; each needs one.")


@dataclass(frozen=True)
class _Annotated:
    """Samples with labels or masks that were given apart."""

    samples: Samples
    labels: Any
    masks: Any

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        sample = self.samples[index]
        label = sample.label if self.labels is None else self.labels[index]
        return Sample(sample.image, label, sample.mask if self.masks is None else self.masks[index])

    def label(self, index: int) -> Any:
        """The label that was given, or else the sample's."""
        return self.samples.label(index) if self.labels is None else self.labels[index]

    def name(self, index: int) -> str:
        """As without it."""
        return self.samples.name(index)


def transform_of(dataset: Any) -> Any:
    """What a dataset makes of its pictures; None where it says nothing of that."""
    for _ in range(DEEPEST):
        transform = getattr(dataset, "transform", None)
        if transform is not None:
            return transform
        dataset = getattr(dataset, "dataset", None)
    return None


def class_names_of(dataset: Any) -> tuple[str, ...] | None:
    """The names of the classes as a dataset has them: torchvision's `classes`, or the features of Hugging Face's."""
    for _ in range(DEEPEST):
        names, features = _own_class_names(dataset), getattr(dataset, "features", None)
        if names is None and isinstance(features, dict):
            lists = (getattr(value, "names", None) for value in features.values())
            names = next((names for names in lists if isinstance(names, list)), None)
        if isinstance(names, list | tuple) and names and all(isinstance(entry, str) for entry in names):
            return tuple(names)
        dataset = getattr(dataset, "dataset", None)
    return None


def _own_class_names(dataset: Any) -> Any:
    for name in ("classes", "categories", "attr_names"):
        names = getattr(dataset, name, None)
        if isinstance(names, list | tuple):  # ImageNet has several names a class
            joined = [", ".join(entry) if isinstance(entry, tuple) else entry for entry in names]
            return joined[:-1] if name == "attr_names" and joined[-1:] == [""] else joined
    return None


def _samples(images: object, limit: int | None) -> Samples:
    if isinstance(images, DataLoader):
        dataset = images.dataset
        if takes_all(images):
            return FromDataset(dataset)
        return FromDataset(unbatched(images, limit))
    if isinstance(images, Image.Image) or (isinstance(images, Tensor | np.ndarray) and images.ndim < 4):
        raise BadRequest(f"images are {_kind(images)}, a single one; give a list of it, [image].")
    if isinstance(images, str | Path):
        return FromDataset([Path(images)])
    if hasattr(images, "__len__") and hasattr(images, "__getitem__") and not isinstance(images, Mapping):
        return FromDataset(images)
    if isinstance(images, Iterable) and not isinstance(images, Mapping):
        return FromDataset(list(islice(images, limit)))
    raise BadRequest(
        f"images are {_kind(images)}; a Dataset, a DataLoader, a list of pictures, tensors or paths, or a tensor "
        f"N×C×H×W is needed."
    )


def _spread(count: int) -> list[int]:
    """A few numbers from the first to the last."""
    return sorted({number * (count - 1) // (TRIED - 1) for number in range(TRIED)})


def _innermost(dataset: Any, index: int) -> tuple[Any, int]:
    """The dataset that subsets are of, and the sample's number in it."""
    while isinstance(dataset, Subset):
        dataset, index = dataset.dataset, int(dataset.indices[index])
    return dataset, index


def _is_batch(images: object) -> bool:
    return isinstance(images, Tensor | np.ndarray) and images.ndim == 4


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
