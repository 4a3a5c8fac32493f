"""The tables of settings in folders that timm and transformers write."""

import json
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest

CONFIG = "config.json"
LARGEST_CONFIG = 1 << 24  # bytes; names of 20 000 classes take one or two million


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
