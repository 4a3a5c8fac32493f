"""The pictures of a dataset as entries, which are images like any others."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from cnnvis_report.data.entry import Entry
from cnnvis_report.data.image_file import ImageFile
from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.samples.sample import sample_of
from cnnvis_report.data.samples.samples import FromDataset
from cnnvis_report.errors import told


@dataclass(frozen=True)
class DatasetEntry(Entry):
    """The picture of one sample, as a PNG without loss."""

    dataset: Any = field(repr=False, compare=False)
    index: int

    def read(self) -> bytes:
        """The picture, upright as the dataset gives it, without whatever else its file holds."""
        try:
            picture = sample_of(self.dataset[self.index]).image
        except Exception as error:  # of somebody else's code
            raise UnusablePicture(f"the data set fails ({told(error)})") from error
        if not isinstance(picture, Image.Image):
            raise UnusablePicture(f"the data set gives a {type(picture).__name__}, and no picture")
        stream = BytesIO()
        try:
            picture = picture if picture.mode in PNG_MODES else picture.convert("RGB")
            picture.save(stream, "PNG", compress_level=0, exif=b"", icc_profile=None)
        except (OSError, ValueError) as error:
            raise UnusablePicture(f"a picture of mode {picture.mode}, which can't be read") from error
        return stream.getvalue()

    def head(self) -> bytes:
        """Nothing: to make one picture takes as long as to read it."""
        return b""


PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


def dataset_files(
    dataset: Any, key: str, before: str = "", masks: Mapping[int, Annotation] | None = None
) -> list[ImageFile]:
    """The images of a dataset of pictures, none of which is read but a few whose labels are compared.

    Args:
        key: tells the dataset from others. before: what stands before the names. masks: by number, where there are any.
    """
    samples = FromDataset(dataset)
    files = []
    for index in range(len(samples)):
        name = before + samples.name(index)
        entry = DatasetEntry(None, f"{key}\n{index}", dataset, index)
        labels = label_texts(_label(samples, index))
        mask = masks.get(index) if masks is not None else None
        files.append(ImageFile(Path(f"{index}.png"), name, labels=labels, mask=mask, entry=entry))
    return files


def label_texts(label: Any) -> tuple[str, ...]:
    """A sample's label as a list would have it: a name, a number, or the numbers of the ones in a row of 0 and 1."""
    if isinstance(label, Tensor | np.ndarray | np.generic):
        label = label.tolist()
    if isinstance(label, list | tuple):
        if len(label) > 1 and all(isinstance(part, int | float) and part in (0, 1) for part in label):
            return tuple(str(index) for index, part in enumerate(label) if part)
        return tuple(text for part in label for text in label_texts(part))
    if isinstance(label, float) and label.is_integer():
        label = int(label)
    if isinstance(label, bool | int):
        return (str(int(label)),) if label >= 0 else ()
    return (label,) if isinstance(label, str) and label else ()


def _label(samples: FromDataset, index: int) -> Any:
    try:
        return samples.label(index)
    except Exception:  # its image will say why
        return None
