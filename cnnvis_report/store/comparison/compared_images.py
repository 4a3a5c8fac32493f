"""The images of a comparison as lines of a file, so that no number of them takes memory."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, overload

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import Malformed, from_json, parsed, to_json
from cnnvis_report.records.compared_images import ComparedImage
from cnnvis_report.store.files.atomic import open_regular
from cnnvis_report.store.manifest import LARGEST, LONGEST, fits


class StoredImages(Sequence[ComparedImage]):
    """Compared images in a file, one a line, of which one at a time is read; it can be pickled.

    Raises:
        BadRequest: when an image is read whose line isn't there any more.
    """

    def __init__(self, path: Path, runs: int, starts: "array[int] | None" = None) -> None:
        """Note where the images are.

        Args:
            runs: how many are compared.
            starts: the byte that each line begins at.
        """
        self.path, self.runs, self.starts = path, runs, array("Q") if starts is None else starts

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[ComparedImage]:
        return self._read(self.starts)

    @overload
    def __getitem__(self, index: int) -> ComparedImage: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[ComparedImage, ...]: ...
    def __getitem__(self, index: int | slice) -> ComparedImage | tuple[ComparedImage, ...]:
        if isinstance(index, slice):
            return tuple(self._read(self.starts[index]))
        return next(self._read([self.starts[index]]))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # it is equal to other sequences

    def _read(self, starts: Sequence[int]) -> Iterator[ComparedImage]:
        with open_regular(self.path, LARGEST) as file:
            for start in starts:
                file.seek(start)
                line = file.readline(LONGEST)
                content = parsed(line.decode("utf-8", "replace").rstrip(",\n")) if fits(line) else None
                try:
                    image = from_json(ComparedImage, content, "image")
                    _check(image, self.runs)
                except Malformed as error:
                    raise BadRequest(f"{self.path}: {error}. Compare the runs again.") from error
                yield image


class NewImages(StoredImages):
    """Compared images that are written to a file one by one, and can be read at any time."""

    def __init__(self, path: Path, runs: int, file: BinaryIO) -> None:
        """Begin where the file is.

        Args:
            runs: how many are compared.
            file: open to be written, at `path`.
        """
        super().__init__(path, runs)
        self._file = file

    def append(self, image: ComparedImage) -> None:
        """Write one more."""
        self._file.write(b",\n" if self.starts else b"\n")
        self.starts.append(self._file.tell())
        self._file.write(to_json(asdict(image)).encode("utf-8"))

    def _read(self, starts: Sequence[int]) -> Iterator[ComparedImage]:
        self._file.flush()
        return super()._read(starts)


def _check(image: ComparedImage, runs: int) -> None:
    """Refuse an image that doesn't say as much of each run as all others do.

    Raises:
        Malformed: naming the field.
    """
    of_runs = {"ids": image.ids, "predictions": image.predictions, "targets": image.targets}
    of_later = {"flips": image.flips, "movement": image.movement}
    of_runs |= {f"keys[{method!r}]": keys for method, keys in image.keys.items()}
    of_runs |= {f"mask_energy[{method!r}]": shares for method, shares in image.mask_energy.items()}
    of_later |= {f"moved[{method!r}]": moved for method, moved in image.moved.items()}
    for fields, count in ((of_runs, runs), (of_later, runs - 1)):
        for name, values in fields.items():
            if len(values) != count:
                raise Malformed(f"image.{name} is a list of {len(values)} in the place of {count}")
