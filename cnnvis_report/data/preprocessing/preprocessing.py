"""How a picture becomes what the network reads, and back."""

import re
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cnnvis_report.data.preprocessing.shown_bands import chosen_bands
from cnnvis_report.data.preprocessing.transform import Transform
from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.records.bands import USUAL, ShownBands

LARGEST = 10_000  # pixels a side that a picture is made
SIDE = re.compile("[0-9]+")  # isdecimal() takes the digits of every script
DIGITS = 9  # that are more than the largest side has
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
Resize = int | tuple[int, int] | None
ASPECTS = ("squash", "cover", "contain")
LIBRARIES = ("torchvision", "transformers", "transformers-pil")
FILLS = ("black", "mean")


@dataclass(frozen=True)
class Levels:
    """How pictures of more than 8 bits a channel are read.

    range: the values that are black and white; None where nobody has said. percentiles: of each picture, where these
    are its black and white. windows: whether a window that a file brings counts. bits: without one, whole values are
    read as numbers of so many bits; None where each picture has the smallest number that holds it.
    """

    range: tuple[float, float] | None = None
    bits: int | None = None
    percentiles: tuple[float, float] | None = None
    windows: bool = True

    def describe(self) -> str:
        """A few words for the report; none where there is nothing to say."""
        if self.range is not None:
            return f"more than 8 bits: {self.range[0]:g} to {self.range[1]:g}"
        if self.percentiles is not None:
            return f"more than 8 bits: percentiles {self.percentiles[0]:g} to {self.percentiles[1]:g} of each image"
        bits = f"as {self.bits} bits" if self.bits is not None else ""
        words = ", ".join(filter(None, (bits, "" if self.windows else "whatever window a file brings")))
        return f"more than 8 bits: {words}" if words else ""


NO_LEVELS = Levels()


