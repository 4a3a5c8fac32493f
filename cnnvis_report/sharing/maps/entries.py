"""Which map is in which file: the entries of a manifest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord, MapRecord


@dataclass(frozen=True)
class Entry:
    """A map in the manifest.

    file: relative to the folder. key: its name within the file, where that holds several. image, name: id and name of
    the image. label: of the image, None without one. method, layer: whose map it is. target, class_name: the class
    that it explains. shape: of the values that are written. largest: the largest absolute value that is stored.
    """

    file: str
    key: str
    image: str
    name: str
    label: str | None
    method: str
    layer: str
    target: int
    class_name: str
    shape: tuple[int, ...]
    largest: float


def map_name(record: MapRecord) -> str:
    """Such as "grad_cam@layer4-281", which any system can have for a file."""
    return record.key.rpartition("/")[0].replace("/", "@") + f"-{record.target}"


def entry_of(image: ImageRecord, record: MapRecord, values: npt.NDArray[Any], file: str, key: str = "") -> Entry:
    """What the manifest says of a map."""
    names = {target.index: target.name for target in image.targets}
    return Entry(
        file=file,
        key=key,
        image=image.id,
        name=image.name,
        label=image.label.name if image.label else None,
        method=record.method,
        layer=record.layer,
        target=record.target,
        class_name=names.get(record.target, ""),
        shape=values.shape,
        largest=float(np.abs(values).max()),
    )
