"""Files behind addresses, by way of fsspec: whole, or by the bytes that are asked for."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, BinaryIO

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.data.archives.member import Member, safe_name
from cnnvis_report.data.discovery.addresses import protocol_of, shown_address
from cnnvis_report.data.entry import Entry, check_bytes
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.errors import BadRequest

AT_A_TIME = 1 << 20  # bytes that one request brings
MOST_FILES = 1_000_000
CONNECTED, ANSWERED, WHOLE = 10, 30, 120  # seconds until a server is connected, says something, has said all


@dataclass(frozen=True)
class RemoteBytes(ByteSource):
    """A file behind an address, of which parts are fetched."""

    filesystem: Any = field(compare=False, repr=False)
    path: str
    shown: str
    total: int

    slow = True
    container = None  # nobody can say whether it has changed, but by reading it

    def __post_init__(self) -> None:
        # a hash of the whole address, which may hold a key
        object.__setattr__(self, "label", sha256(self.path.encode("utf-8", "replace")).hexdigest()[:16] + " ")

    @property
    def size(self) -> int:
        """As the server says."""
        return self.total

    def read_at(self, offset: int, count: int) -> bytes:
        """So many bytes from an offset.

        Raises:
            OSError: the server doesn't answer, or answers with something else.
        """
        end = min(offset + count, self.total)
        if end <= offset:
            return b""
        content: bytes = _asked(lambda: self.filesystem.cat_file(self.path, start=offset, end=end))
        if len(content) != end - offset:
            raise OSError("the server doesn't send parts of a file")
        return content

    def open(self, buffer: int = AT_A_TIME) -> BinaryIO:
        """An open file over it that fetches much at a time."""
        return super().open(max(buffer, AT_A_TIME))


@dataclass(frozen=True)
class RemoteEntry(Entry):
    """An image that is a file behind an address."""

    source: RemoteBytes

    def read(self) -> bytes:
        """All of it, in one request."""
        check_bytes(self.source.total)
        content = _asked(self._fetched)
        if len(content) != self.source.total:
            raise UnusablePicture(f"the server sends other than the {self.source.total} bytes that it has announced")
        return content

    def _fetched(self) -> bytes:
        with self.source.filesystem.open(self.source.path, "rb") as file:
            content: bytes = file.read(self.source.total + 1)
        return content

    def head(self) -> bytes:
        """Nothing: a request for each of many files would take long."""
        return b""


def remote(text: str) -> tuple[Any, str]:
    """The file system of an address, and the path within it.

    Raises:
        BadRequest: what its protocol needs isn't installed, or it is no address.
    """
    import fsspec

    protocol, options = protocol_of(text), {}
    try:
        if protocol in ("http", "https"):
            import aiohttp

            timeout = aiohttp.ClientTimeout(total=WHOLE, sock_connect=CONNECTED, sock_read=ANSWERED)
            options = {"client_kwargs": {"timeout": timeout}}
        filesystem, path = fsspec.core.url_to_fs(text, **options)
    except ImportError as error:
        needs = f" ({error.name})" if error.name else ""
        raise BadRequest(
            f"{shown_address(text)}: what fsspec needs for {protocol}:// isn't installed{needs}: pip install "
            f"'fsspec[{'http' if protocol == 'https' else protocol}]'"
        ) from error
    except Exception as error:  # of any of its file systems
        raise BadRequest(f"{shown_address(text)}: {why(error)}.") from error
    return filesystem, path


def look_up(filesystem: Any, path: str, shown: str) -> dict[str, Any]:
    """What a server says of a file or a folder: its type and its size.

    Raises:
        BadRequest: it says nothing, or there is nothing.
    """
    try:
        info: dict[str, Any] = filesystem.info(path)
    except FileNotFoundError as error:
        raise BadRequest(f"{shown}: there is nothing at this address, or nothing that you may read.") from error
    except Exception as error:  # of any of fsspec's file systems
        raise BadRequest(f"{shown}: {why(error)}.") from error
    if info.get("type") != "directory" and not isinstance(info.get("size"), int):
        raise BadRequest(f"{shown}: the server doesn't say how large it is; download it, and give the file.")
    return info


def remote_members(filesystem: Any, path: str, shown: str) -> list[Member]:
    """The files in a folder behind an address, called by what is behind the folder's own path.

    Raises:
        BadRequest: it can't be listed, or has too many files.
    """
    try:
        infos: dict[str, dict[str, Any]] = filesystem.find(path, detail=True)
    except Exception as error:  # of any of fsspec's file systems
        raise BadRequest(f"{shown}: can't be listed ({why(error)}).") from error
    if len(infos) > MOST_FILES:
        raise BadRequest(f"{shown}: {len(infos):,} files; a folder of at most {MOST_FILES:,} is read.")
    members = []
    for name, info in sorted(infos.items()):
        inner, problem = safe_name(name.removeprefix(path.rstrip("/")).lstrip("/"))
        size = info.get("size")
        source = RemoteBytes(filesystem, name, f"{shown.rstrip('/')}/{inner}", size if isinstance(size, int) else 0)
        entry = None if problem or not source.total else RemoteEntry(None, source.label, source)
        members.append(Member(inner, source.total, entry, problem or ("" if entry else "an empty file")))
    return members


def why(error: Exception) -> str:
    """Why a server doesn't answer, without what may hold a key."""
    status = getattr(error, "status", None)
    if isinstance(error, TimeoutError):
        return "the server doesn't answer in time"
    if isinstance(error, PermissionError):
        return "the server refuses it"
    return f"the server can't be reached, or refuses it ({f'HTTP {status}' if status else type(error).__name__})"


def _asked(request: Any) -> bytes:
    """What a request gives."""
    try:
        content: bytes = request()
    except Exception as error:  # of any of fsspec's file systems
        raise OSError(None, why(error)) from error
    return content
