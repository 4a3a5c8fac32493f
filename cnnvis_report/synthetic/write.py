"""A drawn data set as folders: pictures by class, masks beside them, and what they are in `dataset.json`."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL.Image import Image

from cnnvis_report.data.discovery.dataset_json import DESCRIPTION, FORMAT, IMAGES, MASKS, listed_files, read_description
from cnnvis_report.data.prefetch import ahead, processors
from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.progress import Progress
from cnnvis_report.records.codec import to_json
from cnnvis_report.store.files.atomic import (
    beside,
    is_temporary,
    link_on_the_way,
    remove,
    settle,
    sweep,
    within,
)
from cnnvis_report.store.files.lock import writing
from cnnvis_report.store.files.names import LOCK
from cnnvis_report.store.files.output_file import check_output_folder
from cnnvis_report.synthetic import layers, shapes
from cnnvis_report.synthetic.drawing import Drawing

SMALLEST = 24  # pixels a side: below, a decoy is less than a pixel wide
LARGEST = 4096
PICTURE = re.compile(r"\d+\.png")
DESCRIBED = re.compile(re.escape(DESCRIPTION))


@dataclass(frozen=True)
class Kind:
    """What can be drawn: class names, variants (the first is the default), the usual side, and who draws.

    decides: what the masks show. draw: the picture of a number, a seed, a side and a variant.
    """

    name: str
    classes: tuple[str, ...]
    variants: tuple[str, ...]
    side: int
    decides: str
    draw: Callable[[int, int, int, str], Drawing]


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "shapes", shapes.CLASSES, ("plain",), 80, "the shape", lambda at, seed, side, _: shapes.draw(at, seed, side)
        ),
        Kind("layers", layers.CLASSES, layers.VARIANTS, 213, "the patch with shifted stripes", layers.draw),
    )
}


def check_request(kind: str, count: int, variant: str | None, side: int | None) -> tuple[Kind, str, int]:
    """The kind, the variant and the side that a user asks for, each with its default.

    Raises:
        UnknownName, BadRequest: there is no such kind or variant, or the numbers can't be.
    """
    if kind not in KINDS:
        raise UnknownName("drawing", kind, KINDS)
    entry = KINDS[kind]
    if variant is not None and variant not in entry.variants:
        raise UnknownName(f"variant of {kind}", variant, entry.variants)
    if side is not None and not SMALLEST <= side <= LARGEST:
        raise BadRequest(f"--size {side}: a drawn picture has {SMALLEST} to {LARGEST} pixels a side.")
    if count < len(entry.classes):
        raise BadRequest(f"-n {count}: {kind} has {len(entry.classes)} classes; draw at least one picture of each.")
    return entry, variant or entry.variants[0], side or entry.side


def write_set(
    kind: Kind,
    count: int,
    folder: Path,
    *,
    variant: str,
    side: int,
    seed: int,
    progress: Progress | None = None,
) -> None:
    """Draw so many pictures into a folder: `images/CLASS/NUMBER.png`, and masks called alike in `masks/`.

    Masks of what doesn't decide the class lie in folders of their own, such as `decoys/`. The same arguments give the
    same bytes. A set that was drawn there before gives way; `dataset.json` says "complete" when all is there.

    Raises:
        BadRequest: the folder holds something else, or another one is drawing there.
    """
    _find_set(folder)
    with writing(folder):
        _write_set(kind, count, folder, variant, side, seed, progress or Progress())


def _find_set(folder: Path) -> dict[str, Any] | None:
    """What the set that the folder holds says of itself; None where the folder is new, empty, or barely begun."""
    check_output_folder(folder, "-o")
    old = read_description(folder) if folder.is_dir() else None
    if old is not None or not folder.exists():
        return old
    if not all(map(_is_first, folder.iterdir())):
        raise BadRequest(f"{folder}: holds something else. Give -o a folder that is new, empty, or a drawn set.")
    return None


def _is_first(path: Path) -> bool:
    """Whether it is what drawing makes before anything else: the lock, and what becomes the description."""
    return path.name == LOCK or is_temporary(path, DESCRIBED)


def _write_set(kind: Kind, count: int, folder: Path, variant: str, side: int, seed: int, progress: Progress) -> None:
    old = _find_set(folder)  # now that nobody else changes it
    description = {
        "format": FORMAT,
        "kind": kind.name,
        "variant": variant,
        "side": side,
        "seed": seed,
        "classes": list(kind.classes),
        "mask": kind.decides,
        "images": count,
        "complete": False,
    }
    names = [f"{kind.classes[at % len(kind.classes)]}/{at + 1:0{len(str(count))}d}.png" for at in range(count)]
    subfolders = [subfolder for subfolder, _ in _pictures(kind.draw(0, seed, side, variant))]
    wanted = {f"{subfolder}/{name}" for subfolder in subfolders for name in names}
    obsolete = set(listed_files(folder, old)) - wanted if old is not None else set()
    _check_folders(folder, wanted)
    sweep(folder, DESCRIBED)
    for subfolder in {Path(name).parent for name in wanted | obsolete}:
        sweep(folder / subfolder, PICTURE)
    # before the first change, so that a set that is cut short is known for ours, and for what it is
    _describe(folder, description | {"files": sorted(wanted | obsolete)})
    remove(folder, sorted(obsolete))
    with _cleared(folder, wanted):
        files = _draw(partial(_write, kind, folder, variant, side, seed), names, folder, progress)
        _describe(folder, description | {"files": sorted(files), "complete": True})


def _draw(
    draw: Callable[[tuple[int, str]], list[str]], names: Sequence[str], folder: Path, progress: Progress
) -> list[str]:
    """Have all pictures drawn, side by side, and on the disk; the names of their files."""
    files: list[str] = []
    workers = processors(4)
    for written in ahead(draw, enumerate(names), workers=workers, waiting=workers):
        files += written
        progress.done(written[0])
    _settle([folder / name for name in files], workers)
    return files


@contextmanager
def _cleared(folder: Path, names: set[str]) -> Iterator[None]:
    """Where the folder is deleted while it is open, no picture that was written since is left: it would be nobody's."""
    try:
        yield
    except OSError:
        if not (folder / DESCRIPTION).is_file():
            _clear(folder, names)
        raise


