"""The images among members of archives, with the labels that come with them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cnnvis_report.data.archives.member import Member
from cnnvis_report.data.archives.sidecars import sidecar_kind, sidecar_labels
from cnnvis_report.data.archives.tables import labeled_by_table
from cnnvis_report.data.collection import Selection
from cnnvis_report.data.discovery.folders import SYSTEM, left_aside
from cnnvis_report.data.formats import ASIDE, HOLDERS, LISTS, UNREAD, content, ending, reason
from cnnvis_report.data.image_file import FoundImages, ImageFile, natural, several
from cnnvis_report.data.reader import endings, is_recognized, reader_for
from cnnvis_report.data.split_names import all_parts, in_split, no_part
from cnnvis_report.records.run import Skipped

Archives = Sequence[tuple[str, Sequence[Member]]]  # (what stands before the names, members) of each
COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
TABLES = {*LISTS, ".jsonl"}
MOST_DOUBLES = 3  # named


@dataclass
class _Sorted:
    """Members by what they are."""

    images: list[ImageFile] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    tables: list[tuple[str, Member]] = field(default_factory=list)
    sidecars: dict[str, list[tuple[str, Member]]] = field(default_factory=dict)  # by kind: (key of the image, member)
    aside: Counter[str] = field(default_factory=Counter)
    doubles: list[str] = field(default_factory=list)


def images_of(archives: Archives, title: str, selection: Selection, *, in_order: bool = False) -> FoundImages:
    """The images in archives, labeled by what lies beside each, by a table among them, or by their folders.

    Args:
        title: what messages call all of it. in_order: as they lie there, where reading in another order takes
            long; else in natural order, as from folders.

    Raises:
        BadRequest: there is no split of the name that is wanted.
    """
    sets = _Sorted()
    for before, members in archives:
        _sort(before, members, sets)
    if not in_order:
        sets.images.sort(key=lambda image: [natural(part) for part in image.name.split("/")])
    images, notices = sidecar_labels(sets.images, sets.sidecars)
    if not any(image.labels for image in images):
        images, selection, notices = labeled_by_table(images, sets.tables, selection)
    if selection.split:
        images = _of_split(images, title, selection.split)
    elif not any(image.labels for image in images):
        notices += all_parts(title, (image.folders for image in images))
    return FoundImages(tuple(images), tuple(sets.skipped), (*notices, *_notices(sets)))


def _sort(before: str, members: Sequence[Member], sets: _Sorted) -> None:
    last = {member.name: member for member in members}  # of two that are called alike the last counts, as when unpacked
    if len(last) < len(members):
        counts = Counter(member.name for member in members)
        sets.doubles += [before + name for name, count in counts.items() if count > 1]
    missing = {kind: reader_for(b"", kind).missing for kind in endings()}
    for member in last.values():
        parts = member.name.split("/")
        if any(part in SYSTEM or part.startswith(".") for part in parts if part != "..") or not member.name:
            continue
        _sort_one(before, member, missing, sets)


def _sort_one(before: str, member: Member, readable: dict[str, str], sets: _Sorted) -> None:
    """Put one where it belongs.

    Args:
        readable: by ending, what is missing to read such files; empty where nothing is.
    """
    folders, _, file = member.name.rpartition("/")
    name, folder = before + member.name, folders.rpartition("/")[2]
    parts = file.rsplit(".", 2 if file.endswith(COMPRESSED) else 1)
    path, kind = _kind(".".join(["", *parts[1:]]))
    if member.problem or member.entry is None:
        looks = kind in readable or kind in UNREAD
        sets.skipped += [Skipped(name, member.problem)] if looks or kind not in ASIDE | HOLDERS.keys() else []
    elif kind in readable and not readable[kind]:
        sets.images.append(ImageFile(path, name, folder, entry=member.entry))
    elif kind in readable or kind in UNREAD:
        sets.skipped.append(Skipped(name, readable.get(kind) or reason(kind)))
    elif sidecar := sidecar_kind(member):
        sets.sidecars.setdefault(sidecar, []).append((name, member))
        if kind in TABLES:
            sets.tables.append((name, member))
    elif kind in ASIDE or kind in HOLDERS:
        sets.aside[kind] += 1
        if kind in TABLES:
            sets.tables.append((name, member))
    else:
        _sort_by_head(name, path, member, sets)


@lru_cache(maxsize=1000)
def _kind(endings: str) -> tuple[Path, str]:
    """A path that is called so alone, which all members share that end so, and the ending that counts."""
    path = Path(f"image{endings}")
    return path, ending(path)


def _sort_by_head(name: str, path: Path, member: Member, sets: _Sorted) -> None:
    """One whose ending says nothing."""
    assert member.entry is not None
    head = member.entry.head()
    if is_recognized(head):
        sets.images.append(ImageFile(path, name, member.name.rpartition("/")[0].rpartition("/")[2], entry=member.entry))
    elif content(head) in UNREAD:
        sets.skipped.append(Skipped(name, reason(content(head))))
    else:
        sets.aside[ending(path) or "without an ending"] += 1


def _of_split(images: Sequence[ImageFile], title: str, split: str) -> list[ImageFile]:
    """Those in folders that are called like the split."""
    selected = [image for image in images if any(in_split(folder, split) for folder in image.folders)]
    if not selected:
        names = sorted({folder for image in images for folder in image.folders})
        known = f"its folders are {several(names, 6)}" if names else "it has no folders"
        raise no_part(split, names, f"no folder in {title} is called so; {known}.")
    return selected


def _notices(sets: _Sorted) -> list[str]:
    notices = []
    if sets.doubles:
        names = "1 name is" if len(sets.doubles) == 1 else f"{len(sets.doubles)} names are"
        notices.append(
            f"{names} in the archive more than once, of which the last counts: {several(sets.doubles, MOST_DOUBLES)}."
        )
    if sets.aside:
        notices.append(left_aside(sets.aside))
    return notices
