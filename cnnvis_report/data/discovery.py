"""Images, found in files, folders and lists, before any is decoded."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cnnvis_report.data.band_tiff import stands_for_bands
from cnnvis_report.data.dataset_json import parts_of
from cnnvis_report.data.folders import Search, is_folder
from cnnvis_report.data.formats import EXTENSIONS, LISTS, channels_and_bits, content, ending, head_of, reason, unread
from cnnvis_report.data.frames import holds_more, is_animated
from cnnvis_report.data.image_file import FoundImages, ImageFile, readable, several
from cnnvis_report.data.image_lists import read_list
from cnnvis_report.data.reader import FALLBACK, Reader, endings, reader_for
from cnnvis_report.data.report_folders import is_report, without_reports
from cnnvis_report.data.tiff import MOST_PAGES, tiff_pages
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.bands import USUAL
from cnnvis_report.records.run import Skipped

MOST_NAMES, MOST_TABLES = 1000, 5  # among which a table that names images is looked for
# formats whose heads tell what decoding alone would: several pages, frames, more than 8 bits
LOOKED_INTO = EXTENSIONS - {".bmp", ".dib", ".pbm"}


def find_images(paths: Sequence[Path], channels: int = 3) -> FoundImages:
    """The images in files, folders (and their sub-folders) and lists, in natural order within each.

    A folder with a drawn data set stands for its pictures, with their masks. Links are followed. Pages of a TIFF file
    are images of their own. What looks like an image and isn't read is among the skipped.

    Args:
        paths: what the user gave. channels: that the network reads; a TIFF of as many gray pages is one image of theirs
            where that is neither gray nor color.

    Raises:
        BadRequest: a path doesn't exist, or there isn't one image.
    """
    search = Search()
    notices: list[str] = []
    images: list[ImageFile] = []
    for path in paths:
        within = Search()  # of its own, so that names in what is said of it get the folder's name too
        before = f"{path.name}/" if len(paths) > 1 and path.is_dir() else ""
        files, path_notices = _found_in(path, within)
        images += [replace(file, name=before + file.name, folder=file.folder or before[:-1]) for file in files]
        search.add(within, before)
        notices += path_notices
    images, repeated = _once(images)
    images, report_notices = without_reports(images)
    images, looked = _looked_into(images, channels)
    if not images:
        raise _nothing(paths, search, report_notices)
    folder = paths[0] if len(paths) == 1 and paths[0].is_dir() else None
    return FoundImages(
        tuple(images),
        tuple(search.skipped),
        (*notices, *repeated, *report_notices, *looked, *search.notices(), *_tables(search, images)),
        top=folder.resolve().name if folder is not None else "",
        subfolders=_subfolders(folder)
        if folder is not None
        else tuple(sorted({e.folders[0] for e in images if e.folders})),
    )


def _found_in(path: Path, search: Search) -> tuple[list[ImageFile], list[str]]:
    if path.is_dir():
        parts = parts_of(path)
        if parts is None:
            return list(search.walk(path)), []
        masks = {mask.name: mask.path for mask in Search().walk(parts[1])}
        return [replace(image, mask=masks.get(image.name)) for image in search.walk(parts[0])], []
    if not path.exists():
        what = "a link to a file that isn't there" if path.is_symlink() else "there is no such file or folder"
        raise BadRequest(f"{path}: {what}. IMAGES are files, folders and lists (.txt, .csv, .tsv).")
    kind = ending(path)
    if kind in LISTS:
        return read_list(path)
    why = reader_for(b"", kind).missing if kind in endings() else unread(path) or reason(content(head_of(path)))
    if why:
        search.skipped.append(Skipped(path.name, why))
        return [], []
    return [ImageFile(path, path.name)], []


def _tables(search: Search, images: Sequence[ImageFile]) -> list[str]:
    """That a table which lies among the images names them, and so may have their labels."""
    names = {os.fsencode(image.path.name) for image in images[:MOST_NAMES]}
    for table in search.tables[:MOST_TABLES]:
        lines = head_of(table).replace(b'"', b"").splitlines()
        cells = {cell.strip().rpartition(b"/")[2] for line in lines for cell in re.split(rb"[,;\t]| (?=\S+$)", line)}
        if cells & names:
            return [f"{readable(table.name)} names images: give it as IMAGES, and its labels are read."]
    return []


def _once(images: Sequence[ImageFile]) -> tuple[list[ImageFile], list[str]]:
    """Each file once, under whatever path, unless its folder or what a list says of it differs."""
    unique: dict[object, ImageFile] = {}
    files: dict[object, int] = {}
    for image in images:
        try:
            status = image.path.stat()
            file: object = (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(image.path)
        except (OSError, ValueError):
            file = image.path
        files[file] = files.get(file, 0) + 1
        unique.setdefault((file, image.folder, image.labels), image)
    notices = []
    if again := len(images) - len(unique):
        verb = "file is reached twice" if again == 1 else "files are reached more than once"
        notices.append(f"{again} {verb}, by links or paths, and taken once each.")
    if linked := sum(1 for _ in unique) - len(files):
        verb = "image is in the set again" if linked == 1 else "images are in the set again"
        notices.append(f"{linked} {verb} in another folder or with another label, by links or lists.")
    return list(unique.values()), notices


def _looked_into(images: Sequence[ImageFile], channels: int) -> tuple[list[ImageFile], list[str]]:
    """The files with what their heads tell: pages of a TIFF one by one, animations, depth."""
    known: list[ImageFile] = []
    animated: list[str] = []
    fuller: list[str] = []
    stacks: list[str] = []
    pages = 0
    for image in images:
        # what has no ending, or a wrong one, is what its head says
        kind = ending(image.path)
        head = head_of(image.path) if kind in LOOKED_INTO or kind not in EXTENSIONS else b""
        reader = reader_for(head, kind)
        if reader.name != FALLBACK:
            known += _of_reader(image, reader)
            continue
        if head[:2] in (b"II", b"MM"):
            page_files = list(_pages(image, channels))
            known += page_files
            if len(page_files) > 1:
                stacks.append(image.name)
                pages += len(page_files)
            continue
        known.append(replace(image, deep=True) if _is_deep(head) else image)
        if is_animated(image.path, head):
            animated.append(image.name)
        elif holds_more(image.path, head):
            fuller.append(image.name)
    notices = []
    if stacks:
        what = "1 TIFF file has" if len(stacks) == 1 else f"{len(stacks)} TIFF files have"
        notices.append(f"{what} {pages} pages, each of which is an image of its own: {several(stacks)}.")
    if animated:
        what = "1 file is an animation" if len(animated) == 1 else f"{len(animated)} files are animations"
        notices.append(f"{what}, of which the first frame is taken: {several(animated)}.")
    if fuller:
        what = "1 JPEG file holds" if len(fuller) == 1 else f"{len(fuller)} JPEG files hold"
        notices.append(f"{what} several pictures, of which the first is taken: {several(fuller)}.")
    return known, notices


def _of_reader(image: ImageFile, reader: Reader) -> list[ImageFile]:
    """The images of a file that another reader than Pillow's opens."""
    try:
        count = reader.count(image.path) if reader.count is not None and image.path.is_file() else 1
    except Exception:  # says so when it is decoded
        count = 1
    deep = _reader_is_deep(image, reader)
    if count <= 1:
        return [replace(image, deep=deep)]
    return [
        replace(image, name=f"{image.name} page {page + 1}", page=page, deep=deep)
        for page in range(min(count, MOST_PAGES))
    ]


