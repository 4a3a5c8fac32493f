"""What has come to a run's journal since it was last looked at, however long the journal is."""

from collections import deque
from pathlib import Path

from cnnvis_report.records.codec import Malformed, from_json, parsed
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.files.atomic import open_regular
from cnnvis_report.store.files.names import JOURNAL
from cnnvis_report.store.manifest import LARGEST, LONGEST

IMAGE = b'"image": {'  # which the line of an image has


class JournalTail:
    """Counts the images of a journal that grows, and reads the newest of them.

    Args:
        folder: of the run, which this process writes.
        newest: so many images are read at most.
    """

    def __init__(self, folder: Path, newest: int) -> None:
        self.count = 0
        self._path, self._offset = folder / JOURNAL, 0
        self._lines: deque[bytes] = deque(maxlen=newest)

    def grown(self) -> bool:
        """Look whether images have come."""
        before = self.count
        try:
            with open_regular(self._path, LARGEST) as file:
                file.seek(self._offset)
                while (line := file.readline(LONGEST)).endswith(b"\n"):
                    self._offset += len(line)
                    if IMAGE in line:
                        self.count += 1
                        self._lines.append(line)
        except FileNotFoundError:
            return False
        return self.count > before

    def newest(self) -> list[ImageRecord]:
        """The records of the newest images, the newest first."""
        images = []
        for line in reversed(self._lines):
            content = parsed(line.decode("utf-8", "replace"))
            try:
                images.append(from_json(ImageRecord, content.get("image") if isinstance(content, dict) else None))
            except Malformed:
                continue
        return images
