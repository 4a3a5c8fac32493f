"""A transform of somebody's own: torchvision's, timm's, Albumentations' or a function, as a preprocessing."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.preprocessing import Preprocessing
from cnnvis_report.data.preprocessing.transform import Transform
from cnnvis_report.errors import BadRequest, CnnVisError, told
from cnnvis_report.isolation.user_code import ends_program, is_fatal, user_code_location

LONGEST_NAME = 240
RESULTS = ("image", "pixel_values")  # under which a mapping has what the network reads
TRIED = ((320, 240), (200, 260))  # width and height of the pictures that tell whether every result is of one size
GRAY = 128
REPEATS = 16  # calls of which a flip by half chance gives all the same once in 30,000
LINEAR = 1e-3  # of the distance from black to white, by which gray may be off


def with_transform(function: Any, spec: str, channels: int) -> Preprocessing:
    """The preprocessing that a user's transform is, with the constants and the size that it shows on plain pictures.

    Args:
        spec: of the network, or whatever brings it, for messages. channels: that the network reads.

    Raises:
        BadRequest: it can't be called, or gives another result each time.
    """
    if not callable(function):
        raise BadRequest(
            f"{spec}: its transform is of type {type(function).__name__}; a function of a picture is needed."
        )
    apply = partial(_applied, function, spec)
    mode = "L" if channels == 1 and _channels(apply, "RGB") != 1 and _channels(apply, "L") == 1 else "RGB"
    _check_repeats(apply, mode, spec)
    constants = _constants(apply, mode)
    count = _channels(apply, mode) or channels
    mean, std = constants or ((0.0,) * count, (1.0,) * count)
    transform = Transform(_name(function), mode, constants is not None, apply)
    return Preprocessing(mean, std, resize=_size(apply, mode), transform=transform)


def normalization_of(function: Any) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """(mean, std) by which a transform normalizes pictures; None where it does something else, or is none."""
    if not callable(function):
        return None
    apply = partial(_applied, function, "transform")
    try:
        return _constants(apply, "RGB") or _constants(apply, "L")
    except CnnVisError:
        return None


def _applied(function: Callable[..., Any], spec: str, picture: Image.Image) -> Tensor:
    """What the function makes of a picture, [C, H, W] float32."""
    try:
        of_numpy = any(kind.__module__.startswith("albumentations.") for kind in type(function).__mro__)
        result = function(image=np.array(picture)) if of_numpy else function(picture)
        values = _as_tensor(result)
    except (UnusablePicture, CnnVisError):
        raise
    except BaseException as error:
        location = user_code_location(error)
        if is_fatal(error):
            raise ends_program(error, spec, location) from error
        if not isinstance(error, Exception):
            raise
        raise UnusablePicture(f"the transform fails ({told(error)}{f', in {location}' if location else ''})") from error
    return values


def _as_tensor(result: Any) -> Tensor:
    """A result as [C, H, W] float32."""
    if isinstance(result, Mapping):
        key = next((key for key in RESULTS if key in result), None)
        result = result[key] if key else result
    if isinstance(result, list | tuple) and len(result) == 1:
        result = result[0]
    if isinstance(result, np.ndarray):
        layers_last = result.ndim == 3 and result.shape[2] in (1, 3) and result.shape[0] not in (1, 3)
        result = torch.from_numpy(np.array(result.transpose(2, 0, 1) if layers_last else result))
    if not isinstance(result, Tensor):
        raise UnusablePicture(f"the transform gives a {type(result).__name__}; a tensor is needed")
    if result.ndim == 4 and len(result) == 1:
        result = result[0]
    if result.ndim != 3 or not result.numel():
        sides = "×".join(map(str, result.shape)) or "a single number"
        raise UnusablePicture(f"the transform gives {sides}; channels, height and width are needed")
    if not result.is_floating_point():
        raise UnusablePicture(f"the transform gives {result.dtype}; numbers of floating point are needed")
    values: Tensor = result.detach().cpu().as_subclass(Tensor).float().contiguous()
    if not bool(values.isfinite().all()):
        raise UnusablePicture("the transform gives values that aren't finite")
    return values


def _tried(apply: Callable[[Image.Image], Tensor], picture: Image.Image) -> Tensor | None:
    try:
        return apply(picture)
    except UnusablePicture:  # its reason is told of the user's own pictures
        return None


def _ramp(size: tuple[int, int], mode: str) -> Image.Image:
    """A picture whose colors and places all differ."""
    width, height = size
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return Image.fromarray(np.stack([across, down, 255 - across], axis=2).astype(np.uint8)).convert(mode)


def _channels(apply: Callable[[Image.Image], Tensor], mode: str) -> int | None:
    values = _tried(apply, _ramp(TRIED[0], mode))
    return None if values is None else len(values)


def _check_repeats(apply: Callable[[Image.Image], Tensor], mode: str, spec: str) -> None:
    picture = _ramp(TRIED[0], mode)
    first = _tried(apply, picture)
    others = [_tried(apply, picture) for _ in range(REPEATS - 1)] if first is not None else []
    if first is not None and any(other is not None and not torch.equal(first, other) for other in others):
        raise BadRequest(
            f"{spec}: its transform gives another result each time for the same picture. Give the one that the network "
            f"was validated with, without random parts."
        )


def _size(apply: Callable[[Image.Image], Tensor], mode: str) -> tuple[int, int] | None:
    """(height, width) of every result, where the pictures' own sizes don't matter."""
    sizes = {tuple(values.shape[1:]) for size in TRIED if (values := _tried(apply, _ramp(size, mode))) is not None}
    if len(sizes) != 1:
        return None
    height, width = sizes.pop()
    return height, width


def _constants(apply: Callable[[Image.Image], Tensor], mode: str) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """(mean, std) by which the function normalizes; None where it does something else with colors.

    Black, gray and white pictures tell: if (value - mean) / std is what becomes of a color, they lie on one line.
    """
    results = [_tried(apply, Image.new("L", TRIED[0], level).convert(mode)) for level in (0, GRAY, 255)]
    if any(values is None for values in results) or len({values.shape for values in results if values is not None}) > 1:
        return None
    # the middle, as padding may lie around it
    black, gray, white = (values.flatten(1).median(dim=1).values.double() for values in results if values is not None)
    span = white - black
    on_line = (gray - black - span * (GRAY / 255)).abs() <= LINEAR * span
    if not bool(((span > 0) & on_line).all()):
        return None
    return tuple(_short((-black / span).tolist())), tuple(_short((1 / span).tolist()))


def _short(numbers: list[float]) -> list[float]:
    """Numbers without what rounding to single precision has added."""
    return [float(f"{number:.6g}") + 0.0 for number in numbers]


def _name(function: Any) -> str:
    """What a transform is called: its steps where it tells them, else the name of the function."""
    plain = getattr(function, "__qualname__", "").replace("<", "").replace(">", "")
    text = plain or " ".join(re.sub(r" at 0x[0-9a-f]+", "", repr(function)).split())
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}…"
