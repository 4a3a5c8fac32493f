"""Which files of a folder this program has written, and so may write over or remove."""

import filecmp
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.codec import parsed
from cnnvis_report.store.array_files import array_checks
from cnnvis_report.store.array_files.arrays import names_in
from cnnvis_report.store.files import names
from cnnvis_report.store.files.atomic import (
    is_regular,
    is_temporary,
    link_on_the_way,
    read_json,
    remove,
    remove_empty,
    sweep,
    write_json,
)
from cnnvis_report.store.files.lock import writing
from cnnvis_report.store.files.names import ARRAYS, FITTED, INSPECTION, JOURNAL, LOCK, MANIFEST, PAGES
from cnnvis_report.store.files.os_errors import raise_unless_of_the_file
from cnnvis_report.store.files.output_file import check_output_folder, left_aside
from cnnvis_report.store.fitted_file import fitted_head
from cnnvis_report.store.journal import journal_lines
from cnnvis_report.store.manifest import MARK, list_lines, raw_head

MOST_PAGES = 64 << 20  # bytes of the list of pages
MARKS = (b'<meta name="generator" content="cnnvis-report">', names.FIGURE_SOFTWARE.encode())  # of pages and figures
BEGINNING = 4096  # bytes of a page that it is in


@contextmanager
def output(folder: Path, option: str = "-o") -> Iterator[None]:
    """Be the only writer of a run folder, new or one of ours; what a killed program has left half written is gone.

    Args:
        option: that names the folder; empty where none does.

    Raises:
        BadRequest: the folder holds something else, or somebody else is writing there.
    """
    check_writable(folder, option)
    with writing(folder):
        check_writable(folder, option)  # now that nobody changes it
        tidy(folder)
        yield


def is_run_folder(folder: Path) -> bool:
    """Whether this program has written a run, or the beginning of one, into the folder.

    A manifest says so in its first letters. Where it was cut to nothing or overwritten, the folder is ours if
    everything in it is called as only our files are, and a file of arrays holds what a run puts into it.
    """
    files = [folder / name for name in (JOURNAL, MANIFEST) if is_regular(folder / name)]
    if any(next(list_lines(path), "").startswith(MARK) or _begun(path) for path in files):
        return True
    inner = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()] if files else []
    inner = [name for name in inner if name != LOCK]
    return all(map(names.is_ours, inner)) and any(_has_made(folder, name) for name in inner if "/" in name)


def check_writable(folder: Path, option: str = "-o") -> None:
    """Refuse a folder that holds something else.

    Args:
        option: that names the folder; empty where none does.

    Raises:
        BadRequest: it is a file, a link, or a folder that isn't empty and isn't a run's.
    """
    check_output_folder(folder, option)
    for name in (JOURNAL, MANIFEST):
        if (folder / name).is_symlink():
            raise BadRequest(f"{folder / name}: is a link, where a file has to be. Put the file itself there.")
    if folder.is_dir() and not all(map(_is_first, folder.iterdir())) and not is_run_folder(folder):
        raise BadRequest(
            f"{folder}: holds files that are not of a report, and nothing is overwritten. Give another folder."
        )
    for name in (ARRAYS, INSPECTION, FITTED):
        if (folder / name).is_symlink() or ((folder / name).exists() and not (folder / name).is_dir()):
            raise BadRequest(f"{folder / name}: is no folder of a run's own, and nothing is written there.")
    listed = pages_of(folder)
    for name in names.FIRST_PAGES:
        if name not in listed and _is_foreign(folder / name):
            raise BadRequest(_foreign(folder / name))


def check_pages(built: Mapping[str, Path], listed: Iterable[str], folder: Path) -> None:
    """Refuse to write over a file that somebody else has made.

    Args:
        built: what is to be written, by the names that it gets in the folder.
        listed: names of pages that this program has written.

    Raises:
        BadRequest: a file is neither listed, nor a page that says that this program has made it, nor the same.
    """
    for name in sorted(built.keys() - set(listed)):
        path = folder / name
        if _is_foreign(path) and not (path.suffix != ".html" and filecmp.cmp(path, built[name], shallow=False)):
            raise BadRequest(_foreign(path))


def _is_foreign(path: Path) -> bool:
    """Whether a file that is in no list of ours doesn't say itself that it is ours; a link gives way to a file."""
    if not is_regular(path):
        return False
    with path.open("rb") as file:
        beginning = file.read(BEGINNING)
    return bool(beginning) and not _says_ours(path, beginning)


def _says_ours(path: Path, beginning: bytes) -> bool:
    """Whether a page or a figure names this program as the one that made it."""
    return path.suffix in (".html", ".png") and any(mark in beginning for mark in MARKS)


def _foreign(path: Path) -> str:
    return f"{path}: isn't a file that this program has written, and isn't overwritten. Move it away."


