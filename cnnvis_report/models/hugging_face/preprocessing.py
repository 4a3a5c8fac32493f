"""What an image processor of transformers does to a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.data.preprocessing.preprocessing import IMAGENET_MEAN, IMAGENET_STD, LARGEST, Preprocessing
from cnnvis_report.errors import BadRequest, shown, told
from cnnvis_report.models.folder_config import read_config
from cnnvis_report.models.hugging_face.config import REMOTE
from cnnvis_report.models.hugging_face.network import PIXELS, silent
from cnnvis_report.models.own_code.transform import with_transform

FILE = "preprocessor_config.json"
EQUAL = 1e-4
TRIED = ((320, 240), (200, 261), (97, 64))  # width and height of the pictures that are compared
WARPED_FROM = 384  # the side from which ConvNeXt's processor squashes pictures, and below which it crops
LEVIT = 256 / 224


@dataclass(frozen=True)
class Processing:
    """The preprocessing, and what a user has to know of it. reversed: whether the network reads blue first."""

    preprocessing: Preprocessing
    notices: tuple[str, ...] = ()
    reversed: bool = False


def processing_of(folder: Path, config: Any, channels: int) -> Processing:
    """What the folder's image processor does, in steps where these give the same pixels, else by calling it.

    Args:
        config: of the network, as transformers has it.

    Raises:
        BadRequest: the processor can't be had, is a stranger's code, or fails.
    """
    if not (folder / FILE).is_file():
        return _without_file(folder, config)
    _check_settings(folder)
    processor = processor_of(folder)
    reversed = bool(getattr(processor, "do_flip_channel_order", False)) and channels > 1
    try:
        steps = _steps(processor)
        if steps is not None and all(_equal(size, steps, processor, reversed) for size in TRIED):
            return Processing(steps, reversed=reversed)
    except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError, RuntimeError, UnusablePicture):
        pass  # what can't be put into steps may run all the same

    def process(picture: Image.Image) -> Tensor:
        return _processed(processor, picture)

    process.__qualname__ = type(processor).__name__
    try:
        process(_picture(TRIED[0]))
    except Exception as error:  # settings that don't go together
        raise BadRequest(f"{folder / FILE}: the image processor fails on a picture ({told(error)}).") from error
    return Processing(with_transform(process, str(folder), channels))


def read_blue_last(network: nn.Module) -> None:
    """Turn the channels of the first convolution round, so that the same network reads red first."""
    stem = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        stem.weight.copy_(stem.weight.flip(1))


def _without_file(folder: Path, config: Any) -> Processing:
    size = getattr(config, "image_size", None)
    sides = size if isinstance(size, list | tuple) and len(size) == 2 else (size, size)
    height, width = (side if type(side) is int and 0 < side <= LARGEST else 224 for side in sides)
    notice = (
        f"{folder.name} has no {FILE}: pictures are resized to {width}×{height} and normalized by ImageNet's "
        f"constants. "
        f"--resize, --crop, --mean and --std say otherwise."
    )
    return Processing(Preprocessing(IMAGENET_MEAN, IMAGENET_STD, resize=(height, width)), (notice,))


def _check_settings(folder: Path) -> None:
    """Refuse a stranger's code, and sizes that no picture is made."""
    settings = read_config(folder, FILE)
    if REMOTE in settings:
        raise BadRequest(f"{folder}: its image processor is code of its maker ({FILE} has {REMOTE}), which isn't run.")
    for name, value in settings.items():
        for side in value.values() if isinstance(value, Mapping) else [value]:
            whole = type(side) is int and not 0 <= side <= LARGEST
            if whole or (type(side) is float and not (isfinite(side) and abs(side) <= LARGEST)):
                raise BadRequest(f"{folder / FILE}: {name} is {shown(value)}; at most {LARGEST} pixels are made.")
    crop_pct = settings.get("crop_pct")
    if crop_pct is not None and not (isinstance(crop_pct, int | float) and 0.1 <= crop_pct <= 10):
        raise BadRequest(f"{folder / FILE}: crop_pct is {shown(crop_pct)}; it is the share of a picture that is kept.")


def processor_of(folder: Path) -> Any:
    """The image processor as transformers has it.

    Raises:
        BadRequest: transformers makes none of the folder's file.
    """
    from transformers import AutoImageProcessor

    try:
        with silent():
            return AutoImageProcessor.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:
        raise BadRequest(f"{folder / FILE}: transformers makes no image processor of it ({told(error)}).") from error


