"""Folders of Hugging Face datasets: Arrow files as `save_to_disk` writes them, Parquet files as on the hub."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending
from cnnvis_report.data.image_file import FoundImages, ImageFile, readable, several
from cnnvis_report.data.split_names import in_split, is_part
from cnnvis_report.data.tables.columnar import EXTRA, ArrowFile, features_of, image_columns, open_parquet, table_rows
from cnnvis_report.data.tables.label_rows import label_rows
from cnnvis_report.data.tables.row_images import RowEntry, RowImages
from cnnvis_report.data.tables.table import Cell, Table
from cnnvis_report.errors import BadRequest, shown

ARROW, PARQUET = ".arrow", ".parquet"
SHARD = re.compile(r"(?P<part>.+?)-\d{5}-of-\d{5}.*")  # of a file's name
NUMBER = "row"  # the column that stands for a path
Parts = dict[str, list[Path]]


def is_dataset_folder(text: str) -> bool:
    """Whether it is a folder that `save_to_disk` has written, or one of Parquet files."""
    return Path(text).is_dir() and bool(_parts(Path(text)))


@collection(
    title="a folder of a Hugging Face dataset",
    example="dataset/",
    matches=is_dataset_folder,
    order=20,
    requires=("pyarrow",),
    install=EXTRA,
    reads=("--split", "--label-columns"),
    ways=(
        ImageWay("a Hugging Face dataset, `save_to_disk`", "dataset/ --split validation", "its column of class labels"),
        ImageWay("a folder of Parquet files, as on the hub", "dataset/ --split test", "the same"),
    ),
)
def dataset_folder(text: str, selection: Selection) -> FoundImages:
    """The images of a dataset in a folder; no script of it runs, and nothing is written to a cache."""
    parts = _parts(Path(text))
    named = [part for part in parts if part]
    notices: list[str] = []
    if selection.split and named:
        wanted = {part: parts[part] for part in named if in_split(part, selection.split)}
        if not wanted:
            raise BadRequest(f"--split {shown(selection.split)}: {text} has {', '.join(named)}.")
        parts, selection = wanted, Selection("", selection.label_columns, selection.channels)
    elif len(parts) > 1:
        notices.append(f"{text} has the parts {several(named, 6)}, and all are taken; --split takes one of them.")
    shards = [_opened(path, f"{part}/" if len(parts) > 1 else "") for part, paths in parts.items() for path in paths]
    return _images(Path(text), shards, selection, notices)


@dataclass(frozen=True)
class _Shard:
    """A file of rows.

    before: what stands before the names of its images. columns: those that hold no images. features: what each column
    is, as the file notes it.
    """

    path: Path
    before: str
    images: tuple[str, ...]
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    features: Mapping[str, Any]


def _images(folder: Path, shards: list[_Shard], selection: Selection, notices: list[str]) -> FoundImages:
    first = shards[0]
    if not first.images:
        raise BadRequest(f"{folder}: no column of {first.path.name} holds images, but {', '.join(first.columns)}.")
    if len(first.images) > 1:
        notices.append(f"{folder.name} has images in {several(list(first.images))}; those of the first are taken.")
    entries: dict[str, ImageFile] = {}
    rows: list[tuple[Cell, ...]] = []
    for shard in shards:
        if (shard.columns, shard.images) != (first.columns, first.images):
            raise BadRequest(f"{folder}: {shard.path.name} has other columns than {first.path.name}.")
        images = RowImages(partial(_open, shard.path), shard.images[0])
        for number, cells in enumerate(shard.rows):
            name = f"{shard.before}{len(rows):06d}"
            entries[name] = ImageFile(Path(name), name, entry=RowEntry(shard.path, str(number), images))
            rows.append(((name,), *cells))
    label, names = _class_labels(first.features)
    if not selection.label_columns and label:
        selection = Selection(selection.split, (label,), selection.channels)
    table = Table(folder.name, (NUMBER, *first.columns), rows, names)
    table_labels = label_rows(table, selection, lambda text: text in entries)
    files = [
        ImageFile(file.path, file.name, labels=row.labels, bare=row.bare, entry=file.entry)
        for row in table_labels.rows
        for file in (entries[row.path],)
    ]
    classes = names if selection.label_columns == (label,) else ()
    return FoundImages(tuple(files), notices=(*notices, *table_labels.notices), classes=tuple(map(readable, classes)))


def _class_labels(features: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """The first column of class labels, of one or of several an image, and the names of the classes."""
    for column, feature in features.items():
        feature = feature[0] if isinstance(feature, list) and feature else feature
        inner = feature.get("feature", feature) if isinstance(feature, dict) else {}
        names = inner.get("names") if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" else None
        if isinstance(names, list) and names:
            return column, tuple(map(str, names))
    return "", ()


def _open(path: Path) -> Any:
    return ArrowFile(path) if ending(path) == ARROW else open_parquet(path)


def _opened(path: Path, before: str) -> _Shard:
    file = _open(path)
    images = image_columns(file)
    columns = tuple(name for name in file.schema_arrow.names if name not in images)
    return _Shard(path, before, images, columns, table_rows(file, path, columns), features_of(file))


def _parts(folder: Path) -> Parts:
    """The files of each part of a dataset; no part has a name where there is but one."""
    try:
        if (folder / "state.json").is_file():
            return {"": _saved(folder)} if _saved(folder) else {}
        inner = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        if (folder / "dataset_dict.json").is_file():
            return {path.name: files for path in inner if (path / "state.json").is_file() and (files := _saved(path))}
        return _on_the_hub([folder, *inner])
    except OSError:
        return {}


def _on_the_hub(folders: list[Path]) -> Parts:
    """Parquet files that are called like a part, or lie in a folder that is; others may be tables beside images."""
    parts: Parts = {}
    for folder in folders:
        for path in sorted(folder.glob(f"*{PARQUET}")):
            shard = SHARD.fullmatch(path.stem)
            part = next((name for name in (path.stem, folder.name) if is_part(name)), "")
            if shard or part:
                parts.setdefault(shard["part"] if shard else part, []).append(path)
    return parts


def _saved(folder: Path) -> list[Path]:
    """The files that `save_to_disk` lists; what is no plain name of a file there is passed over."""
    try:
        listed = json.loads((folder / "state.json").read_text("utf-8"))["_data_files"]
        names = [entry["filename"] for entry in listed]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    plain = [name for name in names if isinstance(name, str) and Path(name).name == name and name.endswith(ARROW)]
    return [folder / name for name in plain if (folder / name).is_file()]
