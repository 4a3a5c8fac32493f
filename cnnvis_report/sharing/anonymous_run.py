"""A copy of a run folder in which nothing has a name: images, classes and layers are numbered."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import Keep, StoredFile
from cnnvis_report.sharing.aliases import Aliases
from cnnvis_report.sharing.anonymize import anonymous
from cnnvis_report.store.array_files.arrays import write_arrays
from cnnvis_report.store.array_files.half import COLOR, SCALE
from cnnvis_report.store.array_files.shards import write_shard
from cnnvis_report.store.files.names import (
    ARRAYS,
    INSPECTION,
    SNAPSHOTS,
    array_key,
    arrays_name,
    inspection_name,
    place,
    shard_name,
)
from cnnvis_report.store.manifest import write_manifest
from cnnvis_report.store.run_folder import StoredRun, load_run

Arrays = Mapping[str, npt.NDArray[Any]]
OF_LAYERS = ("kernels", "channel_stats", "top_images", "maps", "channels", "summary", "units", "inverted")


def write_anonymous(
    run: StoredRun, folder: Path, title: str | None = None, aliases: Aliases | None = None
) -> StoredRun:
    """Write a run without names into an empty folder: its records, its arrays and what they are called.

    What the pictures themselves show stays, and so do the methods' names and everything that was measured.

    Args:
        title: of the copy; the title of the run may be a name. aliases: that stand for its names, where others than
        its own are to.

    Raises:
        BadRequest: the run is damaged.
    """
    run.need_arrays()
    aliases = aliases or Aliases(run.record, run.images())
    for inner in (ARRAYS, INSPECTION):
        (folder / inner).mkdir()
    files = dict(_map_files(run, folder, aliases))
    for name in (Path(name).stem for name in run.record.files if name.startswith(f"{INSPECTION}/")):
        other = inspection_name(aliases.image_id(name))
        arrays = _inspection_arrays(name, run.inspection_arrays(name), aliases)
        files[other] = write_arrays(place(folder, other), arrays, deflated=True)
    record = anonymous(run.record, aliases)
    settings = {**record.settings} | ({"title": title} if title else {})
    record = replace(record, settings=settings, files=dict(sorted(files.items())))
    write_manifest(folder, record, (anonymous(image, aliases) for image in run.images()))
    for inner in (ARRAYS, INSPECTION):
        if not any((folder / inner).iterdir()):
            (folder / inner).rmdir()
    return load_run(folder)


@dataclass(frozen=True)
class _Anonymous:
    """An image of the copy."""

    image: ImageRecord
    arrays: Arrays


def _map_files(run: StoredRun, folder: Path, aliases: Aliases) -> Iterator[tuple[str, StoredFile]]:
    """Write the arrays of all images, in files as the run has them; what each is known by."""
    deflated = run.record.keep is not Keep.FULL
    for number, images in groupby(run.images(), lambda image: image.shard):
        results = (_Anonymous(anonymous(image, aliases), _map_arrays(run, image, aliases)) for image in images)
        if number is not None:
            yield shard_name(number), write_shard(folder, number, results, deflated=deflated)[1]
            continue
        for result in results:
            name = arrays_name(result.image.id)
            yield name, write_arrays(place(folder, name), result.arrays, deflated=deflated)


def _map_arrays(run: StoredRun, image: ImageRecord, aliases: Aliases) -> Arrays:
    """The arrays of an image, its maps by the names of the copy."""
    keys: dict[str, str] = {}
    for record in image.maps:
        other = array_key(record.method, aliases.layer(record.layer), record.target)
        keys |= {f"{record.key}{rest}": f"{other}{rest}" for rest in ("", f"/{SCALE}", f"/{COLOR}")}
    return {keys.get(key, key): array for key, array in run.stored_arrays(image).items()}


def _inspection_arrays(name: str, arrays: Arrays, aliases: Aliases) -> dict[str, npt.NDArray[np.generic]]:
    """The arrays of what layers compute, by the names of the copy."""
    if name == SNAPSHOTS:  # by IMAGE/METHOD/EPOCH
        return dict(_snapshots(arrays, aliases))
    return {_inspection_key(key, aliases): array for key, array in arrays.items()}


def _snapshots(arrays: Arrays, aliases: Aliases) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    for key, array in arrays.items():
        image, slash, rest = key.partition("/")
        yield f"{aliases.image_id(image)}{slash}{rest}", array


def _inspection_key(key: str, aliases: Aliases) -> str:
    """Such as "units/LAYER/0/crop" with the alias of the layer; layers' names may have strokes of their own."""
    what, _, rest = key.partition("/")
    if what not in OF_LAYERS:
        return key
    parts = rest.split("/")
    for count in range(len(parts), 0, -1):
        layer = "/".join(parts[:count])
        if layer in aliases.layers:
            return "/".join((what, aliases.layers[layer], *parts[count:]))
    return key
