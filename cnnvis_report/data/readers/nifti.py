"""NIfTI volumes: axial slices, as radiologists look at them."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

import numpy as np

from cnnvis_report.data.decoding.nifti_layout import Layout, is_nifti, read_layout
from cnnvis_report.data.formats import opened
from cnnvis_report.data.pixels import Pixels, UnusablePicture, Values, Window, check_size
from cnnvis_report.data.reader import Source, reader

GZIP = b"\x1f\x8b"
MOST_BEFORE = 1 << 31  # bytes that are passed over before a volume of a compressed file, in seconds


def slices(source: Source) -> int:
    """How many axial slices all volumes of a file have."""
    with _opened(source) as file:
        layout = read_layout(file)
    return layout.slices * layout.volumes


@reader(
    title="a NIfTI volume",
    endings={".nii", ".nii.gz"},
    recognizes=is_nifti,
    count=slices,
    deep=True,
    requires=("nibabel",),
    install="cnnvis-report[nifti]",
    unit="slice",
)
def nifti(source: Source, page: int) -> Pixels:
    """Decode an axial slice, from the feet up, of all volumes one after the other.

    What is in front is up and the patient's right on the left, by the orientation that the header states. The range is
    the header's `cal_min` to `cal_max`, or that of the slice's whole volume.

    Raises:
        UnusablePicture: the volume is too large, cut short, or holds something else than numbers or colors.
    """
    with _opened(source) as file:
        layout = read_layout(file)
        if page >= layout.slices * layout.volumes:
            raise UnusablePicture(f"it has {layout.slices * layout.volumes} slices")
        volume = _upright(_volume(file, layout, page // layout.slices), layout)
    picture = np.swapaxes(volume[::-1, ::-1, page % layout.slices], 0, 1)
    check_size((picture.shape[1], picture.shape[0]), deep=True)
    reading = layout.describe(page)
    if layout.dtype.names:
        colors = np.stack([picture[name] for name in layout.dtype.names[:3]], axis=2)
        return replace(Pixels.of_array(colors), reading=reading)
    window = _window(volume, layout)
    return replace(Pixels.of_array(_scaled(picture, layout, window)), window=window, reading=reading)


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    """The file as a stream, inflated as it is read where it is compressed."""
    with opened(source) as file:
        start = file.read(2)
        file.seek(0)
        if start == GZIP:
            with gzip.open(file) as inflated:
                yield inflated  # type: ignore[misc]  # which reads as any binary file does
        else:
            yield file


def _volume(file: BinaryIO, layout: Layout, index: int) -> Values:
    """The values of a volume as they are stored."""
    before = layout.offset + index * layout.volume_bytes
    if isinstance(file, gzip.GzipFile) and before > MOST_BEFORE:
        raise UnusablePicture(f"{before >> 30} GB lie before its volume {index + 1}; unpack it to have that one read")
    file.seek(before)
    content = file.read(layout.volume_bytes)
    if len(content) < layout.volume_bytes:
        raise UnusablePicture("cut short")
    return np.frombuffer(content, layout.dtype).reshape(layout.shape, order="F")


def _upright(volume: Values, layout: Layout) -> Values:
    """The same with axes that lead right, to the front and up."""
    volume = volume.transpose(layout.axes)
    for axis, sign in enumerate(layout.signs):
        volume = np.flip(volume, axis) if sign < 0 else volume
    return volume


def _window(volume: Values, layout: Layout) -> Window:
    """The range of all slices of a volume; values that aren't numbers have no part in it."""
    if layout.limits is not None:
        return Window(*layout.limits, "cal_min and cal_max of the file")
    numbers = volume[np.isfinite(volume)] if volume.dtype.kind == "f" else volume
    if not numbers.size:
        raise UnusablePicture("gray values that aren't finite")
    ends = [float(end) * layout.slope + layout.intercept for end in (numbers.min(), numbers.max())]
    return Window(min(ends), max(ends) if ends[0] != ends[1] else ends[0] + 1, "the range of its volume")


def _scaled(picture: Values, layout: Layout, window: Window) -> Values:
    """The values in the units of the file; where they aren't finite, they are black."""
    if (layout.slope, layout.intercept) != (1.0, 0.0):
        picture = picture * layout.slope + layout.intercept
    if picture.dtype.kind == "f":
        return np.where(np.isfinite(picture), picture, window.low).astype(np.float64)
    return picture.astype(np.int16) if picture.dtype.itemsize == 1 else picture
