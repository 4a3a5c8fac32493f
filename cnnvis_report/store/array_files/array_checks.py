"""Whether arrays are those that a record speaks of: their names, their shapes, and numbers that can be drawn."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.records.inspection import InspectionRecord
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.store.array_files.half import COLOR, SCALE
from cnnvis_report.store.files.names import NETWORK

Arrays = Mapping[str, npt.NDArray[Any]]

# of what is found inside a network, by the beginning of its name: the kind of number, and how many sides it has
INSPECTION = {
    "kernels": ("f", (4,)),
    "channel_stats": ("f", (2,)),
    "top_images": ("u", (2, 3)),
    "maximized": ("u", (2, 3)),
    "frames": ("u", (3, 4)),
    "maps": ("u", (3,)),
    "channels": ("f", (2,)),
    "summary": ("f", (2,)),
    "units": ("u", (2, 3)),
    "classes": ("f", (2,)),
    "inverted": ("u", (2, 3)),
}


def wrong_arrays(image: ImageRecord, arrays: Arrays) -> str:
    """In which way arrays aren't those of an image; empty where they are."""
    wanted = {"picture", *_map_keys(image), *(["mask"] if image.mask_fraction is not None else [])}
    predicted = {ScoreKind.SEGMENTATION: {"segmentation"}, ScoreKind.DETECTION: {"boxes"}}
    wanted |= predicted.get(image.kind, set())
    if arrays.keys() != wanted:
        name = sorted(arrays.keys() ^ wanted)[0]
        return f"holds {name[:60]!r}, which isn't of this image" if name in arrays else f"hasn't got {name!r}"
    picture = arrays["picture"]
    if picture.dtype != np.uint8 or picture.shape[:2] != image.size or picture.shape[2:] not in ((), (3,)):
        return f"has a picture of {picture.shape} {picture.dtype} for one of {image.size}"
    if "mask" in arrays and (arrays["mask"].shape != image.size or not np.isfinite(arrays["mask"]).all()):
        return f"has a mask of {arrays['mask'].shape} for a picture of {image.size}"
    segmentation = arrays.get("segmentation", np.zeros((1, 1), dtype=np.int16))
    if segmentation.ndim != 2 or segmentation.dtype != np.int16:
        return f"has a segmentation of {segmentation.shape} {segmentation.dtype}, not whole numbers"
    boxes = arrays.get("boxes", np.zeros((0, 6), dtype=np.float32))
    if boxes.ndim != 2 or boxes.shape[1] != 6 or boxes.dtype != np.float32 or not np.isfinite(boxes).all():
        return f"has boxes of {boxes.shape} {boxes.dtype}, not six finite numbers each"
    return next(filter(None, (_wrong_map(record, arrays) for record in image.maps)), "")


def _map_keys(image: ImageRecord) -> Iterator[str]:
    """The arrays of an image's maps."""
    for record in image.maps:
        yield record.key
        if record.scale is not None:
            yield f"{record.key}/{SCALE}"
        if record.colors:
            yield f"{record.key}/{COLOR}"


def _wrong_map(record: MapRecord, arrays: Arrays) -> str:
    """In which way the arrays of a map aren't those that its record speaks of; empty where they are."""
    key, values = record.key, arrays[record.key]
    if values.shape != record.shape or values.dtype.kind != "f":
        return f"has {key!r} of {values.shape} in the place of {record.shape}"
    if not np.isfinite(values).all():
        return f"has values that aren't finite in {key!r}"
    if record.scale is not None:
        scale = arrays[f"{key}/{SCALE}"]
        if values.dtype != np.float16 or scale.shape != (1,) or scale[0] != record.scale:
            return f"has {key!r} in {values.dtype} on another scale than {record.scale}"
    colors = arrays[f"{key}/{COLOR}"] if record.colors else np.zeros(record.shape[-2:], dtype=np.uint8)
    if colors.dtype != np.uint8 or colors.shape[:2] != record.shape[-2:] or colors.shape[2:] not in ((), (3,)):
        return f"has a color picture of {colors.shape} {colors.dtype} for {key!r}"
    return ""


def wrong_inspection(inside: InspectionRecord | None, name: str, arrays: Arrays) -> str:
    """In which way arrays aren't those found inside a network, of an image by its id or of itself by NETWORK."""
    missing = next((key for key in _inspection_keys(inside, name) if key not in arrays), None)
    if missing is not None:
        return f"hasn't got {missing!r}"
    for key, values in arrays.items():
        kind, sides = INSPECTION.get(key.partition("/")[0], ("", ()))
        colors = (
            values.shape[3:] if key.startswith("frames/") else values.shape[2:] if 3 in sides and 2 in sides else ()
        )
        if values.dtype.kind != kind or values.ndim not in sides or not values.size or colors not in ((), (3,)):
            return f"has {key[:60]!r} of {values.shape} {values.dtype}, which isn't found inside a network"
        if not np.isfinite(values).all():
            return f"has values that aren't finite in {key[:60]!r}"
    return ""


def _inspection_keys(inside: InspectionRecord | None, name: str) -> Iterator[str]:
    """The arrays that pages draw of what a record says was found."""
    if inside is None:
        return
    if name == NETWORK:
        yield from (f"kernels/{record.layer}" for record in inside.kernels)
        for top in inside.top_images:
            key = f"top_images/{top.layer}/{top.channel}"
            yield from (
                f"{key}/{index}/{what}"
                for index in range(len(top.units))
                for what in ("crop", inside.projection_rules[0])
            )
        yield from (f"{what}/{number}" for number in range(len(inside.maximized)) for what in ("maximized", "frames"))
        return
    looked = inside.of(name)
    if looked is None:
        return
    drawn = ("summary", "maps", "channels") if looked.side else ("summary",)
    yield from (f"{what}/{layer}" for layer in looked.layers for what in drawn)
    for layer, units in looked.units:
        yield from (
            f"units/{layer}/{index}/{what}"
            for index in range(len(units))
            for what in ("crop", *inside.projection_rules)
        )
    yield from (f"classes/{class_map.index}" for class_map in looked.classes)
    yield from (f"inverted/{inversion.layer}" for inversion in looked.inverted)