def _clear(folder: Path, names: set[str]) -> None:
    """Remove pictures of a set that no description speaks of any more."""
    with suppress(OSError):  # what went wrong first is what is said
        for subfolder in {Path(name).parent for name in names}:
            sweep(folder / subfolder, PICTURE)
        remove(folder, sorted(names))


def _check_folders(folder: Path, names: Iterable[str]) -> None:
    """Refuse to write where a link leads."""
    for name in names:
        link = link_on_the_way(folder, name)
        if link is not None:
            raise BadRequest(f"{link}: is a link, and nothing is written where it leads. Give -o another folder.")


def _write(kind: Kind, folder: Path, variant: str, side: int, seed: int, entry: tuple[int, str]) -> list[str]:
    index, name = entry
    drawing = kind.draw(index, seed, side, variant)
    written = []
    for subfolder, picture in _pictures(drawing):
        written.append(f"{subfolder}/{name}")
        with beside(within(folder, written[-1]), lasting=False, parents=False) as temporary:
            picture.save(temporary, "PNG")
    return written


def _pictures(drawing: Drawing) -> Iterator[tuple[str, Image]]:
    yield IMAGES, drawing.picture
    yield MASKS, drawing.mask.convert("1")
    for subfolder, mask in drawing.others.items():
        yield subfolder, mask.convert("1")


def _settle(files: Sequence[Path], workers: int) -> None:
    """Have files on the disk, and then the list of each of their folders, once."""
    for paths in (files, sorted({path.parent for path in files})):
        for _ in ahead(settle, paths, workers=workers, waiting=workers):
            pass


def _describe(folder: Path, description: dict[str, object]) -> None:
    with beside(folder / DESCRIPTION, parents=False) as temporary:
        temporary.write_text(to_json(description) + "\n", encoding="utf-8")
