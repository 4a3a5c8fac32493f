"""Images that lie in the rows of a Parquet or an Arrow file."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from cnnvis_report.data.entry import MOST_BYTES, Entry
from cnnvis_report.data.pixels import UnusablePicture

AT_A_TIME = 64  # rows that are in memory at once


@dataclass(eq=False)
class RowImages:
    """The images of a column, a few rows of which are in memory; `open` gives the file anew."""

    open: Callable[[], Any]
    column: str
    first: int = 0
    rows: list[Any] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    _batches: Any = None

    def read(self, row: int) -> bytes:
        """The bytes of one; rows are read one after the other, from the first again where one lies further back."""
        with self.lock:
            if row < self.first or self._batches is None:
                self.first, self.rows = 0, []
                self._batches = self.open().iter_batches(batch_size=AT_A_TIME, columns=[self.column])
            while row >= self.first + len(self.rows):
                self.first += len(self.rows)
                batch = next(self._batches, None)
                if batch is None:
                    raise UnusablePicture("the file has fewer rows than before")
                self.rows = batch.column(0).to_pylist()
            value = self.rows[row - self.first]
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes) or not content:
            raise UnusablePicture("no bytes of an image are in its row")
        if len(content) > MOST_BYTES:
            raise UnusablePicture(f"more than {MOST_BYTES >> 20} MB")
        return content


@dataclass(frozen=True)
class RowEntry(Entry):
    """The image in a row; its key is the row's number."""

    images: RowImages = field(compare=False)

    def read(self) -> bytes:
        """Its bytes."""
        try:
            return self.images.read(int(self.key))
        except UnusablePicture:
            raise
        except Exception as error:  # of the library's C++ code, in many types
            raise UnusablePicture(f"its row can't be read ({str(error).splitlines()[0][:80]})") from error