def clear(folder: Path) -> None:
    """Remove what this program has written into the folder, and nothing else."""
    if is_run_folder(folder):
        remove(folder, [*pages_of(folder), *made_in(folder, ARRAYS, INSPECTION, FITTED), PAGES])
        remove(folder, [JOURNAL, MANIFEST])  # last, with no folder left: they say whose all of it is
    for inner in (ARRAYS, INSPECTION):
        remove_empty(folder / inner)


def tidy(folder: Path) -> None:
    """Remove what a program that was killed has left half written; nobody may be writing there."""
    sweep(folder, names.TOP)
    for inner in (ARRAYS, INSPECTION, FITTED):
        sweep(folder / inner, names.FILE)
    for path in left_aside(folder):
        remove(path, [name for name in _within(path) if names.is_page(name)])
        for empty in sorted((entry for entry in path.rglob("*") if entry.is_dir()), reverse=True):
            remove_empty(empty)
        remove_empty(path)


def made_in(folder: Path, *within: str) -> list[str]:
    """Names, relative to the folder, of the files in its own folders that a run has made.

    They are called as our files are, and are listed by the run, or hold what a run puts into them: somebody may keep
    arrays of their own beside ours.
    """
    matching = []
    listed = _listed(folder)
    for inner in within:
        if link_on_the_way(folder, f"{inner}/x") is None and (folder / inner).is_dir():
            entries = [f"{inner}/{path.name}" for path in (folder / inner).iterdir()]
            matching += [name for name in entries if name in listed or _has_made(folder, name)]
    return [name for name in matching if names.is_ours(name)]


def _listed(folder: Path) -> set[str]:
    """The files of arrays of which the folder's run says that they are its own."""
    head = raw_head(folder / MANIFEST).get("run") if is_regular(folder / MANIFEST) else None
    files = head.get("files") if isinstance(head, dict) else None
    of_images = ((names.arrays_name(line.image.id), names.file_of(line.image)) for line in journal_lines(folder))
    return {*(files if isinstance(files, dict) else ()), *chain.from_iterable(of_images)}


def _has_made(folder: Path, name: str) -> bool:
    """Whether a file in one of our own folders holds what a run puts there."""
    inner, path = name.partition("/")[0], folder / name
    if inner == FITTED:
        return fitted_head(path) is not None
    keys = names_in(path) if inner in (ARRAYS, INSPECTION) else []
    if inner == ARRAYS:
        return any(key in ("picture", f"{key.partition('/')[0]}/picture") for key in keys)
    return bool(keys) and all(key.partition("/")[0] in array_checks.INSPECTION for key in keys)


def pages_of(folder: Path) -> list[str]:
    """Names, relative to the folder, of the pages and their files that this program has written.

    The list may be somebody else's: what hasn't the shape of a page's name isn't one.
    """
    path = folder / PAGES
    try:
        listed = read_json(path, MOST_PAGES)
    except OSError as error:
        raise_unless_of_the_file(error)
        return []
    except BadRequest:
        return []
    texts = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return [name for name in texts if names.is_page(name) and not is_strangers(folder, name)]


def is_strangers(folder: Path, name: str) -> bool:
    """Whether a page at the top, where a page may have any name, is one that this program hasn't made."""
    path = folder / name
    if "/" in name or not names.is_page(name) or name in names.FIRST_PAGES or not (path.exists() or path.is_symlink()):
        return False
    if path.is_symlink() or not path.is_file():
        return True
    with path.open("rb") as file:
        return not _says_ours(path, file.read(BEGINNING))


def list_pages(folder: Path, listed: Iterable[str]) -> None:
    """Note which files of the folder are pages of ours."""
    write_json(folder / PAGES, sorted(listed), parents=False)


def _is_first(path: Path) -> bool:
    """Whether it is what a run makes before anything else: the lock, its own folders, what becomes a journal."""
    if path.is_dir() and not path.is_symlink():
        has_our_name = path.name in (ARRAYS, INSPECTION, FITTED)
        return has_our_name and all(is_temporary(entry, names.FILE) for entry in path.iterdir())
    return path.name == LOCK or is_temporary(path, names.TOP)


def _begun(path: Path) -> bool:
    """Whether it is a journal, whose keys are in another order than a manifest's."""
    content = parsed(next(list_lines(path), ""))
    return isinstance(content, dict) and str(content.get("format")).startswith("cnnvis-report/")


def _within(folder: Path) -> list[str]:
    """Names of the files in a folder, relative to it."""
    files = (path for path in folder.rglob("*") if is_regular(path))
    return [path.relative_to(folder).as_posix() for path in files]


def check_files(folder: Path) -> None:
    """Refuse a folder where a file of arrays has to be.

    Raises:
        BadRequest: naming it.
    """
    for inner in (ARRAYS, INSPECTION, FITTED):
        if (folder / inner).is_dir():
            with os.scandir(folder / inner) as entries:  # which costs no look at each of ten thousand
                within = next((entry.path for entry in entries if entry.is_dir(follow_symlinks=False)), None)
            if within is not None:
                raise BadRequest(f"{within}: is a folder, where a file of the run has to be. Move it away.")
