"""Where shards travel from the workers to the command, if the run's folder isn't shared: a folder or an address."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from socket import gethostname
from typing import Any, Self, TypeVar

from cnnvis_report.data.archives.remote import remote, why
from cnnvis_report.data.discovery.addresses import PROTOCOLS, protocol_of, shown_address
from cnnvis_report.errors import BadRequest, CnnVisError, RunFailed
from cnnvis_report.records.run import StoredFile
from cnnvis_report.store.array_files.arrays import changed
from cnnvis_report.store.files.atomic import beside

Answer = TypeVar("Answer")
JOURNAL = "journal"
AT_A_TIME = 32 << 20  # bytes
TO_READ = {"http", "https", "hf", "memory"}  # nothing can be written there, or nobody else sees it
WRITTEN = sorted(PROTOCOLS - TO_READ)
WITH_FOLDERS = {"", "file", "ftp", "sftp", "ssh", "hdfs", "webhdfs"}  # in a store of objects it would make a bucket


@dataclass(frozen=True)
class Exchange:
    """A place that the command and its workers reach; each run folder has one of its own there, which goes at the end.

    address: a folder's absolute path, or what fsspec writes to, such as s3://bucket/exchange. name: of the run's own
    folder there. journal: the first line of the run's journal, by which workers know that it is the same place.
    """

    address: str
    name: str
    journal: str

    @classmethod
    def of(cls, address: str, folder: Path, journal: str) -> Self:
        """The place of a run at an address, or in a folder that may be relative to the command's.

        Args:
            folder: of the run, which one command at a time writes to.

        Raises:
            BadRequest: workers can't write there.
        """
        protocol = protocol_of(address)
        if protocol and protocol not in WRITTEN:
            raise BadRequest(
                f"--exchange {shown_address(address)}: workers can't write to {protocol}://. Give a folder that every "
                f"node shares, or an address of {', '.join(WRITTEN)}."
            )
        owner = f"{gethostname()}\n{folder.resolve()}\n{journal}"
        absolute = address if protocol else str(Path(address).resolve())
        return cls(absolute, sha256(owner.encode("utf-8", "replace")).hexdigest()[:16], journal)

    @property
    def shown(self) -> str:
        """The address without passwords and keys."""
        return shown_address(self.address)

    def announce(self) -> None:
        """Make the folder, new, and put there by what workers know it; what a command that was killed has left goes.

        Raises:
            BadRequest: it can't be written to.
        """

        def begin(filesystem: Any, path: str) -> None:
            if protocol_of(self.address) in WITH_FOLDERS:
                filesystem.makedirs(path.rpartition("/")[0], exist_ok=False)  # nobody else's, and no link of theirs
            filesystem.pipe_file(path, self.journal.encode())

        self.clear()
        try:
            self._tried(begin, JOURNAL)
        except RunFailed as error:
            raise BadRequest(f"--exchange {error}") from error

    def is_announced(self) -> bool:
        """Whether this is the place that the command has announced.

        Raises:
            RunFailed: it can't be reached.
        """

        def read(filesystem: Any, path: str) -> bool:
            try:
                return bool(filesystem.cat_file(path) == self.journal.encode())
            except FileNotFoundError:
                return False

        return self._tried(read, JOURNAL)

    def send(self, file: Path) -> None:
        """Put a file there under its name.

        Raises:
            RunFailed: it can't be written.
        """
        self._tried(lambda filesystem, path: filesystem.put_file(str(file), path), file.name)

    def fetch(self, target: Path, stored: StoredFile) -> None:
        """Get a file by the name of the target, whole or not at all, and remove it there.

        Raises:
            RunFailed: it isn't there, or isn't what a worker has sent. OSError: the target can't be written.
        """
        with beside(target) as temporary:
            with temporary.open("wb") as file:
                for begin in range(0, stored.bytes, AT_A_TIME):
                    file.write(self._part(target.name, begin, min(begin + AT_A_TIME, stored.bytes)))
            with temporary.open("rb") as file:
                wrong = changed(file, stored)
            if wrong:
                raise RunFailed(f"{self.shown}/{target.name}: {wrong}. The same command makes it again.")
        self._tried(lambda filesystem, path: filesystem.rm_file(path), target.name)

    def clear(self) -> None:
        """Remove what is there of the run, as far as that can be."""
        with suppress(CnnVisError):
            self._tried(lambda filesystem, path: filesystem.rm(path.rpartition("/")[0], recursive=True), JOURNAL)

    def _part(self, name: str, begin: int, end: int) -> bytes:
        """Some bytes of a file, so that no more of a stranger's is read than a worker has sent."""
        part: bytes = self._tried(lambda filesystem, path: filesystem.cat_file(path, start=begin, end=end), name)
        return part

    def _tried(self, action: Callable[[Any, str], Answer], name: str) -> Answer:
        """What an action gives, of the file system and a file's path in the run's folder."""
        filesystem, top = remote(self.address)
        try:
            return action(filesystem, f"{top.rstrip('/')}/{self.name}/{name}")
        except FileNotFoundError as error:
            raise RunFailed(f"{self.shown}: there is no such place, or no {name} of this run in it.") from error
        except Exception as error:  # of any of fsspec's file systems
            reason = error.strerror if isinstance(error, OSError) and error.strerror else why(error)
            raise RunFailed(f"{self.shown}: {reason}.") from error
