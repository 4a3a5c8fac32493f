"""An image set of samples that a program holds."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import Tensor

from cnnvis_report.data.content.content_hash import FileContent
from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.image_file import ImageFile, readable
from cnnvis_report.data.image_set import ImageItem, ImageSet, image_ids
from cnnvis_report.data.labels.class_names import Classes
from cnnvis_report.data.labels.parsing import labels_in
from cnnvis_report.data.limit import Limit, chosen, evenly
from cnnvis_report.data.masks.mask_files import Mask
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.byte_scale import spread_of
from cnnvis_report.data.preprocessing.preprocessing import Levels
from cnnvis_report.data.preprocessing.value_range import LOOKED_AT
from cnnvis_report.data.samples.inputs import Opened, Reader, digest, mask_picture
from cnnvis_report.data.samples.sample import Sample
from cnnvis_report.data.samples.samples import Samples
from cnnvis_report.errors import BadRequest, CnnVisError, told
from cnnvis_report.isolation.user_code import user_code_location
from cnnvis_report.records.images import Label


class SampleContent(FileContent):
    """What a sample holds, told by its values; a dataset that draws them anew is found out."""

    __slots__ = ("_sample",)

    def __init__(self, name: str, read: Callable[[], Opened]) -> None:
        super().__init__(Path(name))
        self._sample = read

    def opened(self) -> Opened:
        """The sample.

        Raises:
            UnusablePicture: it can't be read, or isn't what it was when it was first read.
        """
        image = self._sample()
        seen = digest(image)
        if self._digest not in ("", seen):
            self.replaced = True
            raise UnusablePicture(
                "the dataset gives another image each time it is read, as a random transform does: give one without"
            )
        self._digest = seen
        return image

    def check(self) -> None:
        """Nothing: it is read again wherever it is used."""

    def digest(self) -> str:
        """Of what was last read, or is read now."""
        if not self._digest:
            try:
                self.opened()
            except UnusablePicture:
                return "unreadable"
        return self._digest

    def recall(self, known: object) -> None:
        """Nothing: what was read earlier tells nothing of what a program holds now."""

    @property
    def remembered(self) -> dict[str, str]:
        """Nothing, for the same reason."""
        return {}


@dataclass(frozen=True)
class SampleSet:
    """Samples that become an image set once the network's classes are known.

    names: of the classes that the labels count, where they are known. limit: how many are taken, and which.
    unnamed: whether nobody has named the network's classes, so that these names are theirs where they are as many.
    """

    samples: Samples
    reader: Reader
    names: tuple[str, ...] | None
    limit: Limit | None
    unnamed: bool = False

    def labeled(self, classes: Sequence[str]) -> ImageSet:
        """The image set, each image with its labels where they are known."""
        order = self.names if self.unnamed and self.names is not None and len(self.names) == len(classes) else ()
        known = Classes(order or classes)
        labels = [self._labels(index, known) for index in range(len(self.samples))]
        indices, notices = chosen([""] * len(self.samples), labels, self.limit)
        files = [ImageFile(Path(name), name) for name in (readable(self.samples.name(index)) for index in indices)]
        masked = self._masked(indices)
        items = tuple(
            self._item(index, file, id, labels[index], masked=index in masked)
            for index, file, id in zip(indices, files, image_ids(files), strict=True)
        )
        return ImageSet(items, tuple(notices), order=order)

    def _masked(self, indices: Sequence[int]) -> set[int]:
        """Those that have a mask; all samples are read for it where the first has one."""
        first = next((sample for index in indices if (sample := self._tried(index)) is not None), None)
        if first is None or (first.mask is None and not getattr(self.samples, "masks", None)):
            return set()
        read = {index: self._tried(index) for index in indices}
        return {index for index, sample in read.items() if sample is not None and sample.mask is not None}

    def _tried(self, index: int) -> Sample | None:
        try:
            return self.samples[index]
        except Exception:  # the image will say why
            return None

    def _item(
        self, index: int, file: ImageFile, id: str, labels: tuple[Label, ...], *, masked: bool = False
    ) -> ImageItem:
        content = SampleContent(file.name, partial(self._open, index))
        if not masked:
            return ImageItem(id, file.name, content.opened, "", labels, None, (content,))
        mask = SampleContent(file.name, partial(self._open_mask, index))
        draw = cast(Callable[[], Mask], mask.opened)  # which is what `_open_mask` gives
        return ImageItem(id, file.name, content.opened, "", labels, draw, (content, mask))

    def _open(self, index: int) -> Opened:
        return self.reader.open(self._sample(index).image)

    def _open_mask(self, index: int) -> Mask:
        return mask_picture(self._sample(index).mask)

    def _sample(self, index: int) -> Sample:
        try:
            return self.samples[index]
        except CnnVisError as error:
            raise UnusablePicture(str(error)) from error
        except Exception as error:
            where = user_code_location(error)
            raise UnusablePicture(f"the dataset fails ({told(error)}{f', in {where}' if where else ''})") from error

    def _labels(self, index: int, classes: Classes) -> tuple[Label, ...]:
        try:
            label = self.samples.label(index)
        except Exception:  # the image will say why
            return ()
        return labels_of(label, classes, self.names)


def labels_of(label: Any, classes: Classes, names: tuple[str, ...] | None) -> tuple[Label, ...]:
    """The labels that a dataset means.

    Args:
        label: a class's index or name, several names, a row of zeros and ones with one for each class, or None.
        names: of the classes as the dataset counts them; its indices are the network's where they are unknown, or as
            many as the network's.
    """
    if isinstance(label, Tensor | np.ndarray):
        label = label.tolist()
    if isinstance(label, np.generic):
        label = label.item()
    if label is None:
        return ()
    if isinstance(label, list | tuple):
        return _several(list(label), classes, names)
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if isinstance(label, bool | int):
        return (_by_index(int(label), classes, names),) if label >= 0 else ()
    return tuple(labels_in(str(label), classes)) if isinstance(label, str) else ()


def _by_index(index: int, classes: Classes, names: tuple[str, ...] | None) -> Label:
    if names is not None and len(names) != len(classes.names):
        name = names[index] if index < len(names) else str(index)
        return next(iter(labels_in(name, classes)), Label(name))
    known = index < len(classes.names)
    return Label(classes.names[index] if known else str(index), index if known else None)


def _several(entries: list[Any], classes: Classes, names: tuple[str, ...] | None) -> tuple[Label, ...]:
    if len(entries) == len(classes.names) and all(entry in (0, 1) for entry in entries):
        return tuple(_by_index(index, classes, None) for index, entry in enumerate(entries) if entry)
    if all(isinstance(entry, int | str) for entry in entries):
        return tuple(dict.fromkeys(label for entry in entries for label in labels_of(entry, classes, names)))
    return ()


def levels_of(samples: Samples, reader: Reader, known: Levels) -> Levels:
    """How samples of more than 8 bits are read, all alike: with the fewest bits that hold the values of some of them.

    Args:
        known: what is known of it, which goes over that.
    """
    if known.range is not None or known.percentiles is not None or known.bits is not None:
        return known
    source, bits = SampleSet(samples, reader, None, None), []
    for index in evenly(range(len(samples)), LOOKED_AT):
        with suppress(UnusablePicture):  # which says so when its turn comes
            picture = source._open(index)
            if isinstance(picture, UprightPicture) and picture.deep:
                spread = spread_of(picture.pixels)
                bits += [spread.bits] if spread.bits and not (spread.windowed and known.windows) else []
    return replace(known, bits=max(bits, default=None))


def first_of(samples: Samples, reader: Reader, most: int = 16) -> Opened:
    """The first sample that can be read.

    Raises:
        BadRequest: none of the first ones can; the message says why the first can't.
    """
    failure = None
    source = SampleSet(samples, reader, None, None)
    for index in range(min(most, len(samples))):
        try:
            return source._open(index)
        except UnusablePicture as error:
            failure = failure or (samples.name(index), error)
    assert failure is not None  # there is at least one
    raise BadRequest(f"None of the first images can be read. {failure[0]}: {failure[1]}.")
