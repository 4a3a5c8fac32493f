"""Files that are whole or not there, in folders that may be a stranger's: no link is followed to write or remove."""

import errno
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISLNK, S_ISREG
from typing import Any, BinaryIO

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import parsed, to_json

NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # where the system knows it
NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{8}\.new")


def read_json(path: Path, most: int) -> Any:
    """What a file of JSON holds; None where it holds none.

    Raises:
        BadRequest, OSError: as `open_regular` does.
    """
    with open_regular(path, most) as file:
        return parsed(file.read(most).decode("utf-8", "replace"))


@contextmanager
def open_regular(path: Path, most: int) -> Iterator[BinaryIO]:
    """A file to be read; whatever isn't one, such as a pipe that nobody writes to, is refused without a wait.

    Raises:
        BadRequest: it is a link, no regular file, or holds more than so many bytes. OSError: it can't be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | NO_WAIT | NO_LINK | getattr(os, "O_BINARY", 0))
    except OSError as error:
        if path.is_symlink():
            raise BadRequest(f"{path}: is a link, where a file has to be.") from error
        raise_if_there(path, error)
        raise
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            raise BadRequest(f"{path}: is no regular file.")
        if status.st_size > most:
            raise BadRequest(f"{path}: holds {status.st_size} bytes, where at most {most} are read.")
        yield file


def raise_if_there(path: Path, error: OSError) -> None:
    """Say that a disk contradicts itself, where it says that something isn't there which it lists.

    A network's disk does, for a moment. Who took its word would take a run for an empty folder, or leave files behind.

    Raises:
        OSError: ESTALE, if the error is such a word.
    """
    if error.errno == errno.ENOENT and os.path.lexists(path):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), os.fspath(path)) from error


def unlink(path: Path) -> None:
    """Remove a file or a link, if it is there.

    Raises:
        OSError: it can't be removed.
    """
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise_if_there(path, error)


def within(folder: Path, name: str) -> Path:
    """Where a file of that name goes, in sub-folders that are made; the folder itself isn't made anew if it is gone.

    Raises:
        FileNotFoundError: it is gone.
    """
    for parent in reversed(Path(name).parents[:-1]):
        (folder / parent).mkdir(exist_ok=True)
    return folder / name


def is_regular(path: Path) -> bool:
    """Whether a file is there, and no link to one."""
    return path.is_file() and not path.is_symlink()


def link_on_the_way(folder: Path, name: str) -> Path | None:
    """The first link among the folders between a folder and a name within it; None where there is none."""
    for parent in reversed(Path(name).parents[:-1]):
        path = folder / parent
        with suppress(OSError):
            if S_ISLNK(path.lstat().st_mode):
                return path
    return None


def files_below(folder: Path) -> list[str]:
    """Names of all files and links in a folder and its sub-folders, relative to it, in order.

    `rglob` would keep quiet about folders that it may not look into.

    Raises:
        OSError: a folder can't be looked into.
    """

    def refuse(error: OSError) -> None:
        raise error

    names = []
    for root, folders, files in os.walk(folder, onerror=refuse):
        links = [name for name in folders if Path(root, name).is_symlink()]  # which aren't looked into
        names += [Path(root, name).relative_to(folder).as_posix() for name in (*files, *links)]
    return sorted(names)


def remove(folder: Path, names: Sequence[str]) -> None:
    """Remove files by their names relative to the folder, and the sub-folders that this leaves empty.

    What isn't a file, and what only a link leads to, stays.
    """
    removable = [name for name in names if link_on_the_way(folder, name) is None]
    for name in removable:
        path = folder / name
        if not path.is_dir() or path.is_symlink():
            unlink(path)
    inner = {parent for name in removable for parent in Path(name).parents if parent.parts}
    for parent in sorted(inner, key=lambda path: len(path.parts), reverse=True):
        remove_empty(folder / parent)


def blocked_by(path: Path) -> Path | None:
    """The file, say, that stands where a folder above the path would have to be; None where nothing does."""
    above = next((parent for parent in path.absolute().parents if parent.exists() or parent.is_symlink()), None)
    return None if above is None or above.is_dir() else above


def remove_empty(folder: Path) -> None:
    """Remove a folder if there is nothing in it, and nobody puts anything into it meanwhile."""
    try:
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise_if_there(folder, error)
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT):
            raise


@contextmanager
def beside(path: Path, *, lasting: bool = True, parents: bool = True) -> Iterator[Path]:
    """A name to write to, moved to `path` when all is written, removed when something fails.

    The name is new and nobody else's, however many write at once; a link in the place of `path` gives way and isn't
    followed.

    Args:
        lasting: whether it has to be on the disk, and not only on its way there, before this returns.
        parents: whether the folder is made if it isn't there.
    """
    if parents:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.new")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | NO_LINK, 0o666))
    try:
        yield temporary
        if lasting:
            settle(temporary)
        if path.is_dir() and not path.is_symlink():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        temporary.replace(path)
        if lasting:
            settle(path.parent)
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = os.fspath(path)  # an open file that can't be written doesn't say which it is
        raise
    finally:
        unlink(temporary)


def write_text(path: Path, text: str, *, lasting: bool = True, parents: bool = True) -> None:
    """Write a file of text, whole or not at all, as `beside` has it."""
    with beside(path, lasting=lasting, parents=parents) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, content: object, *, lasting: bool = True, parents: bool = True) -> None:
    """Write a file of one line of JSON, whole or not at all, as `beside` has it."""
    write_text(path, to_json(content) + "\n", lasting=lasting, parents=parents)


def settle(path: Path) -> None:
    """Have a file, or the list of a folder's files, on the disk before going on."""
    if path.is_dir() and os.name == "nt":  # where a folder can't be opened
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_temporary(path: Path, ours: re.Pattern[str]) -> bool:
    """Whether it is what `beside` writes to first, for a file that is to be called as `ours` matches."""
    match = _TEMPORARY.fullmatch(path.name)
    return match is not None and ours.fullmatch(match[1]) is not None and not path.is_dir()


def sweep(folder: Path, ours: re.Pattern[str]) -> None:
    """Remove what `beside` couldn't, because the program was killed: files that were to be called as `ours` matches.

    Nobody may be writing there meanwhile.
    """
    if not folder.is_dir() or folder.is_symlink():
        return
    for path in list(folder.iterdir()):
        if is_temporary(path, ours):
            unlink(path)
