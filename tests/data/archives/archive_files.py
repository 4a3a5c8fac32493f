"""Archives that tests write, and what is read of them."""

import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cnnvis_report.data.batches import DecodedImage, read_item
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.image_set import ImageSet, find_images, labeled
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing

WHOLE = Preprocessing((0.0,) * 3, (1.0,) * 3)
SHADES = {"cat/1.png": 10, "cat/2.png": 20, "dog/10.png": 30, "dog/9.png": 40}


def png(shade: int, size: int = 4) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (size, 2), (shade, 0, 0)).save(stream, "PNG")
    return stream.getvalue()


def pictures(shades: Mapping[str, int] = SHADES) -> dict[str, bytes]:
    return {name: png(shade) for name, shade in shades.items()}


def write_zip(path: Path, members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def write_tar(path: Path, members: Mapping[str, bytes], mode: str = "w", **options: int) -> Path:
    with tarfile.open(path, mode, **options) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def read(path: Path | str, classes: Sequence[str] = ("cat", "dog"), **selected: object) -> ImageSet:
    return labeled(find_images([path], 3, Selection(**selected)), classes)  # type: ignore[arg-type]


def shades(images: ImageSet) -> dict[str, int]:
    """The red of the first pixel of each image, by name; -1 where it can't be read."""
    results = [read_item(item, WHOLE) for item in images]
    return {
        item.name: int(np.asarray(result.picture.seen)[0, 0, 0]) if isinstance(result, DecodedImage) else -1
        for item, result in zip(images, results, strict=True)
    }


def reasons(images: ImageSet) -> dict[str, str]:
    """Why images aren't read, found so or decoded so."""
    results = [read_item(item, WHOLE) for item in images]
    decoded = {result.name: result.reason for result in results if not isinstance(result, DecodedImage)}
    return {skipped.name: skipped.reason for skipped in images.skipped} | decoded


def labels(images: ImageSet) -> dict[str, list[str]]:
    return {item.name: [label.name for label in item.labels] for item in images}