@dataclass(frozen=True)
class Preprocessing:
    """Resize, crop, scale to 0…1, then (value - mean) / std per channel.

    mean, std: one number a channel.
    resize: the shorter side in pixels, or (height, width); None leaves the size alone.
    crop: (height, width) cut from the middle; None keeps all.
    interpolation: a name that Pillow's resampling filters have, in lower case.
    levels: how pictures of more than 8 bits a channel are read.
    bands: which bands pages show; None for gray and color pictures, which they show as they are.
    transform: a user's own function, in place of all that; the constants are then its own, where they are known.
    aspect: of a picture that is resized to (height, width): squash makes it fit, cover keeps its aspect and is at least
    as large, contain keeps it and is at most as large.
    fill: what a crop shows beside a smaller picture: black, or the mean.
    library: whose arithmetic is followed where they differ by a rounding: torchvision's and timm's with Pillow, that of
    transformers with tensors, or with Pillow.
    """

    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    resize: Resize = None
    crop: tuple[int, int] | None = None
    interpolation: str = "bilinear"
    levels: Levels = NO_LEVELS
    bands: ShownBands | None = None
    transform: Transform | None = None
    aspect: str = "squash"
    fill: str = "black"
    library: str = "torchvision"

    @property
    def channels(self) -> int:
        """1 for gray, 3 for color, another number of bands."""
        return len(self.mean)

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) of what the network reads, or None where every image keeps its own."""
        if self.crop is not None:
            return self.crop
        return self.resize if isinstance(self.resize, tuple) and self.aspect == "squash" else None

    @property
    def knows_colors(self) -> bool:
        """Whether mean and std tell which numbers are black and gray; else 0 counts as both."""
        return self.transform is None or self.transform.reversible

    @property
    def fill_color(self) -> tuple[int, ...]:
        """Bytes, one a channel, that a crop shows beside a smaller picture; none for black."""
        return tuple(round(255 * value) for value in self.mean) if self.fill == "mean" else ()

    def normalize(self, pixels: Tensor) -> Tensor:
        """[…, C, H, W] in 0…1 to what the network reads."""
        mean, std = self._constants(pixels)
        return (pixels - mean) / std

    def restore(self, images: Tensor) -> Tensor:
        """The inverse of `normalize`, cut to 0…1."""
        mean, std = self._constants(images)
        return (images * std + mean).clamp(0, 1)

    def black(self, like: Tensor) -> Tensor:
        """[C, 1, 1]: the value that a black pixel has for the network."""
        mean, std = self._constants(like)
        return -mean / std

    def with_channels(self, channels: int) -> "Preprocessing":
        """The same for another number of channels: constants that differ by channel are averaged.

        Of bands that are neither gray nor color they say nothing: these are 0 and 1.
        """
        if channels == self.channels or self.transform is not None:
            return self
        if channels not in USUAL:
            return replace(self, mean=(0.0,) * channels, std=(1.0,) * channels)
        mean = sum(self.mean) / self.channels
        std = sum(self.std) / self.channels
        return replace(self, mean=(mean,) * channels, std=(std,) * channels)

    def resized(self, size: str) -> "Preprocessing":
        """The same at another size: "224" (a square, cut as before), "192x256" (the whole picture) or "original".

        Raises:
            BadRequest: the text is none of these, or the size is that of a user's own function.
        """
        if self.transform is not None:
            raise BadRequest(f"--size {shown(size)}: a transform makes what the network reads, and decides the size.")
        if size == "original":
            return replace(self, resize=None, crop=None)
        sides = read_sides(size, "--size", "a side such as 224, HEIGHTxWIDTH such as 192x256, or original")
        if isinstance(sides, tuple):
            return replace(self, resize=sides, crop=None, aspect="squash")
        square = (sides, sides)
        if self.crop is None or self.resize is None:
            return replace(self, resize=square, crop=None, aspect="squash")
        # the margin that the crop leaves keeps its share of the picture
        down, across = self.crop
        if isinstance(self.resize, int):
            return replace(self, resize=round(self.resize * sides / down), crop=square)
        return replace(
            self, resize=(round(self.resize[0] * sides / down), round(self.resize[1] * sides / across)), crop=square
        )

    def describe(self) -> str:
        """One line for the report."""
        steps = []
        if self.transform is not None:
            return self._describe_transform(self.transform)
        if isinstance(self.resize, tuple):
            verb = {"squash": "resized to", "cover": "resized to cover", "contain": "resized to fit into"}[self.aspect]
            steps.append(f"{verb} {self.resize[1]}×{self.resize[0]}")
        elif self.resize is not None:
            steps.append(f"shorter side {self.resize}")
        if self.crop is not None:
            on_mean = " on the mean color" if self.fill == "mean" else ""
            steps.append(f"center crop {self.crop[1]}×{self.crop[0]}{on_mean}")
        steps = steps or ["own size"]
        tensors = " as tensors" if self.library == "transformers" and self.resize is not None else ""
        numbers = [" ".join(f"{value:g}" for value in values) for values in (self.mean, self.std)]
        levels = self.levels.describe()
        return (
            f"{', '.join(steps)}, {self.interpolation}{tensors}; {f'{levels}; ' if levels else ''}"
            f"mean {numbers[0]}, std {numbers[1]}"
        )

    def shown(self, values: Tensor) -> Tensor:
        """The channels of values [C, H, W] that pages show: [3, H, W], or [1, H, W] as gray."""
        return values if self.bands is None else chosen_bands(self.bands, values)

    def _describe_transform(self, transform: Transform) -> str:
        numbers = [" ".join(f"{value:g}" for value in values) for values in (self.mean, self.std)]
        scaled = "its normalization isn't known: values beyond 0 to 1 are shown scaled to their own range"
        scaled += "" if any(self.mean) else ", and black counts as 0"
        constants = f"mean {numbers[0]}, std {numbers[1]}" if transform.reversible else scaled
        words = (f"by the transform {transform.name}", self.levels.describe(), constants)
        return "; ".join(filter(None, words))

    def _constants(self, like: Tensor) -> tuple[Tensor, Tensor]:
        shape = (self.channels, 1, 1)
        return (
            torch.tensor(self.mean, dtype=like.dtype, device=like.device).view(shape),
            torch.tensor(self.std, dtype=like.dtype, device=like.device).view(shape),
        )


@dataclass(frozen=True)
class UnknownNormalization(Preprocessing):
    """That of inputs that are ready, of which nobody has said how they were normalized."""

    @property
    def knows_colors(self) -> bool:
        """They don't tell."""
        return False


def read_sides(text: str, option: str, wanted: str) -> int | tuple[int, int]:
    """A side such as "224", or (height, width) such as "192x256".

    Args:
        option: that it was given by. wanted: what may be given, for the message.

    Raises:
        BadRequest: the text is neither, or a side is too large.
    """
    parts = [side.strip() for side in text.lower().split("x")]
    sides = [int(side[:DIGITS]) for side in parts if SIDE.fullmatch(side)]
    if max(sides, default=0) > LARGEST:
        raise BadRequest(f"{option} {shown(text)}: at most {LARGEST} pixels a side are read.")
    if len(sides) != len(parts) or len(sides) > 2 or min(sides) < 1:
        raise BadRequest(f"{option} {shown(text)}: give {wanted}.")
    return (sides[0], sides[1]) if len(sides) == 2 else sides[0]
