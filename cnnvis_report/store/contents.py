"""Whether arrays are those that a record speaks of: their names, their shapes, and numbers that can be drawn."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records import ImageRecord
from cnnvis_report.store.names import array_key

Arrays = Mapping[str, npt.NDArray[Any]]

# of what is found inside a network, by the beginning of its name: the kind of number, and how many sides it has
INSIDE = {
    "kernels": ("f", (4,)),
    "health": ("f", (2,)),
    "top": ("u", (2, 3)),
    "preferred": ("u", (2, 3)),
    "film": ("u", (3, 4)),
    "maps": ("u", (3,)),
    "channels": ("f", (2,)),
    "summary": ("f", (2,)),
    "units": ("u", (2, 3)),
    "classes": ("f", (2,)),
    "inverted": ("u", (2, 3)),
}


def wrong_arrays(image: ImageRecord, arrays: Arrays) -> str:
    """In which way arrays aren't those of an image; empty where they are."""
    maps = {array_key(each.method, each.layer, each.target): each.shape for each in image.maps}
    wanted = {"picture", *maps, *(["mask"] if image.mask_share is not None else [])}
    if arrays.keys() != wanted:
        name = sorted(arrays.keys() ^ wanted)[0]
        return f"holds {name[:60]!r}, which isn't of this image" if name in arrays else f"hasn't got {name!r}"
    picture = arrays["picture"]
    if picture.dtype != np.uint8 or picture.shape[:2] != image.size or picture.shape[2:] not in ((), (3,)):
        return f"has a picture of {picture.shape} {picture.dtype} for one of {image.size}"
    if "mask" in arrays and (arrays["mask"].shape != image.size or not np.isfinite(arrays["mask"]).all()):
        return f"has a mask of {arrays['mask'].shape} for a picture of {image.size}"
    for key, shape in maps.items():
        if arrays[key].shape != shape or arrays[key].dtype.kind != "f":
            return f"has {key!r} of {arrays[key].shape} in the place of {shape}"
        if not np.isfinite(arrays[key]).all():
            return f"has values that aren't finite in {key!r}"
    return ""


def wrong_inside(arrays: Arrays) -> str:
    """In which way arrays aren't what is found inside a network; empty where they are."""
    for key, values in arrays.items():
        kind, sides = INSIDE.get(key.partition("/")[0], ("", ()))
        colours = values.shape[3:] if key.startswith("film/") else values.shape[2:] if 3 in sides and 2 in sides else ()
        if values.dtype.kind != kind or values.ndim not in sides or not values.size or colours not in ((), (3,)):
            return f"has {key[:60]!r} of {values.shape} {values.dtype}, which isn't found inside a network"
    return ""
