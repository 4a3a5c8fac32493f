"""One picture, resized, cropped and normalized: what the network reads, and the same as pages show it."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.decoding.band_picture import BandPicture
from cnnvis_report.data.decoding.upright_picture import NOTE, READING, UprightPicture
from cnnvis_report.data.pixels import MOST_PIXELS, UnusablePicture
from cnnvis_report.data.preprocessing.geometry import fit, kept_size, whole_picture
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.preprocessing.shown_bands import band_picture, choose_bands
from cnnvis_report.data.preprocessing.transform import shown_pixels
from cnnvis_report.records.bands import USUAL


@dataclass(frozen=True)
class Picture:
    """One image, ready.

    values: [C, H, W] float32 as the network reads it. seen: H×W×3 (or H×W) bytes, the same un-normalized, of other
    bands those that pages show.
    original: (height, width) as stored, after turning it upright. note: what a user has to know of how it was read.
    reading: what of its file it is, and which values are black and white, where it has more than 8 bits.
    """

    values: Tensor
    seen: npt.NDArray[np.uint8]
    original: tuple[int, int]
    note: str = ""
    reading: str = ""


AnyPicture = Image.Image | UprightPicture | BandPicture | Picture


def prepare(picture: AnyPicture, preprocessing: Preprocessing) -> Picture:
    """Resize, crop and normalize a picture as the network's preprocessing says; one that is ready stays as it is.

    Raises:
        UnusablePicture: it would have too many pixels.
    """
    if isinstance(picture, Picture):
        return picture
    if isinstance(picture, BandPicture):
        return _prepare_bands(picture, preprocessing)
    original = (picture.size[1], picture.size[0])
    if isinstance(picture, UprightPicture):
        words = picture.note, picture.reading
    else:
        words = str(picture.info.get(NOTE, "")), str(picture.info.get(READING, ""))
    if preprocessing.transform is not None:
        values = preprocessing.transform.of(whole_picture(picture))
        restored = preprocessing.restore(values) if preprocessing.transform.reversible else None
        return Picture(values, shown_pixels(values, restored), original, *words)
    pixels, shown = resized_pixels(picture, preprocessing)
    return Picture(preprocessing.normalize(pixels), shown, original, *words)


def resized_pixels(
    picture: Image.Image | UprightPicture, preprocessing: Preprocessing
) -> tuple[Tensor, npt.NDArray[np.uint8]]:
    """A gray or color picture, resized and cropped: [C, H, W] in 0…1, and as bytes H×W×3 or H×W.

    Of more than 8 bits a channel the first has all, and filters that sharpen may lead beyond 0 and 1.

    Raises:
        UnusablePicture: it would have too many pixels, has some that aren't finite, or the network reads other bands.
    """
    if preprocessing.channels not in USUAL:
        raise UnusablePicture(f"it is a picture of gray or color, and the network reads {preprocessing.channels} bands")
    _check_kept_size(picture.size, preprocessing)
    try:
        if isinstance(picture, UprightPicture) and picture.deep:
            return _deep_pixels(picture, preprocessing)
        shown = _shown_pixels(picture, preprocessing)
    except MemoryError as error:
        raise UnusablePicture("too large for the memory") from error
    pixels = torch.from_numpy(shown.copy()).float().div(255)
    pixels = pixels.unsqueeze(0) if pixels.ndim == 2 else pixels.permute(2, 0, 1)
    return pixels.contiguous(), shown


def _shown_pixels(picture: Image.Image | UprightPicture, preprocessing: Preprocessing) -> npt.NDArray[np.uint8]:
    """Bytes H×W×3 or H×W of a picture of 8 bits a channel."""
    mode = "L" if preprocessing.channels == 1 else "RGB"
    # gray becomes color when it is small: that gives the same bits, and a large one would take four times its memory
    # but a tensor of one channel is resized with other roundings, and beside it there is no mean color
    late = preprocessing.library != "transformers" and not preprocessing.fill_color
    picture = picture if picture.mode == mode or (late and picture.mode == "L") else picture.convert(mode)
    resized = fit(picture, preprocessing, _filter(preprocessing), preprocessing.fill_color)
    return np.asarray(resized if resized.mode == mode else resized.convert(mode), dtype=np.uint8)


def _deep_pixels(picture: UprightPicture, preprocessing: Preprocessing) -> tuple[Tensor, npt.NDArray[np.uint8]]:
    """The same of more than 8 bits a channel, color by color, rounded to bytes for pages alone."""
    width, height = kept_size(picture.size, preprocessing)
    pixels = np.empty((preprocessing.channels, height, width), np.float32)
    bands, fill = picture.bands(preprocessing.channels), preprocessing.fill_color
    for channel, band in enumerate(bands):
        if channel and band is bands[0] and not fill:
            pixels[channel] = pixels[0]
            continue
        beside = (fill[channel] / 255,) if fill else ()
        pixels[channel] = np.asarray(fit(band, preprocessing, _filter(preprocessing), beside))
    values = torch.from_numpy(pixels)
    shown = values.clamp(0, 1).mul_(255).round_().to(torch.uint8)
    return values, (shown[0] if len(shown) == 1 else shown.permute(1, 2, 0).contiguous()).numpy()


def _filter(preprocessing: Preprocessing) -> Image.Resampling:
    return Image.Resampling[preprocessing.interpolation.upper()]


def _check_kept_size(size: tuple[int, int], preprocessing: Preprocessing, bands: int = 1) -> None:
    """Refuse what would take too much memory once it is resized."""
    width, height = kept_size(size, preprocessing)
    if width * height * bands > MOST_PIXELS:
        raise UnusablePicture(
            f"{width}×{height} pixels after resizing; at most {MOST_PIXELS // 10**6} million are made. "
            f"Another --size makes it smaller"
        )


def _prepare_bands(picture: BandPicture, preprocessing: Preprocessing) -> Picture:
    """The same, band by band, without rounding to bytes in between."""
    _check_kept_size(picture.size, preprocessing, preprocessing.channels)
    preprocessing = replace(preprocessing, library="torchvision")  # which resizes single-precision numbers
    way = _filter(preprocessing)
    resized = [np.asarray(fit(picture.band(index), preprocessing, way)) for index in range(preprocessing.channels)]
    values = torch.from_numpy(np.stack(resized))
    bands = preprocessing.bands or choose_bands(preprocessing.channels, None)
    assert bands is not None  # whoever reads bands has some to show
    original = (picture.size[1], picture.size[0])
    return Picture(
        preprocessing.normalize(values), band_picture(bands, values), original, picture.note, picture.reading
    )
