"""Which images of several runs are the same, and their records side by side."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.run_folder import StoredRun


@dataclass(frozen=True)
class ImageKey:
    """What an image is recognized by in another run."""

    id: str
    name: str
    content: str


def image_key(image: ImageRecord) -> ImageKey:
    """What an image is recognized by; its mask may be another one."""
    return ImageKey(image.id, image.name, image.content.partition("+")[0])


def match_images(keys: Sequence[Sequence[ImageKey]]) -> list[tuple[str, ...]]:
    """The ids in each run of the images that all runs have, in the order of the first run.

    An image is the same where its file has the same content and the same name; then where it has the same content;
    last where it has the same name. Each image of a run is matched once.
    """
    columns = [{key.id: key.id for key in keys[0]}]
    columns += [_matches(keys[0], other) for other in keys[1:]]
    return [
        tuple(column[key.id] for column in columns) for key in keys[0] if all(key.id in column for column in columns)
    ]


def _matches(first: Sequence[ImageKey], other: Sequence[ImageKey]) -> dict[str, str]:
    """The id in the other run by the id in the first one."""
    matches: dict[str, str] = {}
    unmatched = list(other)
    for fields in (("content", "name"), ("content",), ("name",)):
        waiting: dict[tuple[str, ...], list[ImageKey]] = {}
        for key in unmatched:
            values = tuple(getattr(key, field) for field in fields)
            if all(values):
                waiting.setdefault(values, []).append(key)
        used = set()
        for key in first:
            candidates = waiting.get(tuple(getattr(key, field) for field in fields))
            if candidates and key.id not in matches:
                match = candidates.pop(0)
                matches[key.id] = match.id
                used.add(match.id)
        unmatched = [key for key in unmatched if key.id not in used]
    return matches


def side_by_side(runs: Sequence[StoredRun], ids: Sequence[tuple[str, ...]]) -> Iterator[tuple[ImageRecord, ...]]:
    """The records of matched images, one of each run, in the order of the first run.

    Where all runs have them in this order, one image of each run is held at a time.

    Args:
        ids: of each image in each run, as `match_images` or `ComparedImage.ids` has them.
    """
    readers = [_Reader(run, {image[index] for image in ids}) for index, run in enumerate(runs)]
    for image in ids:
        yield tuple(reader.read(id) for reader, id in zip(readers, image, strict=True))


class _Reader:
    """The images of a run by their ids, in any order; those that are passed on the way are held."""

    def __init__(self, run: StoredRun, wanted: set[str]) -> None:
        self._images, self._wanted = run.images(), wanted
        self._passed: dict[str, ImageRecord] = {}

    def read(self, id: str) -> ImageRecord:
        """The image with an id."""
        while id not in self._passed:
            image = next(self._images)
            if image.id in self._wanted:
                self._passed[image.id] = image
        return self._passed.pop(id)