def _reader_is_deep(image: ImageFile, reader: Reader) -> bool:
    try:
        return reader.deep if isinstance(reader.deep, bool) else reader.deep(image.path)
    except Exception:  # says so when it is decoded
        return False


def _is_deep(head: bytes) -> bool:
    """Whether the head of a PNG, a PGM or a JPEG 2000 file says that it has more than 8 bits a channel."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return head[24:25] == b"\x10"
    if head[:2] == b"P5":
        return b"255" not in head[:100]
    return channels_and_bits(head)[1] > 8


def _pages(image: ImageFile, channels: int) -> Iterator[ImageFile]:
    """The pages of a TIFF; thumbnails within it, and smaller copies, are none."""
    pages = tiff_pages(image.path) if image.path.is_file() else ()
    whole = [page for page in pages if not page.reduced]
    if len(whole) <= 1 or (channels not in USUAL and stands_for_bands(whole, channels)):
        first = whole[0] if whole else None
        yield replace(image, page=first.index, deep=first.bits > 8) if first is not None else image
        return
    for number, page in enumerate(whole, start=1):
        yield replace(image, name=f"{image.name} page {number}", page=page.index, deep=page.bits > 8)


def _subfolders(folder: Path) -> tuple[str, ...]:
    """The names of the folders directly below, in the order in which ImageFolder numbers them."""
    parts = parts_of(folder)
    with os.scandir(parts[0] if parts else folder) as entries:
        folders = [entry for entry in entries if is_folder(entry) and not entry.name.startswith(".")]
        return tuple(sorted(folder.name for folder in folders if not is_report(Path(folder.path))))


def _nothing(paths: Sequence[Path], search: Search, notices: Sequence[str]) -> BadRequest:
    """That there is no image, and what there is instead."""
    where = ", ".join(path.name or str(path) for path in paths)
    if search.skipped:
        first, more = search.skipped[0], len(search.skipped) - 1
        others = f" So it is with {more} more." if more else ""
        return BadRequest(f"No image in {where} can be read. {first.name}: {first.reason}.{others}")
    remarks = "".join(f" {notice}" for notice in (*notices, *search.notices()))
    wanted = " ".join(sorted(endings()))
    return BadRequest(f"No image in {where}. Files that end in {wanted} are looked for, in sub-folders too.{remarks}")
