"""Records to the run folder and back: `run.json`, and a file of arrays per image that plain numpy reads.

While a run goes on, each image that is done becomes a line of `journal.jsonl`, and a run that is stopped goes on
from there. When it is complete, `run.json` takes these lines in, one image a line, so that a run of any size is read
one image at a time. Everything is written beside its place and then moved there: what is in the folder is whole.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cnnvis_report.errors import BadRequest
from cnnvis_report.files import beside, blocked_by, remove, remove_empty
from cnnvis_report.manifest import (
    FIRST_LINE,
    FORMAT,
    JOURNAL,
    LAST_LINE,
    MANIFEST,
    fingerprint_of,
    head,
    images_in,
    journal_lines,
)
from cnnvis_report.records import ImageRecord, RunRecord
from cnnvis_report.records_identity import Identity, fingerprint
from cnnvis_report.records_json import from_json, parsed, to_json

PAGES = "pages.json"
ARRAYS = "arrays"
INSIDE = "inside"
FITTED = "fitted"  # what was fitted to the image set, kept until the run is complete
NETWORK = "network"  # what is inside the network itself; no image has this id, which begins with its number
FILMS = "films"  # images over the epochs of a training

Arrays = Mapping[str, npt.NDArray[Any]]


def array_key(method: str, layer: str, target: int) -> str:
    """The name of a map in its image's file of arrays, such as "grad_cam/layer4/281" or "saliency/281"."""
    layer = re.sub(r"[^\w.#-]", "_", layer)
    return "/".join(part for part in (method, layer, str(target)) if part)


def arrays_path(folder: Path, image: str) -> Path:
    """Where the arrays of an image are."""
    return folder / ARRAYS / f"{image}.npz"


def load_arrays(folder: Path, image: str) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an image: "picture", "mask" where there is one, and its maps by their keys."""
    with np.load(arrays_path(folder, image), allow_pickle=False) as file:
        return dict(file)


def inside_path(folder: Path, name: str) -> Path:
    """Where the arrays from within the network are: of an image by its id, of the network itself by NETWORK."""
    return folder / INSIDE / f"{name}.npz"


def fitted_path(folder: Path, name: str) -> Path:
    """Where an unfinished run keeps what was fitted under a name."""
    return folder / FITTED / f"{name}.safetensors"


def load_inside(folder: Path, name: str) -> dict[str, npt.NDArray[Any]]:
    """All arrays from within the network, of an image or of itself."""
    with np.load(inside_path(folder, name), allow_pickle=False) as file:
        return dict(file)


@dataclass(frozen=True)
class StoredRun:
    """A complete run in its folder."""

    folder: Path
    record: RunRecord

    def images(self) -> Iterator[ImageRecord]:
        """The images in order, read one by one.

        Raises:
            BadRequest: the manifest is damaged.
        """
        for content in images_in(self.folder / MANIFEST):
            try:
                image = from_json(ImageRecord, content)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise BadRequest(f"{self.folder / MANIFEST}: is damaged ({error!r}). Start the run again.") from error
            yield image


def load_run(folder: Path) -> StoredRun:
    """The run that `RunWriter.finish` has written.

    Raises:
        BadRequest: the folder holds no complete run, or one of a version that this one can't read.
    """
    path = folder / MANIFEST
    if not path.is_file():
        reason = "a run that hasn't finished; start it again with the same command" if is_ours(folder) else "no run"
        raise BadRequest(f"{folder}: holds {reason}.")
    content = head(path)
    if content.get("format") != FORMAT:
        raise BadRequest(f"{path}: isn't a run that this version reads (format {content.get('format')!r}).")
    try:
        return StoredRun(folder, from_json(RunRecord, content["run"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadRequest(f"{path}: is damaged ({error!r}). Start the run again.") from error


class RunWriter:
    """A run folder that is being written.

    Args:
        folder: where; made if it isn't there.
        identity: what decides the results.
        images: ids of the images of this run, in order.
        keep: whether the folder holds what an earlier start of this run has left, which is kept; what another run has
            left is removed.
        files: what files are known to hold, as `manifest.remembered` gives it.

    Raises:
        BadRequest: the folder holds something else.
    """

    def __init__(
        self,
        folder: Path,
        identity: Identity,
        images: Sequence[str],
        *,
        keep: bool,
        files: Mapping[str, str] | None = None,
    ) -> None:
        check_writable(folder)
        self.folder = folder
        self._fresh = not folder.exists()
        self._journal = folder / JOURNAL
        if not keep:
            clear(folder)
        (folder / ARRAYS).mkdir(parents=True, exist_ok=True)
        whole = {image for image in images if arrays_path(folder, image).is_file()}
        manifest = folder / MANIFEST
        self.complete = manifest.is_file() and all(image["id"] in whole for image in images_in(manifest))
        self.done: set[str] = set()
        if not self.complete:
            self._start_journal(identity, files or {}, whole)

    def add(
        self,
        image: ImageRecord,
        arrays: Arrays,
        seconds: Mapping[str, float],
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Write one image's arrays, then its line in the journal, which says that the arrays are whole.

        seconds: what each method took on it. files: what its files are remembered by.
        """
        with beside(arrays_path(self.folder, image.id)) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        with self._journal.open("a", encoding="utf-8") as journal:
            journal.write(to_json([asdict(image), dict(seconds), dict(files or {})]) + "\n")
        self.done.add(image.id)

    def add_inside(self, name: str, arrays: Arrays) -> None:
        """Write what was found inside the network, of an image or of itself."""
        with beside(inside_path(self.folder, name)) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    def seconds(self) -> dict[str, float]:
        """What each method has taken on all images that are done, in earlier starts too."""
        total: Counter[str] = Counter()
        for _, seconds, _ in journal_lines(self._journal):
            total.update(seconds)
        return dict(total)

    def finish(self, run: RunRecord) -> None:
        """Write the manifest; the journal and what was fitted have served."""
        with beside(self.folder / MANIFEST) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(f'{{"format": {to_json(FORMAT)},\n"run": {to_json(asdict(run))},\n{FIRST_LINE}')
            for number, (image, _, _) in enumerate(journal_lines(self._journal)):
                file.write(f"{',' if number else ''}\n{to_json(image)}")
            file.write(f"\n{LAST_LINE}\n")
        self._journal.unlink()
        remove(self.folder, _names(self.folder, FITTED, "*.safetensors"))

    def abandon(self) -> None:
        """Where not one image was done there is nothing to go on from: leave the folder as it was found."""
        if not self.done and not self.complete:
            clear(self.folder)
            if self._fresh:
                remove_empty(self.folder)

    def _start_journal(self, identity: Identity, files: Mapping[str, str], whole: set[str]) -> None:
        """Begin the journal with what an earlier start has done."""
        manifest = self.folder / MANIFEST
        with beside(self._journal) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
            start = {"format": FORMAT, "fingerprint": fingerprint(identity), "identity": asdict(identity)}
            file.write(to_json(start | {"files": dict(files)}) + "\n")
            lines = journal_lines(self._journal)
            if manifest.is_file():
                lines = ((image, {}, {}) for image in images_in(manifest))
            for image, seconds, of_image in lines:
                if image["id"] in whole:
                    file.write(to_json([image, seconds, of_image]) + "\n")
                    self.done.add(image["id"])
        manifest.unlink(missing_ok=True)


