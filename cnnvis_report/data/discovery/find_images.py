"""Images, found in files, folders and lists, before any is decoded."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cnnvis_report.data.collection import Selection, collection_for
from cnnvis_report.data.discovery.addresses import shown_address
from cnnvis_report.data.discovery.dataset_json import parts_of
from cnnvis_report.data.discovery.file_heads import looked_into
from cnnvis_report.data.discovery.folders import Search, is_folder
from cnnvis_report.data.discovery.garbage_collection import growing
from cnnvis_report.data.discovery.report_folders import is_report, without_reports
from cnnvis_report.data.formats import content, ending, head_of, reason, unread
from cnnvis_report.data.image_file import FoundImages, ImageFile, natural, readable, several
from cnnvis_report.data.reader import endings, missing_for, reader_for
from cnnvis_report.data.split_names import all_parts, in_split, no_part
from cnnvis_report.errors import BadRequest, UnusedOption
from cnnvis_report.records.run import Skipped

MOST_NAMES, MOST_TABLES = 1000, 5  # among which a table that names images is looked for


@growing()
def find_images(images: Sequence[str | Path], channels: int = 3, selection: Selection | None = None) -> FoundImages:
    """The images in files, folders (and their sub-folders) and collections, in natural order within each.

    A folder with a drawn data set stands for its pictures, with their masks. Links are followed. Pages of a TIFF file
    are images of their own. What looks like an image and isn't read is among the skipped.

    Args:
        images: as the user typed them. channels: that the network reads; a TIFF of as many gray pages is one image of
            theirs where that is neither gray nor color. selection: what of collections is taken; of several `images`,
            those that have no use for a part of it are taken whole, and a notice says so.

    Raises:
        BadRequest: one doesn't exist, or there isn't one image. UnusedOption: none has a use for a part of `selection`.
    """
    selection = replace(selection or Selection(), channels=channels)
    search, unused = Search(), Unused(len(images))
    parts: list[FoundImages] = []
    for text in map(str, images):
        part, within = unused.apply(text, selection)
        before = f"{Path(shown_address(text)).name}/" if len(images) > 1 and _holds_several(text) else ""
        parts.append(_named(part, before))
        search.add(within, before)
    unused.check()
    files, repeated = _once([file for part in parts for file in part])
    files, report_notices = without_reports(files)
    files, looked = looked_into(files, channels)
    skipped = (*(skipped for part in parts for skipped in part.skipped), *search.skipped)
    notices = [notice for part in parts for notice in part.notices]
    if not files:
        raise _nothing([*map(str, images)], search, skipped, [*notices, *report_notices])
    folder = Path(images[0]) if len(images) == 1 and Path(images[0]).is_dir() else None
    classes = {part.classes for part in parts}
    return FoundImages(
        tuple(files),
        skipped,
        (*unused.notices(), *notices, *repeated, *report_notices, *looked, *search.notices(), *_tables(search, files)),
        top=folder.resolve().name if folder is not None else "",
        subfolders=_subfolders(folder)
        if folder is not None
        else tuple(sorted({file.folders[0] for file in files if file.folders})),
        classes=classes.pop() if len(classes) == 1 else (),
    )


class Unused:
    """Of several IMAGES those that have no use for --split or --label-columns, and so are taken whole.

    errors: by the option, in the order of IMAGES.
    """

    def __init__(self, images: int) -> None:
        self.images = images
        self.errors: dict[str, list[UnusedOption]] = {}

    def apply(self, text: str, selection: Selection) -> tuple[FoundImages, Search]:
        """The images of one, with its search: of its own, so that names in what is said of it get the folder's too."""
        search = Search()
        try:
            return _found_in(text, search, selection), search
        except UnusedOption as error:
            if self.images == 1:
                raise
            self.errors.setdefault(error.option, []).append(error)
            without = {"split": ""} if error.option == "--split" else {"label_columns": ()}
            return self.apply(text, replace(selection, **without))

    def check(self) -> None:
        """Refuse what none of all has a use for.

        Raises:
            UnusedOption: that of the first.
        """
        for errors in self.errors.values():
            if len(errors) == self.images:
                raise errors[0]

    def notices(self) -> Iterator[str]:
        """A sentence for each option, with the reason of the first."""
        for errors in self.errors.values():
            others = len(errors) - 1
            more = f" So it is with {others} more of IMAGES." if others else ""
            yield f"{errors[0]} All of it is taken.{more}"


def _holds_several(text: str) -> bool:
    """Whether names of what is in it need its own before them, where there are others."""
    return Path(text).is_dir() or collection_for(text) is not None


def _named(part: FoundImages, before: str) -> FoundImages:
    """The same with something before all names."""
    if not before:
        return part
    files = tuple(replace(file, name=before + file.name, folder=file.folder or before[:-1]) for file in part)
    return replace(part, files=files, skipped=tuple(replace(one, name=before + one.name) for one in part.skipped))


