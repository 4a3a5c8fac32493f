"""The tables of settings in folders that timm and transformers write: read, and checked before anything is built."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnvis_report.data.preprocessing.preprocessing import LARGEST
from cnnvis_report.errors import BadRequest, shown

CONFIG = "config.json"
LARGEST_CONFIG = 1 << 24  # bytes; names of 20 000 classes take one or two million
LAYERS = re.compile(r"layer|depth|block|stage|repeat", re.IGNORECASE)  # how many parts there are
SIDES = re.compile(r"image_size|img_size|patch_size|window|kernel|stride")
LARGEST_SETTING = 1 << 24


def read_config(folder: Path, name: str = CONFIG) -> dict[str, Any]:
    """What config.json, or another such file of a folder, holds.

    Raises:
        BadRequest: it can't be read, or is no table.
    """
    path = folder / name
    try:
        if path.exists() and not path.is_file():  # a pipe would never answer
            raise BadRequest(
                f"{path}: is {'a folder' if path.is_dir() else 'no regular file'}, not a table of settings."
            )
        if path.stat().st_size > LARGEST_CONFIG:
            raise BadRequest(f"{path}: has {path.stat().st_size:,} bytes, which no configuration needs.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadRequest(
            f"{path}: can't be read as JSON ({type(error).__name__}). Copy or download it again."
        ) from error
    if not isinstance(content, dict):
        raise BadRequest(f"{path}: holds a {type(content).__name__} and no table of settings.")
    return content


def check_settings(path: Path, config: Mapping[str, Any], tensors: int) -> None:
    """Refuse numbers that no network has, and far more layers than there are weights.

    Args:
        path: of the configuration. tensors: how many the weights have.
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
