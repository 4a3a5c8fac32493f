"""Files that are whole or not there, and removing no more than one has written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def remove(folder: Path, names: Sequence[str]) -> None:
    """Remove files by their names relative to the folder, and the sub-folders that this leaves empty."""
    for name in names:
        (folder / name).unlink(missing_ok=True)
    inner = {parent for name in names for parent in Path(name).parents if parent.parts}
    for parent in sorted(inner, key=lambda path: len(path.parts), reverse=True):
        remove_empty(folder / parent)


def blocked_by(path: Path) -> Path | None:
    """The file, say, that stands where a folder above the path would have to be; None where nothing does."""
    above = next((parent for parent in path.absolute().parents if parent.exists() or parent.is_symlink()), None)
    return None if above is None or above.is_dir() else above


def remove_empty(folder: Path) -> None:
    """Remove a folder if there is nothing in it."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A name to write to, moved to `path` when all is written, removed when something fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
