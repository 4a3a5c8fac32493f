"""Images behind addresses: a file, an archive that is read by parts, or a folder."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.data.archives.member_images import images_of
from cnnvis_report.data.archives.remote import RemoteBytes, RemoteEntry, look_up, remote, remote_members
from cnnvis_report.data.archives.shards import expand_braces, has_braces, shard_images, stem_of
from cnnvis_report.data.archives.tar_index import CODECS, is_tar
from cnnvis_report.data.archives.zip_index import MAGIC, zip_members
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.collections.archives import ENDINGS
from cnnvis_report.data.discovery.addresses import PROTOCOLS, protocol_of, shown_address
from cnnvis_report.data.formats import HEAD, content, ending, reason
from cnnvis_report.data.image_file import FoundImages, ImageFile
from cnnvis_report.data.reader import endings, is_recognized
from cnnvis_report.errors import BadRequest

MOST_SHARDS = 1000  # of a folder behind an address


def is_address(text: str) -> bool | str:
    """Whether it is an address of a protocol that is read."""
    protocol = protocol_of(text)
    if not protocol:
        return False
    if "::" in text:
        return "an address within another one isn't read; archives are opened by what they are."
    if protocol not in PROTOCOLS:
        return f"addresses of {protocol}:// aren't read; https, s3, gs, az, hf, sftp and others are."
    return True


@collection(
    title="an address",
    example="s3://bucket/photos.zip",
    matches=is_address,
    order=10,
    requires=("fsspec",),
    install="cnnvis-report[remote]",
    ways=(
        ImageWay(
            "images, a zip or tar archive behind an address", "https://host/photos.zip", "as of the same file here"
        ),
        ImageWay("a folder in a store", "s3://bucket/photos", "the folders in it"),
        ImageWay(
            "WebDataset shards in a store", "'hf://datasets/ORG/NAME/train-{000..009}.tar'", "as of the same here"
        ),
    ),
    reads=("--split", "--label-columns"),
)
def remote_address(text: str, selection: Selection) -> FoundImages:
    """The images behind an address."""
    shown = shown_address(text)
    try:
        if has_braces(text):
            images = _shards([*map(_file, expand_braces(text))], shown, selection)
        else:
            filesystem, path = remote(text)
            info = look_up(filesystem, path, shown)
            if info.get("type") == "directory":
                images = _of_folder(filesystem, path, shown, selection)
            else:
                images = _of_file(RemoteBytes(filesystem, path, shown, info["size"]), selection)
    except OSError as error:
        raise BadRequest(f"{shown}: {error.strerror or error}.") from error
    notice = f"{shown} is read over the network; pages and bit depths of its files are looked at when each is decoded."
    return replace(images, notices=(notice, *images.notices))


def _file(text: str) -> RemoteBytes:
    filesystem, path = remote(text)
    shown = shown_address(text)
    info = look_up(filesystem, path, shown)
    return RemoteBytes(filesystem, path, shown, info["size"])


def _shards(sources: list[RemoteBytes], title: str, selection: Selection) -> FoundImages:
    named: list[tuple[str, ByteSource]] = [(f"{stem_of(Path(source.shown).name)}/", source) for source in sources]
    return shard_images(named, title, selection)


def _of_file(source: RemoteBytes, selection: Selection) -> FoundImages:
    """The image that a file is, or those that an archive holds."""
    name = Path(source.shown).name or "image"
    head = b""
    try:
        head = source.read_at(0, HEAD)
    except OSError:
        if ending(Path(name)) not in endings():
            raise
    if head.startswith(MAGIC):
        return images_of([("", zip_members(source, source.shown))], name, selection)
    if head[257:262] == b"ustar" or (head.startswith(tuple(CODECS)) and is_tar(source)):
        return shard_images([("", source)], source.shown, selection)
    if ending(Path(name)) not in endings() and not is_recognized(head):
        kind = content(head)
        raise BadRequest(f"{source.shown}: {reason(kind) or 'neither an image nor an archive of images'}.")
    return FoundImages((ImageFile(Path(name), name, entry=RemoteEntry(None, source.label, source)),))


def _of_folder(filesystem: Any, path: str, shown: str, selection: Selection) -> FoundImages:
    """The images in a folder, or in the shards that it is made of."""
    members = remote_members(filesystem, path, shown)
    kinds = {ending(Path(member.name)) for member in members}
    if kinds & ENDINGS and not kinds & endings():
        sources = [
            member.entry.source
            for member in members
            if isinstance(member.entry, RemoteEntry) and ending(Path(member.name)) in ENDINGS
        ]
        if len(sources) > MOST_SHARDS:
            raise BadRequest(f"{shown}: {len(sources):,} archives; at most {MOST_SHARDS:,} of a folder are read.")
        return _shards(sources, shown, selection)
    return images_of([("", members)], shown, selection)