def _processed(processor: Any, picture: Image.Image) -> Tensor:
    with silent():
        result = processor(images=picture, return_tensors="pt")
    if "pixel_mask" in result and not bool(torch.as_tensor(result["pixel_mask"]).all()):
        raise UnusablePicture("the image processor pads pictures to one size, and the padding isn't told the network")
    return torch.as_tensor(result[PIXELS][0]).float()


def _equal(size: tuple[int, int], steps: Preprocessing, processor: Any, reversed: bool) -> bool:
    """Whether the steps give what the processor gives."""
    ours, theirs = prepare(_picture(size), steps).values, _processed(processor, _picture(size))
    theirs = theirs.flip(0) if reversed else theirs
    return ours.shape == theirs.shape and float((ours - theirs).abs().max()) <= EQUAL


def _picture(size: tuple[int, int]) -> Image.Image:
    """A picture of many edges, and another color at every place."""
    across, down = np.arange(size[0])[None, :, None], np.arange(size[1])[:, None, None]
    values = (across * 7 + down * 13 + across * down // 5 + np.arange(3) * 60) % 256
    return Image.fromarray(values.astype(np.uint8))


def _steps(processor: Any) -> Preprocessing | None:
    """The processor's steps as ours; None where it says no sizes that we know."""
    backend = getattr(processor, "backend", "torchvision" if type(processor).__name__.endswith("Fast") else "pil")
    known = replace(_constants(processor), library="transformers" if backend == "torchvision" else "transformers-pil")
    if getattr(processor, "do_resize", False):
        resized = _resize(processor, known)
        if resized is None:
            return None
        known = replace(resized, interpolation=Image.Resampling(int(getattr(processor, "resample", 2))).name.lower())
    if getattr(processor, "do_center_crop", False):
        known = replace(known, crop=(_side(processor.crop_size, "height"), _side(processor.crop_size, "width")))
    sides = (*(known.resize if isinstance(known.resize, tuple) else (known.resize or 1,)), *(known.crop or ()))
    return known if all(0 < side <= LARGEST for side in sides) else None


def _resize(processor: Any, known: Preprocessing) -> Preprocessing | None:
    name, size = type(processor).__name__, processor.size
    short, height, width = (_side(size, key) for key in ("shortest_edge", "height", "width"))
    crop_pct = float(getattr(processor, "crop_pct", None) or 1)
    if name.startswith("ConvNext") and short:
        if short >= WARPED_FROM:
            return replace(known, resize=(short, short))
        return replace(known, resize=int(short / crop_pct), crop=(short, short))
    if name.startswith("PoolFormer"):
        return replace(known, resize=int((short or height) / crop_pct))
    if name.startswith("Levit") and short:
        return replace(known, resize=int(LEVIT * short))
    if short and not _side(size, "longest_edge"):
        return replace(known, resize=short)
    return replace(known, resize=(height, width)) if height and width else None


def _constants(processor: Any) -> Preprocessing:
    """(value · factor − offset − mean) / std of bytes, as constants of values in 0…1."""
    factor = 255 * float(processor.rescale_factor) if getattr(processor, "do_rescale", False) else 255.0
    factor = 1.0 if abs(factor - 1) < 1e-9 else factor
    offset = 1.0 if getattr(processor, "rescale_offset", False) else 0.0
    mean: tuple[float, ...] = (0.0,) * 3
    std: tuple[float, ...] = (1.0,) * 3
    if getattr(processor, "do_normalize", False):
        mean, std = (_channelwise(getattr(processor, name)) for name in ("image_mean", "image_std"))
    if getattr(processor, "include_top", False):  # of EfficientNet, whose weights were trained so
        std = tuple(value * value for value in std)
    return Preprocessing(tuple((value + offset) / factor for value in mean), tuple(value / factor for value in std))


def _channelwise(values: Any) -> tuple[float, ...]:
    numbers = tuple(map(float, values)) if isinstance(values, list | tuple) else (float(values),)
    return numbers * 3 if len(numbers) == 1 else numbers


def _side(size: Any, name: str) -> int:
    value = size.get(name) if isinstance(size, Mapping) else getattr(size, name, None)
    return int(value or 0)
