"""Files of a site: texts and pictures, each in its folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cnnvis_report.report.pictures.thumbnails import JPEG
from cnnvis_report.report.site import assets
from cnnvis_report.store.files.atomic import within


def write_shared(folder: Path, data: Mapping[str, Any]) -> None:
    """Style sheets and scripts, and data that all pages share, by name."""
    texts = {
        "assets/report.css": assets.styles(),
        "assets/theme.js": assets.theme_script(),
        "assets/report.js": assets.scripts(),
        "assets/plotly.js": assets.delivery("plotly", assets.packed_plotly()),
        **{f"data/{name}.js": assets.delivery(name, content) for name, content in data.items()},
    }
    for name, text in texts.items():
        write_text(folder, name, text)


def write_text(folder: Path, name: str, text: str) -> None:
    """Write a file of the site, with the folders that it needs within the site's folder."""
    within(folder, name).write_text(text, encoding="utf-8", newline="\n")


def write_pictures(folder: Path, inner: str, pictures: Iterable[tuple[str, bytes]]) -> list[str]:
    """Write pictures into a folder of their own within the site's folder, each by its name; the names of the files."""
    names = []
    for name, content in pictures:
        names.append(f"{inner}/{name}.{'jpg' if content.startswith(JPEG) else 'webp'}")
        within(folder, names[-1]).write_bytes(content)
    return names
