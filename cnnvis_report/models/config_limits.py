"""Settings of a network's configuration that go beyond its weights, found before anything is built."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnvis_report.data.preprocessing.preprocessing import LARGEST
from cnnvis_report.errors import BadRequest, shown

LAYERS = re.compile(r"layer|depth|block|stage|repeat", re.IGNORECASE)  # how many parts there are
SIDES = re.compile(r"image_size|img_size|patch_size|window|kernel|stride")
LARGEST_SETTING = 1 << 24


def check_settings(path: Path, config: Mapping[str, Any], tensors: int) -> None:
    """Refuse numbers that no network has, and far more layers than there are weights.

    Args:
        path: of the configuration. tensors: how many the weights have.

    Raises:
        BadRequest: naming the setting.
    """
    for name, value in _settings(config):
        numbers = value if isinstance(value, list) else [value]
        most = LARGEST if SIDES.search(name) else LARGEST_SETTING
        if max(map(abs, numbers)) > most:
            raise BadRequest(f"{path}: {name} is {shown(value)}; at most {most:,} is taken.")
        if LAYERS.search(name) and sum(numbers) > max(tensors, 1):
            raise BadRequest(f"{path}: {name} is {shown(value)}, and there are {tensors} tensors.")


def _settings(content: Any, name: str = "", depth: int = 6) -> Iterator[tuple[str, int | list[int]]]:
    """All whole numbers of a table by name, and lists of them."""
    if isinstance(content, Mapping) and depth and name != "label2id":
        for key, value in content.items():
            yield from _settings(value, str(key), depth - 1)
    elif isinstance(content, list) and content:
        numbers = [value for value in content if type(value) is int]
        if numbers:
            yield name, numbers
        for value in content if len(numbers) < len(content) else ():
            yield from _settings(value, name, depth - 1) if isinstance(value, Mapping | list) and depth else ()
    elif type(content) is int:
        yield name, content
