"""The record of a comparison in its folder, sealed as a run's is; the folder is a comparison's by it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import Malformed, from_json, parsed, to_json
from cnnvis_report.records.comparison import Comparison
from cnnvis_report.store.atomic import beside, blocked_by, is_regular, is_temporary, read_regular
from cnnvis_report.store.digests import SEAL, holds, sealed
from cnnvis_report.store.lock import writing
from cnnvis_report.store.manifest import list_lines
from cnnvis_report.store.names import BUILDING, COMPARISON, LOCK, TOP
from cnnvis_report.store.own_files import tidy

FORMAT = "cnnvis-report-comparison/1"
MARK = '{"format": "cnnvis-report-comparison/'  # what the file of any version begins with
LARGEST = 512 << 20  # bytes of the file


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


def check_writable(folder: Path) -> None:
    """Refuse a folder that holds anything but a comparison.

    Raises:
        BadRequest: it is a file, or a folder that isn't empty and isn't a comparison's.
    """
    if blocked_by(folder) is not None:
        raise BadRequest(f"-o {folder}: {blocked_by(folder)} is a file, and no folder can be made in it.")
    if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
        raise BadRequest(f"{folder}: is a file; give -o the name of a folder.")
    if folder.is_dir() and not is_comparison_folder(folder) and not all(map(_is_first, folder.iterdir())):
        raise BadRequest(
            f"{folder}: holds files that are not of a comparison, and nothing is overwritten. Give -o another folder."
        )


def is_comparison_folder(folder: Path) -> bool:
    """Whether this program has written a comparison into the folder."""
    path = folder / COMPARISON
    return is_regular(path) and next(list_lines(path), "").startswith(MARK)


def _is_first(path: Path) -> bool:
    """Whether it is what a comparison makes before anything else."""
    return path.name == LOCK or is_temporary(path, TOP) or BUILDING.fullmatch(path.name) is not None


def write_comparison_file(folder: Path, comparison: Comparison) -> Path:
    """Write the record of a comparison down, with a digest of it."""
    path = folder / COMPARISON
    content = sealed(asdict(comparison), FORMAT)
    with beside(path) as temporary:
        text = f'{{"format": {to_json(FORMAT)},\n"comparison": {to_json(content)}}}\n'
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return path


def load_comparison(folder: Path) -> Comparison:
    """Read the record of a comparison; nothing in its folder is executed.

    Raises:
        BadRequest: there is none, one of another version, or one that was changed.
    """
    path = folder / COMPARISON
    if not path.is_file():
        raise BadRequest(f"{folder}: holds no comparison.")
    content = parsed(read_regular(path, LARGEST).decode("utf-8", "replace"))
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadRequest(f"{path}: isn't of format {FORMAT!r}, which this version reads. Compare the runs again.")
    record = content.get("comparison")
    if not isinstance(record, dict) or not holds(record, FORMAT):
        raise BadRequest(f"{path}: something in it was changed after it was written. Compare the runs again.")
    try:
        return from_json(Comparison, {name: value for name, value in record.items() if name != SEAL}, "comparison")
    except Malformed as error:
        raise BadRequest(f"{path}: {error}. Compare the runs again.") from error
