"""The record of a comparison in its folder, sealed as a run's is; the folder is a comparison's by it.

The images stand before everything else, one a line, as the rest is known when all of them are.
"""

from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import Malformed, from_json, parsed, to_json
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.store.comparison.compared_images import NewImages, StoredImages
from cnnvis_report.store.files.atomic import beside, is_regular, is_temporary
from cnnvis_report.store.files.digests import SEAL, holds, sealed
from cnnvis_report.store.files.lock import writing
from cnnvis_report.store.files.names import BUILDING, COMPARISON, LOCK, TOP
from cnnvis_report.store.files.output_file import check_output_folder
from cnnvis_report.store.manifest import lines_at, list_lines
from cnnvis_report.store.own_files import tidy

FORMAT = "cnnvis-report-comparison/2"
MARK = '{"format": "cnnvis-report-comparison/'  # what the file of any version begins with
IMAGES = "images"  # the field that stands in lines of its own
FIRST_LINE = f'{{"format": "{FORMAT}", "{IMAGES}": ['
SHORTEST = 200  # characters of the line of an image: each takes eight bytes of memory
BEHIND_IMAGES = "],\n"
LAST_LINE = '"comparison": '


@contextmanager
def comparison_output(folder: Path) -> Iterator[None]:
    """Be the only writer of the folder of a comparison, new or one of ours.

    Raises:
        BadRequest: the folder holds something else, such as a run, or somebody else is writing there.
    """
    check_writable(folder)
    with writing(folder):
        check_writable(folder)  # now that nobody changes it
        tidy(folder)
        yield


def check_writable(folder: Path, option: str = "-o") -> None:
    """Refuse a folder that holds anything but a comparison.

    Args:
        option: that names the folder; empty where none does.

    Raises:
        BadRequest: it is a file, a link, or a folder that isn't empty and isn't a comparison's.
    """
    check_output_folder(folder, option)
    if folder.is_dir() and not is_comparison_folder(folder) and not all(map(_is_first, folder.iterdir())):
        raise BadRequest(
            f"{folder}: holds files that are not of a comparison, and nothing is overwritten. Give another folder."
        )


def is_comparison_folder(folder: Path) -> bool:
    """Whether this program has written a comparison into the folder."""
    path = folder / COMPARISON
    return is_regular(path) and next(list_lines(path), "").startswith(MARK)


def _is_first(path: Path) -> bool:
    """Whether it is what a comparison makes before anything else."""
    return path.name == LOCK or is_temporary(path, TOP) or BUILDING.fullmatch(path.name) is not None


@contextmanager
def new_comparison(folder: Path, runs: int) -> Iterator["NewComparison"]:
    """The record of a comparison of so many runs, written image by image.

    It takes the place of an earlier one when it is complete.
    """
    with beside(folder / COMPARISON) as temporary, temporary.open("wb") as file:
        file.write(FIRST_LINE.encode())
        yield NewComparison(NewImages(temporary, runs, file), file)


class NewComparison:
    """A record that is being written.

    images: takes the images, one by one; then `finish` takes the rest.
    """

    def __init__(self, images: NewImages, file: BinaryIO) -> None:
        self.images, self._file = images, file

    def finish(self, comparison: Comparison) -> None:
        """Write everything but the images, with a digest that holds for it together with these images."""
        self._file.write(f"\n{BEHIND_IMAGES}".encode())
        self._file.flush()
        digest = sha256()
        for _, line in lines_at(self.images.path):
            digest.update(line.encode())
        content = {name: value for name, value in asdict(replace(comparison, images=())).items() if name != IMAGES}
        self._file.write(f'"comparison": {to_json(sealed(content, digest.hexdigest()))}}}\n'.encode())


def load_comparison(folder: Path) -> Comparison:
    """Read the record of a comparison, but for its images, which are read when they are asked for.

    Nothing in its folder is executed.

    Raises:
        BadRequest: there is none, one of another version, or one that was changed.
    """
    path = folder / COMPARISON
    if not path.is_file():
        raise BadRequest(f"{folder}: holds no comparison.")
    starts, digest, last = array("Q"), sha256(), ""
    for start, line in lines_at(path):
        if not start and line != FIRST_LINE + "\n":
            raise BadRequest(f"{path}: isn't of format {FORMAT!r}, which this version reads. Compare the runs again.")
        if last:
            raise _changed(path)  # something stands behind the end
        if line.startswith(LAST_LINE):
            last = line
            continue
        digest.update(line.encode())
        if line != BEHIND_IMAGES and start:
            if len(line) < SHORTEST:
                raise _changed(path)
            starts.append(start)
    return _opened(path, parsed(f"{{{last}"), starts, digest.hexdigest())


def _opened(path: Path, content: Any, starts: "array[int]", digest: str) -> Comparison:
    """The record from its last line.

    Args:
        starts: the bytes that the lines of its images begin at. digest: of everything before.

    Raises:
        BadRequest: it was changed.
    """
    record = content.get("comparison") if isinstance(content, dict) else None
    if not isinstance(record, dict) or not holds(record, digest):
        raise _changed(path)
    plain = {name: value for name, value in record.items() if name not in (SEAL, IMAGES)}
    try:
        comparison = from_json(Comparison, plain, "comparison")
    except Malformed as error:
        raise BadRequest(f"{path}: {error}. Compare the runs again.") from error
    return replace(comparison, images=StoredImages(path, len(comparison.runs), starts))


def _changed(path: Path) -> BadRequest:
    return BadRequest(f"{path}: something in it was changed after it was written. Compare the runs again.")
