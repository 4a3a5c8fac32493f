"""HDF5 files, looked at before anything is read: nothing outside of the file, and no more than it can hold."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cnnvis_report.errors import BadRequest

MOST_OBJECTS = 100_000
UNFOLDED = 8  # times a file's size that its arrays may have: Keras doesn't compress
SLACK = 1 << 20  # bytes
SIGNATURE = b"\x89HDF\r\n\x1a\n"


def rehearse(read: Callable[[], object], seconds: int) -> bool:
    """Try in a process of its own what reads a damaged file: in the HDF5 library, that may crash or never end.

    Args:
        read: what is tried. What it raises doesn't matter, as it will raise it again. seconds: of computing that it
            may take.

    Returns:
        Whether it came to an end. Where processes can't be split, it isn't tried.
    """
    if sys.platform != "linux":
        return True
    import resource

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on threads, of which the other process needs none
        process = os.fork()
    if process == 0:
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            read()
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    return os.WIFEXITED(status)


def check_hdf5(file: Any, path: Path, size: int) -> None:
    """Refuse a file whose parts lie elsewhere, or that claims far more than its size.

    Args:
        file: it as h5py opens it. path: what messages call it. size: in bytes.

    Raises:
        BadRequest: saying which part.
    """
    claimed = 0
    for count, (name, dataset) in enumerate(_objects(file, path)):
        if count > MOST_OBJECTS:
            raise BadRequest(f"{path}: holds more than {MOST_OBJECTS:,} parts, as no network does.")
        if dataset is None:
            continue
        if dataset.external or dataset.is_virtual:
            raise BadRequest(f"{path}: {name} lies in another file, which isn't read.")
        if dataset.dtype.kind not in "fiubSO":
            raise BadRequest(f"{path}: {name} holds no numbers.")
        claimed += int(dataset.size or 0) * dataset.dtype.itemsize
        if claimed > UNFOLDED * size + SLACK:
            raise BadRequest(f"{path}: {size:,} bytes that claim to hold {claimed:,} with {name}.")
        if dataset.chunks is not None:
            dataset[...]  # in pieces, where the library may never end


def _objects(file: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """All parts by name: datasets, and None for a group; a part that has several names comes once."""
    import h5py

    waiting, seen = [("", file)], set()
    while waiting:
        parent, group = waiting.pop()
        for name in group.attrs:
            group.attrs[name]  # is where the library may never end
        yield parent, None
        for name in group:
            full = f"{parent}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise BadRequest(f"{path}: {full} is a link to another place, which isn't followed.")
            part = group[name]
            address = h5py.h5o.get_info(part.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(part, h5py.Group):
                waiting.append((full, part))
            else:
                yield full, part if isinstance(part, h5py.Dataset) else None
