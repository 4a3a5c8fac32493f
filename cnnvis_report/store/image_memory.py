"""The images of a small manifest, read and checked once: the pages go through them a dozen times."""

from collections.abc import Iterator
from pathlib import Path

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store.manifest import images_in

LARGEST = 4 << 20  # bytes of a manifest whose images are remembered: in memory they take two to three times that


class ImageMemory:
    """Reads the images of one manifest, from the file until all were read, and from memory from then on."""

    def __init__(self) -> None:
        self._images: tuple[ImageRecord, ...] | None = None

    def read(self, path: Path, run: RunRecord) -> Iterator[ImageRecord]:
        """The images in order, one by one; those of a large manifest from its file each time.

        Raises:
            BadRequest: the manifest is damaged.
        """
        if self._images is not None:
            yield from self._images
        elif path.stat().st_size > LARGEST:
            yield from images_in(path, run)
        else:
            images = []
            for image in images_in(path, run):
                images.append(image)
                yield image
            self._images = tuple(images)
