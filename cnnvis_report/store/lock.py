"""One writer at a time: a lock that the system takes back when its owner ends, however it ends."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.files import NO_LINK, remove_empty
from cnnvis_report.store.names import LOCK

# where a file system knows no locks there is none to take, and nothing worse than before
NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
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
    fresh = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    place = _place(folder)
    me = threading.get_ident()
    with _changing:
        owner, times = _held.get(place, (me, 0))
        if owner == me:
            _held[place] = me, times + 1
    if owner != me:
        raise _taken(folder, "another thread of this program")
    try:
        if times:
            yield
        else:
            with lock_of(folder / LOCK, f"-o {folder}"):
                yield
    finally:
        with _changing:
            _held[place] = me, times
            if not times:
                del _held[place]
        if fresh and not times:
            remove_empty(folder)


@contextmanager
def lock_of(path: Path, what: str) -> Iterator[None]:
    """Hold the lock that a file carries; it is made, and removed afterwards.

    Args:
        what: is written under this lock, as a message names it.

    Raises:
        BadRequest: somebody else holds it.
    """
    descriptor = _take(path, what)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        if _same(descriptor, path):
            path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(path: Path, what: str) -> int:
    """A descriptor of the file, locked; again where its last owner removed it meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o666)
        try:
            _lock(descriptor)
        except BlockingIOError:
            said = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise _taken(path.parent, f"process {said}" if said.isdigit() else "another run", what) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                os.close(descriptor)
                raise
            return descriptor
        if _same(descriptor, path):
            return descriptor
        os.close(descriptor)


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


def _place(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _taken(folder: Path, by: str, what: str = "") -> BadRequest:
    return BadRequest(
        f"{what or f'-o {folder}'}: {by} is writing there. Wait until it is done, or give -o another name."
    )