def is_ours(folder: Path) -> bool:
    """Whether this program has written a run, or the beginning of one, into the folder."""
    return fingerprint_of(folder) is not None


def check_writable(folder: Path) -> None:
    """Refuse a folder that holds something else.

    Raises:
        BadRequest: it is a file, or a folder that isn't empty and isn't a run's.
    """
    if blocked_by(folder) is not None:
        raise BadRequest(f"-o {folder}: {blocked_by(folder)} is a file, and no folder can be made in it.")
    if folder.exists() and not folder.is_dir():
        raise BadRequest(f"{folder}: is a file; give -o the name of a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not is_ours(folder):
        raise BadRequest(
            f"{folder}: holds files that are not of a report, and nothing is overwritten. Give -o another folder."
        )


def clear(folder: Path) -> None:
    """Remove what this program has written into the folder, and nothing else."""
    if is_ours(folder):
        arrays = [name for place in (ARRAYS, INSIDE) for name in _names(folder, place, "*.npz")]
        fitted = _names(folder, FITTED, "*.safetensors")
        remove(folder, [*pages_of(folder), *arrays, *fitted, PAGES, JOURNAL, MANIFEST])
    for place in (ARRAYS, INSIDE):
        remove_empty(folder / place)


def pages_of(folder: Path) -> list[str]:
    """Names, relative to the folder, of the pages and their files that this program has written."""
    path = folder / PAGES
    listed = parsed(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else []
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    # a list that somebody else has changed mustn't lead out of the folder
    return [name for name in names if not Path(name).is_absolute() and ".." not in Path(name).parts]


def list_pages(folder: Path, names: Iterable[str]) -> None:
    """Note which files of the folder are pages of ours."""
    with beside(folder / PAGES) as temporary:
        temporary.write_text(to_json(sorted(names)) + "\n", encoding="utf-8")


def _names(folder: Path, place: str, pattern: str) -> list[str]:
    """Names, relative to the folder, of files in one of its own folders."""
    return [f"{place}/{path.name}" for path in (folder / place).glob(pattern)]
