"""Images that are no files of their own: members of archives, slices of arrays, rows of tables."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

from cnnvis_report.data.formats import HEAD
from cnnvis_report.data.pixels import UnusablePicture

MOST_BYTES = 1 << 28  # of one image: what claims more isn't read


@dataclass(frozen=True)
class Entry(ABC):
    """The bytes of one image within something larger, in a format that a reader knows.

    container: the file that holds it; its state on the disk tells whether the entry can have changed. None where it is
    no file, such as an address. key: tells it from all other entries of the container.
    """

    container: Path | None
    key: str

    @abstractmethod
    def read(self) -> bytes:
        """All bytes, at most `MOST_BYTES` of them, whatever the container claims.

        Raises:
            UnusablePicture: they can't be read; the message is the reason alone.
            OSError: the container can't.
        """

    def head(self) -> bytes:
        """The first `HEAD` bytes, for as little work as possible; nothing where they can't be read."""
        try:
            return self._head()
        except Exception:  # says so when it is decoded
            return b""

    def _head(self) -> bytes:
        return self.read()[:HEAD]


def check_bytes(count: int) -> None:
    """Refuse an image of more than `MOST_BYTES` bytes."""
    if count > MOST_BYTES:
        raise UnusablePicture(f"{count >> 20} MB; at most {MOST_BYTES >> 20} are read")
