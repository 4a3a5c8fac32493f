"""What was handed over for an image, made what the network reads and what the report shows."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.decode import Picture, open_picture
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing import Preprocessing
from cnnvis_report.data.upright_picture import UprightPicture
from cnnvis_report.errors import told
from cnnvis_report.live.normalization import Constants

ROUNDING = 1e-3  # by which un-normalized values may lie beyond 0…1
Opened = Image.Image | UprightPicture | Picture
Transform = Callable[[Image.Image], Tensor]


@dataclass(frozen=True)
class Reader:
    """Makes an image of what was handed over.

    transform: what makes a picture the network's input; None where the preprocessing does. constants: of the
    normalization that inputs went through; None where nobody knows. scaled: whether inputs are shown with their
    lowest value as black and their highest as white.
    """

    transform: Transform | None
    constants: Constants | None
    scaled: bool = False

    def open(self, image: Any) -> Opened:
        """A picture that is still to be preprocessed, or one that is ready.

        Raises:
            UnusablePicture: it is neither a picture nor an input, or the transform fails on it.
        """
        if is_input(image):
            return self.ready(image)
        picture = _picture(image)
        if self.transform is None:
            return picture
        whole = picture if isinstance(picture, Image.Image) else picture.whole()
        try:
            values = self.transform(whole.convert("RGB") if whole.mode not in ("L", "RGB") else whole)
        except Exception as error:
            raise UnusablePicture(f"the transform fails on it ({told(error)})") from error
        if not is_input(values):
            raise UnusablePicture(f"the transform gives {_words(values)}; a float tensor C×H×W is needed")
        return replace(self.ready(values), original=(whole.height, whole.width))

    def ready(self, values: Tensor) -> Picture:
        """An input [C, H, W], as it is, and as a picture.

        Raises:
            UnusablePicture: it holds values that aren't finite.
        """
        values = values.detach().cpu().float().contiguous()
        if not bool(values.isfinite().all()):
            raise UnusablePicture("it holds values that aren't finite (NaN or infinity)")
        pixels = self._unnormalized(values)
        if self.scaled:
            low, high = pixels.min(), pixels.max()
            pixels = (pixels - low) / (high - low).clamp(min=torch.finfo(torch.float32).tiny)
        return Picture(values, _bytes(pixels), (int(values.shape[1]), int(values.shape[2])))

    def needs_scale(self, values: Tensor) -> bool:
        """Whether an input can't be shown by what is known of its normalization."""
        pixels = self._unnormalized(values)
        return float(pixels.min()) < -ROUNDING or float(pixels.max()) > 1 + ROUNDING

    def _unnormalized(self, values: Tensor) -> Tensor:
        """[C, H, W] in 0…1 where the normalization is known, and it is that."""
        if self.constants is None or len(self.constants[0]) != len(values):
            return values
        mean, std = (torch.tensor(numbers).view(-1, 1, 1) for numbers in self.constants)
        return values * std + mean


def is_input(image: object) -> bool:
    """Whether something is what a network reads, C×H×W numbers with fractions, and no picture of whole numbers."""
    return isinstance(image, Tensor) and image.ndim == 3 and image.is_floating_point() and image.numel() > 0


def input_preprocessing(constants: Constants | None, channels: int) -> Preprocessing:
    """The preprocessing of inputs that are ready: none but the normalization that they went through."""
    mean, std = constants or ((0.0,) * channels, (1.0,) * channels)
    return Preprocessing(mean, std)


def digest(opened: Opened) -> str:
    """Of what an image holds."""
    if isinstance(opened, Picture):
        content = opened.values.numpy().tobytes() + repr(tuple(opened.values.shape)).encode()
    else:
        whole = opened if isinstance(opened, Image.Image) else opened.whole()
        content = whole.tobytes() + repr((whole.mode, whole.size)).encode()
    return blake2b(content, digest_size=16).hexdigest()


def _picture(image: Any) -> Image.Image | UprightPicture:
    if isinstance(image, str | Path):
        return open_picture(Path(image))
    if isinstance(image, Tensor) and image.dtype == torch.uint8:
        image = image.permute(1, 2, 0).numpy() if image.ndim == 3 else image.numpy()
    if isinstance(image, np.ndarray) and image.dtype == np.uint8:
        gray = image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image
        if gray.ndim == 2 or (gray.ndim == 3 and gray.shape[2] in (3, 4)):
            image = Image.fromarray(np.ascontiguousarray(gray))
    if isinstance(image, Image.Image):
        return image if image.mode in ("L", "RGB") else image.convert("RGB")
    raise UnusablePicture(
        f"it is {_words(image)}; a PIL picture, a path, bytes (uint8) H×W×3 or a float tensor C×H×W is needed"
    )


def _bytes(pixels: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """H×W×3 (or H×W) of pixels [C, H, W] in 0…1."""
    shown = pixels.clamp(0, 1).mul(255).round().byte()
    return (shown[0] if len(shown) == 1 else shown[:3].permute(1, 2, 0)).numpy()


def _words(value: object) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"{str(value.dtype).removeprefix('torch.')} {'×'.join(map(str, value.shape)) or 'number'}"
    return f"of type {type(value).__name__}"
