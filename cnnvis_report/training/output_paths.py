"""Where a training writes: the model, the best so far beside it, and snapshots."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.trained_file import read_trained
from cnnvis_report.store.files.atomic import blocked_by, remove_empty, sweep
from cnnvis_report.store.files.lock import lock_of


def check_places(path: Path, snapshots: Sequence[int]) -> None:
    """Refuse a place where nothing can be written, or where something is that no training has left.

    Raises:
        BadRequest: naming it.
    """
    if path.suffix != ".pt":
        raise BadRequest(f"-o {path}: a model's file ends in .pt, as in {path.with_suffix('.pt').name}.")
    if path.is_dir() or (path.exists() and not path.is_file()):
        raise BadRequest(f"-o {path}: is no file. Give the name of a file to write, such as model.pt.")
    if blocked_by(path) is not None:
        raise BadRequest(f"-o {path}: {blocked_by(path)} is a file, and nothing can be written in it.")
    for file in (path, part_of(path), *(snapshot_of(path, epoch) for epoch in snapshots)):
        if file.exists() and not _is_ours(file):
            raise BadRequest(f"-o {path}: {file} is there, and is no model that was trained here. Give another name.")


@contextmanager
def only_writer(path: Path) -> Iterator[None]:
    """Be the only training that writes a model; what a killed one has left half written is gone.

    Raises:
        BadRequest: another one is writing it.
    """
    missing = [folder for folder in path.absolute().parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    stem = re.escape(path.stem)
    try:
        with lock_of(path.with_name(f".{path.name}.lock"), f"-o {path}"):
            sweep(path.parent, re.compile(rf"{stem}(\.part|\.epoch-\d+)?\.pt"))
            yield
    finally:
        for folder in missing:
            remove_empty(folder)


def part_of(path: Path) -> Path:
    """Where the best so far is, while training goes on."""
    return path.with_name(f"{path.stem}.part.pt")


def snapshot_of(path: Path, epoch: int) -> Path:
    """Where the network after an epoch is kept."""
    return path.with_name(f"{path.stem}.epoch-{epoch}.pt")


def _is_ours(path: Path) -> bool:
    try:
        return read_trained(path) is not None
    except BadRequest as error:
        if isinstance(error.__cause__, OSError):  # nobody knows what it holds
            raise
        return False