def _found_in(text: str, search: Search, selection: Selection) -> FoundImages:
    holder = collection_for(text)
    if holder is not None:
        holder.check(text, selection)
        return holder.open(text, selection)
    path = Path(text)
    if path.is_dir():
        parts = parts_of(path)
        if parts is None:
            files = tuple(of_split(search.walk(path), selection, path))
            several_parts = () if selection.split else all_parts(path.name, (file.folders for file in files))
            return FoundImages(files, notices=several_parts)
        _refuse(selection, f"{path} is a generated data set")
        masks = {mask.name: mask.path for mask in Search().walk(parts[1])}
        return FoundImages(tuple(replace(image, mask=masks.get(image.name)) for image in search.walk(parts[0])))
    if not path.exists():
        what = "a link to a file that isn't there" if path.is_symlink() else "there is no such file or folder"
        raise BadRequest(f"{path}: {what}. IMAGES are files, folders, archives, tables and data sets.")
    _refuse(selection, f"{path} is a single file")
    kind = ending(path)
    if kind in endings():
        why = reader_for(b"", kind).missing
    else:
        head = head_of(path)
        why = unread(path) or missing_for(head) or reason(content(head))
    if why:
        return FoundImages((), (Skipped(path.name, why),))
    return FoundImages((ImageFile(path, path.name),))


def _refuse(selection: Selection, what: str) -> None:
    """Refuse what chooses a part of a set, where there is no part.

    Raises:
        UnusedOption: naming the option.
    """
    for option in ("--split", "--label-columns"):
        selection.refuse(option, f"{what}, which has no use for it.")


def _tables(search: Search, images: Sequence[ImageFile]) -> list[str]:
    """That a table which lies among the images names them, and so may have their labels."""
    names = {os.fsencode(image.path.name) for image in images[:MOST_NAMES]}
    for table in search.tables[:MOST_TABLES]:
        lines = head_of(table).replace(b'"', b"").splitlines()
        cells = {cell.strip().rpartition(b"/")[2] for line in lines for cell in re.split(rb"[,;\t]| (?=\S+$)", line)}
        if cells & names:
            name = readable(table.name)
            return [f"{name} names images: give it as IMAGES, or by --labels, and its labels are read."]
    return []


def _once(images: Sequence[ImageFile]) -> tuple[list[ImageFile], list[str]]:
    """Each file once, under whatever path, unless its folder or what a list says of it differs."""
    unique: dict[object, ImageFile] = {}
    files: dict[object, int] = {}
    for image in images:
        file = _identity(image)
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


def _identity(image: ImageFile) -> object:
    """What is the same for one file under several paths."""
    if image.entry is not None:
        return (image.entry.container, image.entry.key)
    try:
        status = image.path.stat()
        return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(image.path)
    except (OSError, ValueError):
        return image.path


def _subfolders(folder: Path) -> tuple[str, ...]:
    """The names of the folders directly below, in the order in which ImageFolder numbers them."""
    parts = parts_of(folder)
    with os.scandir(parts[0] if parts else folder) as entries:
        folders = [entry for entry in entries if is_folder(entry) and not entry.name.startswith(".")]
        return tuple(sorted(folder.name for folder in folders if not is_report(Path(folder.path))))


def _nothing(texts: Sequence[str], search: Search, skipped: Sequence[Skipped], notices: Sequence[str]) -> BadRequest:
    """That there is no image, and what there is instead."""
    where = ", ".join(Path(text).name or text for text in map(shown_address, texts))
    if skipped:
        first, more = skipped[0], len(skipped) - 1
        others = f" So it is with {more} more." if more else ""
        return BadRequest(f"No image in {where} can be read. {first.name}: {first.reason}.{others}")
    remarks = "".join(f" {notice}" for notice in (*notices, *search.notices()))
    wanted = " ".join(sorted(endings()))
    return BadRequest(f"No image in {where}. Files that end in {wanted} are looked for, in sub-folders too.{remarks}")


def of_split(images: Iterable[ImageFile], selection: Selection, folder: Path) -> list[ImageFile]:
    """The images that lie in a folder called like the wanted part; all where none is wanted.

    Raises:
        BadRequest: no folder is called so.
        UnusedOption: no folder is a part of a set; or columns are asked for, which a folder hasn't.
    """
    images = list(images)
    selection.refuse("--label-columns", f"{folder} is a folder, which has none.")
    if not selection.split:
        return images
    wanted = [image for image in images if any(in_split(name, selection.split) for name in image.folders)]
    if not wanted:
        names = sorted({name for image in images for name in image.folders}, key=natural)
        known = f"it has {several(names, 6)}" if names else "it has no sub-folders"
        raise no_part(selection.split, names, f"no sub-folder of {folder} is called so; {known}.")
    return wanted
