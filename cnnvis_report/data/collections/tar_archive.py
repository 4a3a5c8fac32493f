"""Tar archives of images, compressed or not, read in place."""

from pathlib import Path

from cnnvis_report.data.archives.byte_source import LocalBytes
from cnnvis_report.data.archives.shards import shard_images
from cnnvis_report.data.archives.tar_index import CODECS, is_tar
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import ending, head_of
from cnnvis_report.data.image_file import FoundImages

ENDINGS = {".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz"}


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
