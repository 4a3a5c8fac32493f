"""The images of a manifest, read and checked once: the pages go through them a dozen times."""

from collections.abc import Collection, Iterator
from pathlib import Path

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store.manifest import images_in, known_images

LARGEST = 4 << 20  # bytes of a manifest whose images are remembered: in memory they take two to three times that

State = tuple[int, int, int]


class ImageMemory:
    """Reads the images of one manifest: from the file until all were read; small ones from memory from then on.

    Of a large one it remembers that all were as they were written. It isn't checked again while the file stays.
    """

    def __init__(self) -> None:
        self._images: tuple[ImageRecord, ...] | None = None
        self._checked: State | None = None

    def read(self, path: Path, run: RunRecord, ids: Collection[str] | None = None) -> Iterator[ImageRecord]:
        """The images in order, one by one; those of a large manifest from its file each time.

        Args:
            ids: of the images that are wanted; all where None.

        Raises:
            BadRequest: the manifest is damaged.
        """
        if self._images is None and self._checked == _state(path):
            yield from known_images(path, ids)
            return
        for image in self._all(path, run):
            if ids is None or image.id in ids:
                yield image

    def _all(self, path: Path, run: RunRecord) -> Iterator[ImageRecord]:
        if self._images is not None:
            yield from self._images
            return
        before, images = _state(path), []
        small = before[0] <= LARGEST
        for image in images_in(path, run):
            if small:
                images.append(image)
            yield image
        if small:
            self._images = tuple(images)
        elif before == _state(path):
            self._checked = before


def _state(path: Path) -> State:
    """What changes where a file is written anew."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
