"""Archives of images, read in place: zip, tar, and several tar archives that are one set, as of WebDataset."""

import os
from pathlib import Path

from cnnvis_report.data.archives.byte_source import LocalBytes
from cnnvis_report.data.archives.member_images import images_of
from cnnvis_report.data.archives.shards import expand_braces, has_braces, shard_images, stem_of
from cnnvis_report.data.archives.tar_index import CODECS, is_tar
from cnnvis_report.data.archives.zip_index import MAGIC, zip_members
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending, head_of
from cnnvis_report.data.image_file import FoundImages, natural, several
from cnnvis_report.data.reader import endings
from cnnvis_report.data.split_names import in_split
from cnnvis_report.errors import BadRequest, shown

ENDINGS = {".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz"}
CLASSES = "classnames.txt"  # a name a line, as CLIP's benchmarks lay it beside their shards
MOST_CLASSES = 100_000


def is_zip(text: str) -> bool:
    """Whether a file is a zip archive, by its first bytes or its name; one of arrays is another's."""
    path = Path(text)
    kind = ending(path)
    return path.is_file() and kind != ".npz" and (kind == ".zip" or head_of(path).startswith(MAGIC))


@collection(
    title="a zip archive",
    example="photos.zip",
    matches=is_zip,
    order=30,
    ways=(
        ImageWay("a zip archive of class folders", "photos.zip", "the folders in it"),
        ImageWay("a zip archive with a table in it", "photos.zip --split val", "a column of the table"),
    ),
    reads=("--split", "--label-columns"),
)
def zip_archive(text: str, selection: Selection) -> FoundImages:
    """The images in a zip archive; nothing is unpacked to the disk."""
    path = Path(text)
    return images_of([("", zip_members(LocalBytes(path), text))], path.name, selection)


def is_tar_archive(text: str) -> bool | str:
    """Whether a file is a tar archive, by its first bytes or its name."""
    path = Path(text)
    if not path.is_file():
        return False
    head = head_of(path)
    if head[257:262] == b"ustar" or (head.startswith(tuple(CODECS)) and is_tar(LocalBytes(path))):
        return True
    if ending(path) in ENDINGS:
        return is_tar(LocalBytes(path)) or "not a tar archive, or a damaged one."
    if ".tar." in path.name.lower() and ending(path) == ".zst":
        return "a tar archive compressed by Zstandard, which isn't read; gzip is."
    return False


@collection(
    title="a tar archive",
    example="photos.tar.gz",
    matches=is_tar_archive,
    order=30,
    ways=(
        ImageWay("a tar archive of class folders, plain, .gz, .bz2 or .xz", "photos.tar.gz", "the folders in it"),
        ImageWay("a WebDataset shard", "shard-000000.tar", "`.cls`, `.json` or `.txt` beside each image"),
    ),
    reads=("--split", "--label-columns"),
)
def tar_archive(text: str, selection: Selection) -> FoundImages:
    """The images in a tar archive; nothing is unpacked to the disk."""
    path = Path(text)
    return shard_images([("", LocalBytes(path))], path.name, selection)


def is_shards(text: str) -> bool:
    """Whether it is a folder of shards, or names of shards by braces."""
    path = Path(text)
    if has_braces(text):
        return not path.exists()
    return path.is_dir() and bool(_shards(path) or _splits(path))


@collection(
    title="a set of tar archives",
    example="shard-{000000..000009}.tar",
    matches=is_shards,
    order=20,
    ways=(
        ImageWay(
            "WebDataset shards, by braces", "'train-{000..009}.tar'", "`.cls`, `.json` or `.txt` beside each image"
        ),
        ImageWay("a folder of WebDataset shards", "shards/", "the same, named by `classnames.txt` where it is there"),
    ),
    reads=("--split", "--label-columns"),
)
def shard_files(text: str, selection: Selection) -> FoundImages:
    """The images in several tar archives."""
    if has_braces(text):
        named = [Path(name) for name in expand_braces(text)]
        paths = [path for path in named if path.is_file()]
        missing = [path.name for path in named if not path.is_file()]
        if not paths:
            raise BadRequest(f"{text}: none of the {len(named)} archives is there, such as {named[0]}.")
        notices = (f"{len(missing)} of {len(named)} archives aren't there: {several(missing)}.",) if missing else ()
        folder = paths[0].parent
    else:
        folder, notices = Path(text), ()
        paths, selection = _of_folder(folder, selection)
    sources = [(f"{stem_of(path.name)}/", LocalBytes(path)) for path in paths]
    images = shard_images(sources, Path(text).name, selection, _classes(folder))
    return FoundImages(images.files, images.skipped, (*notices, *images.notices), classes=images.classes)


def _of_folder(folder: Path, selection: Selection) -> tuple[list[Path], Selection]:
    """The shards of a folder, or of the part of it that is wanted."""
    paths, splits = _shards(folder), _splits(folder)
    if paths or not selection.split:
        return paths or [path for shards in splits.values() for path in shards], selection
    wanted = [path for name, shards in splits.items() if in_split(name, selection.split) for path in shards]
    if not wanted:
        raise BadRequest(f"--split {shown(selection.split)}: {folder} has {several(sorted(splits), 6)}.")
    return wanted, Selection("", selection.label_columns, selection.channels)


def _splits(folder: Path) -> dict[str, list[Path]]:
    """The shards of sub-folders, where each is of shards alone."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return {}
    shards = {name: _shards(folder / name) for name in sorted(names)} if len(names) <= 10 else {}
    return shards if all(shards.values()) else {}


def _shards(folder: Path) -> list[Path]:
    """The tar archives of a folder in which there are neither images nor folders."""
    try:
        with os.scandir(folder) as scanned:
            entries = [entry for entry in scanned if not entry.name.startswith(".")]
            kinds = [ending(Path(entry.name)) for entry in entries]
            if any(entry.is_dir() for entry in entries) or set(kinds) & endings():
                return []
    except OSError:
        return []
    names = [entry.name for entry, kind in zip(entries, kinds, strict=True) if kind in ENDINGS]
    return [folder / name for name in sorted(names, key=natural)]


def _classes(folder: Path) -> tuple[str, ...]:
    """The names of the classes, where a file beside the shards, or beside their folder, lists them."""
    for path in (folder / CLASSES, folder.parent / CLASSES):
        try:
            if path.is_file() and path.stat().st_size < 1 << 24:
                lines = path.read_text("utf-8-sig").splitlines()
                return tuple(line.strip() for line in lines if line.strip())[:MOST_CLASSES]
        except (OSError, UnicodeDecodeError):
            continue
    return ()
