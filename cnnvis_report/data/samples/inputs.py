"""What was handed over for an image, made what the network reads and what the report shows."""

from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.decoding.decode import open_picture
from cnnvis_report.data.decoding.high_bit_depth import GRAY
from cnnvis_report.data.decoding.upright_picture import UprightPicture
from cnnvis_report.data.pixels import Pixels, UnusablePicture
from cnnvis_report.data.preprocessing.geometry import whole_picture
from cnnvis_report.data.preprocessing.prepare import Picture
from cnnvis_report.data.preprocessing.preprocessing import NO_LEVELS, Levels, Preprocessing, UnknownNormalization
from cnnvis_report.data.preprocessing.shown_bands import band_picture, choose_bands
from cnnvis_report.data.preprocessing.transform import shown_pixels
from cnnvis_report.records.bands import ShownBands

Opened = Image.Image | UprightPicture | Picture
Constants = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Reader:
    """Makes an image of what was handed over.

    constants: of the normalization that inputs went through, mean and std; None where nobody knows. rgb: the bands of
    inputs that a user wants to see; None for the first ones. levels: how pictures of more than 8 bits are read.
    """

    constants: Constants | None
    rgb: tuple[float, ...] | None = None
    levels: Levels = NO_LEVELS

    def open(self, image: Any) -> Opened:
        """A picture that is still to be preprocessed, or one that is ready.

        Raises:
            UnusablePicture: it is neither a picture nor an input.
        """
        return self._ready(image) if is_input(image) else _picture(image, self.levels)

    def _ready(self, image: Tensor) -> Picture:
        """An input [C, H, W], as it is, and as a picture."""
        values = image.detach().cpu().float().contiguous()
        if not bool(values.isfinite().all()):
            raise UnusablePicture("it holds values that aren't finite (NaN or infinity)")
        restored, bands = self._restored(values), input_bands(len(values), self.rgb)
        seen = shown_pixels(values, restored) if bands is None else band_picture(bands, values)
        return Picture(values, seen, (len(values[0]), len(values[0][0])))

    def _restored(self, values: Tensor) -> Tensor | None:
        if self.constants is None or len(self.constants[0]) != len(values):
            return None
        return Preprocessing(*self.constants).restore(values)


def is_input(image: object) -> bool:
    """Whether something is what a network reads, C×H×W numbers with fractions, and no picture of whole numbers."""
    return isinstance(image, Tensor) and image.ndim == 3 and image.is_floating_point() and image.numel() > 0


def is_deep(image: object) -> bool:
    """Whether something in memory is a picture of more than 8 bits a channel: Pillow's, or an array of 16 bits."""
    if isinstance(image, Image.Image):
        return image.mode in GRAY
    return isinstance(image, np.ndarray) and image.dtype == np.uint16


def input_preprocessing(
    constants: Constants | None, channels: int, rgb: tuple[float, ...] | None = None, *, scaled: bool = False
) -> Preprocessing:
    """The preprocessing of inputs that are ready: none but the normalization that they went through.

    Args:
        scaled: whether they can't be what pictures hold, of 0 to 1.
    """
    mean, std = constants or ((0.0,) * channels, (1.0,) * channels)
    kind = UnknownNormalization if constants is None and scaled else Preprocessing
    return kind(mean, std, bands=input_bands(channels, rgb))


def input_bands(channels: int, rgb: tuple[float, ...] | None) -> ShownBands | None:
    """The bands that are shown of inputs that are neither gray nor color, each on a scale of its own."""
    bands = choose_bands(channels, rgb)
    return None if bands is None else replace(bands, stretched=True)


def digest(opened: Opened) -> str:
    """Of what an image holds."""
    if isinstance(opened, Picture):
        content = opened.values.numpy().tobytes() + repr(tuple(opened.values.shape)).encode()
    elif isinstance(opened, UprightPicture) and opened.deep:
        stored = np.asarray(opened.pixels.rows(0, opened.size[1]))  # all bits, of which the bytes tell the upper ones
        content = stored.tobytes() + repr((stored.dtype.str, stored.shape)).encode()
    else:
        whole = whole_picture(opened)
        content = whole.tobytes() + repr((whole.mode, whole.size)).encode()
    return blake2b(content, digest_size=16).hexdigest()


def _picture(image: Any, levels: Levels) -> Image.Image | UprightPicture:
    if isinstance(image, str | Path):
        return open_picture(Path(image), levels=levels)
    if is_deep(image):
        return UprightPicture.of(Pixels.of_array(np.asarray(image)), levels)
    if isinstance(image, Tensor) and image.dtype == torch.uint8:
        image = image.permute(1, 2, 0).numpy() if image.ndim == 3 else image.numpy()
    if isinstance(image, np.ndarray) and image.dtype == np.uint8:
        gray = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
        if gray.ndim == 2 or (gray.ndim == 3 and gray.shape[2] in (3, 4)):
            image = Image.fromarray(np.ascontiguousarray(gray))
    if isinstance(image, Image.Image):
        return image if image.mode in ("L", "RGB") else image.convert("RGB")
    raise UnusablePicture(
        f"it is {_words(image)}; a PIL picture, a path, whole numbers (uint8, uint16) H×W×3 or a float tensor C×H×W is "
        "needed"
    )


def mask_picture(mask: Any) -> Image.Image | UprightPicture:
    """A mask as a picture of mode L: a path, a picture, or H×W numbers, of which those above half of the largest count.

    Raises:
        UnusablePicture: it is nothing of these.
    """
    if isinstance(mask, str | Path):
        return open_picture(Path(mask))
    if isinstance(mask, Image.Image):
        return mask.convert("L")
    values = mask.detach().cpu().numpy() if isinstance(mask, Tensor) else mask
    if isinstance(values, np.ndarray) and values.ndim == 3 and values.shape[0] == 1:
        values = values[0]
    if not isinstance(values, np.ndarray) or values.ndim != 2 or not values.size or values.dtype.kind not in "biuf":
        raise UnusablePicture(f"its mask is {_words(mask)}; a picture, a path or numbers H×W are needed")
    numbers = values.astype(np.float64)
    return Image.fromarray(np.where(numbers > numbers.max() / 2, 255, 0).astype(np.uint8))


def _words(value: object) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"{str(value.dtype).removeprefix('torch.')} {'×'.join(map(str, value.shape)) or 'number'}"
    return f"of type {type(value).__name__}"
