"""CIFAR-10 and CIFAR-100 as their makers give them, pickled for Python or binary."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnnvis_report.data.archives.byte_source import LocalBytes
from cnnvis_report.data.arrays.parts import ArrayPart, images_of_parts
from cnnvis_report.data.arrays.plain_pickle import NotPlain, Reduced, array_bytes, read_plain
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.errors import BadRequest

SHAPE, PIXELS = (3, 32, 32), 3 * 32 * 32
BYTE = np.dtype(np.uint8)
LARGEST = 1 << 28  # bytes of a pickle
BATCH = re.compile(r"(data_batch_\d+|test_batch|train|test)(\.bin)?")
NAMES = ("batches.meta", "meta", "batches.meta.txt", "fine_label_names.txt")
LABEL_KEYS = ("labels", "fine_labels")


def batches_in(folder: Path) -> list[Path]:
    """The batches of a folder that has the names of the classes too; nothing where it hasn't."""
    if not any((folder / name).is_file() for name in NAMES):
        return []
    return sorted(path for path in folder.iterdir() if BATCH.fullmatch(path.name) and path.is_file())


def split_of(path: Path) -> str:
    """The part of the set that a batch belongs to."""
    return "test" if path.name.startswith("test") else "train"


def read_part(path: Path, *, fine: bool) -> ArrayPart:
    """The images of one batch with their labels.

    Args:
        fine: of a binary one, whether a coarse label comes before each fine one.

    Raises:
        BadRequest: it is damaged, or holds something else.
    """
    return _binary(path, fine) if path.suffix == ".bin" else _pickled(path)


def class_names(folder: Path) -> tuple[str, ...]:
    """The names of the classes in their order; nothing where they can't be read."""
    for path in (folder / name for name in NAMES):
        try:
            if not path.is_file() or path.stat().st_size > 1 << 20:
                continue
            if path.suffix == ".txt":
                return tuple(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip())
            content = _texts(read_plain(path.read_bytes()))
            names = content.get("fine_label_names") or content.get("label_names") or []
            return tuple(_text(name) for name in names)
        except (OSError, NotPlain, AttributeError, TypeError, UnicodeDecodeError):
            continue
    return ()


def _binary(path: Path, fine: bool) -> ArrayPart:
    record = PIXELS + (2 if fine else 1)
    count, rest = divmod(path.stat().st_size, record)
    if rest or not count:
        raise BadRequest(f"{path}: no batch of CIFAR, or cut short: its size is no multiple of {record} bytes.")
    content = np.memmap(path, np.uint8, "r", 0, (count, record))
    labels = [(str(label),) for label in content[:, record - PIXELS - 1].tolist()]
    return ArrayPart(LocalBytes(path), record - PIXELS, record, count, SHAPE, BYTE, labels, split_of(path))


def _pickled(path: Path) -> ArrayPart:
    if path.stat().st_size > LARGEST:
        raise BadRequest(f"{path}: no batch of CIFAR: more than {LARGEST >> 20} MB.")
    content = path.read_bytes()
    try:
        batch = _texts(read_plain(content))
    except NotPlain as error:
        raise BadRequest(f"{path}: no batch of CIFAR, or a damaged one ({error}).") from error
    array = array_bytes(batch.get("data"))
    labels = next((batch[name] for name in LABEL_KEYS if name in batch), None)
    if array is None or array[1] != "u1" or len(array[0]) != 2 or array[0][1] != PIXELS:
        raise BadRequest(f"{path}: no batch of CIFAR: it has no array of N×{PIXELS} bytes called data.")
    count, values = array[0][0], array[2]
    offset = content.find(values) if len(values) == count * PIXELS and count else -1
    if offset < 0:
        raise BadRequest(f"{path}: no batch of CIFAR as its makers write it: its bytes don't lie in one piece.")
    return ArrayPart(LocalBytes(path), offset, PIXELS, count, SHAPE, BYTE, _labels(labels, count), split_of(path))


def _labels(values: Any, count: int) -> Sequence[tuple[str, ...]] | None:
    if isinstance(values, Reduced):
        array = array_bytes(values)
        values = np.frombuffer(array[2], array[1]).tolist() if array is not None and array[1][1:].isdigit() else None
    if not isinstance(values, list) or len(values) != count or not all(isinstance(value, int) for value in values):
        return None
    return [(str(value),) for value in values]


def _texts(content: Any) -> dict[str, Any]:
    """A dictionary by texts, whichever Python wrote it."""
    if not isinstance(content, dict):
        raise NotPlain("no dictionary")
    return {_text(key): value for key, value in content.items()}


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def is_cifar(text: str) -> bool:
    """Whether it is a folder of batches, or one of them, beside the names of the classes."""
    path = Path(text)
    try:
        if path.is_dir():
            return bool(batches_in(path))
        named = BATCH.fullmatch(path.name) is not None and path.is_file()
        return named and any(path.with_name(name).is_file() for name in NAMES)
    except OSError:
        return False


@collection(
    title="a set of CIFAR's batches",
    example="cifar-10-batches-py",
    matches=is_cifar,
    order=20,
    ways=(
        ImageWay("CIFAR-10 or CIFAR-100, for Python", "cifar-10-batches-py --split test", "those of the batches"),
        ImageWay("CIFAR-10 or CIFAR-100, binary", "cifar-10-batches-bin --split test", "those of the batches"),
    ),
    reads=("--split",),
)
def cifar_batches(text: str, selection: Selection) -> FoundImages:
    """The images of CIFAR's batches; a pickle is read without being run."""
    path = Path(text)
    folder, paths = (path, batches_in(path)) if path.is_dir() else (path.parent, [path])
    fine = (folder / "fine_label_names.txt").is_file()
    try:
        parts = [read_part(batch, fine=fine) for batch in paths]
    except OSError as error:
        raise BadRequest(f"{text}: can't be read ({error.strerror}).") from error
    return images_of_parts(parts, path.name, selection, class_names(folder))
