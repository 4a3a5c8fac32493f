"""One writer at a time: a lock that the system takes back when its owner ends, however it ends."""

import errno
import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from stat import S_ISREG

from cnnvis_report.errors import BadRequest, WentAway
from cnnvis_report.store.files.atomic import NO_LINK, NO_WAIT, raise_if_there, remove_empty, unlink
from cnnvis_report.store.files.names import LOCK

# where a file system knows no locks there is none to take, and nothing worse than before
NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
OWNER = re.compile(rb"[\d\r\n\0]{0,30}")  # what such a file holds: a number of a process, or zeros after a power cut
LONGEST = 40  # bytes of it that are looked at
TRIES = 100
_held: dict[tuple[int, int], tuple[int, int]] = {}  # a folder: the thread that holds it, and how many times
_changing = threading.Lock()


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Be the only one that writes into a folder, from here on and by whatever is called meanwhile.

    The folder is made if it isn't there, and removed again if nothing has come into it. The file that carries the lock
    is gone afterwards; one that a killed program has left is taken over.

    Raises:
        BadRequest: somebody else is writing there, or no folder can be there.
    """
    created: list[Path] = []
    try:
        with ExitStack() as locks:
            _enter(folder, locks, created)
            yield
    finally:
        for path in reversed(created):
            remove_empty(path)


def _enter(folder: Path, locks: ExitStack, created: list[Path]) -> None:
    """Take the lock of a folder; again where whoever wrote there before removes the folder meanwhile."""
    for left in reversed(range(TRIES)):
        with ExitStack() as taking:
            try:
                _make(folder, created)
                if taking.enter_context(_thread(folder)):
                    taking.enter_context(lock_of(folder / LOCK, f"-o {folder}"))
            except FileNotFoundError:
                if not left:
                    raise
                continue
            locks.enter_context(taking.pop_all())
            return


def _make(folder: Path, created: list[Path]) -> None:
    """Make a folder and those above it, and note which."""
    for path in reversed((folder, *folder.parents)):
        if not path.is_dir():
            try:
                path.mkdir()
            except FileExistsError:
                if not path.is_dir():
                    raise
            else:
                created.append(path)


@contextmanager
def _thread(folder: Path) -> Iterator[bool]:
    """Have the folder for this thread; whether it has just come to it."""
    status = folder.stat()
    file_id = status.st_dev, status.st_ino
    me = threading.get_ident()
    with _changing:
        owner, times = _held.get(file_id, (me, 0))
        if owner == me:
            _held[file_id] = me, times + 1
    if owner != me:
        raise _taken(folder, "another thread of this program")
    try:
        yield not times
    finally:
        with _changing:
            _held[file_id] = me, times
            if not times:
                del _held[file_id]


@contextmanager
def lock_of(path: Path, what: str) -> Iterator[None]:
    """Hold the lock that a file carries; it is made, and removed afterwards.

    Args:
        what: is written under this lock, as a message names it.

    Raises:
        BadRequest: somebody else holds it. WentAway: the file was removed meanwhile, as it is with its folder.
    """
    descriptor = _take(path, what)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
        if not _same(descriptor, path):
            raise _went_away(path)
        try:
            path.unlink()
        except FileNotFoundError as error:
            raise_if_there(path, error)
            raise _went_away(path) from error
    finally:
        if _same(descriptor, path):
            unlink(path)
        os.close(descriptor)


def _take(path: Path, what: str) -> int:
    """A descriptor of the file, locked; again where its last owner removed it meanwhile."""
    while True:
        descriptor = _open(path)
        try:
            _lock(descriptor)
        except BlockingIOError:
            holder = _said(descriptor).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise _taken(path.parent, f"process {holder}" if holder.isdigit() else "another run", what) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                os.close(descriptor)
                raise
            return descriptor
        if _same(descriptor, path):
            return descriptor
        os.close(descriptor)


def _open(path: Path) -> int:
    """A descriptor of the file that carries a lock, made if it isn't there.

    Raises:
        BadRequest: something else is there. FileNotFoundError: no folder is there.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK | NO_WAIT, 0o666)
    except OSError as error:
        if error.errno in (errno.EISDIR, errno.ELOOP, errno.ENXIO) or path.is_dir():
            raise _strange(path) from error
        raise
    if S_ISREG(os.fstat(descriptor).st_mode) and OWNER.fullmatch(_said(descriptor)) is not None:
        return descriptor
    os.close(descriptor)
    raise _strange(path)


def _said(descriptor: int) -> bytes:
    """What the file says of its owner."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = os.read(descriptor, LONGEST)
    os.lseek(descriptor, 0, os.SEEK_SET)  # where it is written to
    return content


def _lock(descriptor: int) -> None:
    """Lock the file, or raise BlockingIOError at once."""
    if os.name == "nt":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError as error:
            raise BlockingIOError from error
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _same(descriptor: int, path: Path) -> bool:
    """Whether the path still leads to the file that is open."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def _strange(path: Path) -> BadRequest:
    return BadRequest(f"{path}: isn't what keeps other runs out, and nothing is written there. Move it away.")


def _went_away(path: Path) -> WentAway:
    return WentAway(f"{path.parent}: went away, or files of it did, while it was written. Start it again.")


def _taken(folder: Path, by: str, what: str = "") -> BadRequest:
    return BadRequest(
        f"{what or f'-o {folder}'}: {by} is writing there. Wait until it is done, or give -o another name."
    )
