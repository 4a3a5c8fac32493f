"""Tar archives as one set of images, and the names of many by braces."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, product

from cnnvis_report.data.archives.byte_source import ByteSource
from cnnvis_report.data.archives.member import Member
from cnnvis_report.data.archives.member_images import images_of
from cnnvis_report.data.archives.tar_index import tar_members
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.image_file import FoundImages, several
from cnnvis_report.errors import BadRequest

BRACES = re.compile(r"\{(\d+)\.\.(\d+)\}")
MOST_SHARDS = 100_000


def has_braces(text: str) -> bool:
    """Whether it names several archives, as in shard-{000..009}.tar."""
    return BRACES.search(text) is not None


def expand_braces(text: str) -> list[str]:
    """All names, in order.

    Raises:
        BadRequest: they are too many, or none.
    """
    fixed = BRACES.split(text)[::3]
    ranges = [
        [str(number).zfill(len(first)) for number in islice(range(int(first), int(last) + 1), MOST_SHARDS + 1)]
        for first, last in BRACES.findall(text)
    ]
    names = []
    for numbers in islice(product(*ranges), MOST_SHARDS + 1):
        names.append(fixed[0] + "".join(number + rest for number, rest in zip(numbers, fixed[1:], strict=True)))
    if not 0 < len(names) <= MOST_SHARDS:
        count = "no" if not names else f"more than {MOST_SHARDS:,}"
        raise BadRequest(f"{text}: the braces name {count} archives.")
    return names


def stem_of(name: str) -> str:
    """What an archive is called, without its ending."""
    return re.sub(r"\.(tar(\.\w+)?|tgz|tbz2|txz)$", "", name, flags=re.IGNORECASE)


def shard_images(
    sources: Sequence[tuple[str, ByteSource]], title: str, selection: Selection, classes: tuple[str, ...] = ()
) -> FoundImages:
    """The images in tar archives.

    Args:
        sources: what stands before the names, and the bytes, of each. title: what messages call all of it. classes:
            their names in the order of the indices that labels may be.

    Raises:
        BadRequest: one can't be read.
    """
    archives: list[tuple[str, list[Member]]] = []
    problems, compressed, costly = [], False, []
    for before, source in sources:
        index = tar_members(source, before.rstrip("/") or title)
        archives.append((before, index.members))
        compressed |= bool(index.codec)
        costly += [before.rstrip("/") or title] if index.codec in ("bzip2", "xz") else []
        problems += [f"{before.rstrip('/') or title} ({index.problem})"] if index.problem else []
    images = images_of(archives, title, selection, in_order=compressed or len(archives) > 1)
    notices = list(images.notices)
    if problems:
        verb = "ends before its end or is" if len(problems) == 1 else "end before their end or are"
        notices.append(f"{several(problems)} {verb} damaged: what comes before is read.")
    if costly:
        notices.append(
            f"{several(costly)}: compressed by bzip2 or xz, which is read from the beginning several times; gzip, or "
            "none, is quicker."
        )
    return replace(images, notices=tuple(notices), classes=classes)
