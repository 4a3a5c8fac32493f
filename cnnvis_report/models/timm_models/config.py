"""What timm's configuration of weights says: what is done to a picture, and the names of the classes."""

from collections.abc import Mapping
from dataclasses import replace
from math import floor, isfinite
from typing import Any

from cnnvis_report.data.preprocessing.preprocessing import LARGEST, Preprocessing
from cnnvis_report.errors import BadRequest, shown
from cnnvis_report.records.interpolations import INTERPOLATIONS

MOST_CHANNELS = 64


def timm_preprocessing(config: Mapping[str, Any], source: str, **changes: Any) -> Preprocessing:
    """The steps of timm's transform for evaluation.

    Args:
        config: as timm keeps it with weights. source: what messages call it.
        changes: what goes before the configuration, by the names of timm's options.

    Raises:
        BadRequest: it holds something that can't be meant.
    """
    from timm.data import resolve_data_config

    try:
        resolved = resolve_data_config(changes, pretrained_cfg={"input_size": None, **config})
        size = tuple(resolved["input_size"])[-2:]
        crop_pct = float(resolved["crop_pct"])
        sides = _sides(size, "input_size"), _sides([floor(side / crop_pct) for side in size], "crop_pct")
        mean, std = (_numbers(resolved[name], name) for name in ("mean", "std"))
        if len(mean) != len(std) or not all(value > 0 for value in std):
            raise ValueError(f"std is {shown(resolved['std'])}")
        interpolation = resolved["interpolation"]
        if interpolation not in INTERPOLATIONS:
            raise ValueError(f"interpolation is {shown(interpolation)}")
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError, ArithmeticError) as error:
        raise BadRequest(f"{source}: timm's preprocessing can't be read: {error}.") from error
    return _in_steps(Preprocessing(mean, std, interpolation=interpolation), *sides, str(resolved["crop_mode"]))


def _in_steps(known: Preprocessing, size: tuple[int, int], scaled: tuple[int, int], mode: str) -> Preprocessing:
    """The preprocessing with its geometry: the scaled size, and the crop of what the network reads.

    Args:
        mode: squash, border, or center, which timm takes anything else for.
    """
    crop = size if scaled != size else None
    if mode == "squash":
        return replace(known, resize=scaled, crop=crop)
    if mode == "border":
        return replace(known, resize=scaled, crop=size, aspect="contain", fill="mean")
    if scaled[0] == scaled[1]:
        return replace(known, resize=scaled[0], crop=size)
    return replace(known, resize=scaled, crop=size, aspect="cover")


def _sides(values: Any, name: str) -> tuple[int, int]:
    height, width = values
    if type(height) is not int or type(width) is not int or not (0 < height <= LARGEST and 0 < width <= LARGEST):
        raise ValueError(f"{name} makes {shown(height)} by {shown(width)} pixels")
    return height, width


def _numbers(values: Any, name: str) -> tuple[float, ...]:
    numbers = tuple(map(float, values))
    if not 0 < len(numbers) <= MOST_CHANNELS or not all(map(isfinite, numbers)):
        raise ValueError(f"{name} is {shown(values)}")
    return numbers


def timm_classes(config: Mapping[str, Any], count: int) -> tuple[str, ...] | None:
    """The names in index order, or None where nobody has said them.

    Args:
        config: as timm keeps it with weights: `label_names`, and `label_descriptions` by name.
        count: how many classes the network has. Where the configuration names none, timm tells ImageNet's sets by it.
    """
    names = _given(config, count)
    if names is not None:
        return names
    from timm.data import ImageNetInfo, infer_imagenet_subset

    subset = infer_imagenet_subset({"num_classes": count})
    return tuple(ImageNetInfo(subset).label_descriptions()) if subset else None


def _given(config: Mapping[str, Any], count: int) -> tuple[str, ...] | None:
    """The names that the configuration has for all classes; those without one are called by their index."""
    names, descriptions = config.get("label_names"), config.get("label_descriptions")
    if isinstance(names, list | tuple):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not names:
        return None
    by_index = {str(index): str(name) for index, name in names.items()}
    if not set(by_index) <= {str(index) for index in range(count)}:
        return None
    known = descriptions if isinstance(descriptions, dict) else {}
    called = (by_index.get(str(index), f"class {index}") for index in range(count))
    return tuple(str(known.get(name, name)) for name in called)
