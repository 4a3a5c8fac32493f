"""Labels that lie beside each image in an archive, as in WebDataset's shards: 000.jpg with 000.cls, .txt or .json."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cnnvis_report.data.archives.member import Member
from cnnvis_report.data.image_file import ImageFile

# in the order in which they are asked
KINDS = {"cls": "cls", "cls.txt": "cls", "label": "cls", "json": "json", "txt": "txt"}
FIELDS = ("cls", "label", "labels", "class", "class_name", "class_id", "target", "category", "category_id", "y")
LARGEST = {"cls": 1 << 12, "txt": 1 << 12, "json": 1 << 20}  # bytes
LONGEST, MOST_WORDS = 64, 4  # characters and words of a .txt that is a label; what is longer is a caption

Labels = tuple[str, ...]


def sidecar_kind(member: Member) -> str:
    """As what a member may say the label of an image that is called like it; empty where it may not."""
    kind = KINDS.get(member.name.rpartition("/")[2].partition(".")[2].lower(), "")
    return kind if kind and member.size <= LARGEST[kind] else ""


def key_of(name: str) -> str:
    """What an image and its label have in common: all before the first dot behind the last folder."""
    folder, slash, file = name.rpartition("/")
    return folder + slash + file.partition(".")[0]


def sidecar_labels(
    images: Sequence[ImageFile], sidecars: Mapping[str, Sequence[tuple[str, Member]]]
) -> tuple[list[ImageFile], list[str]]:
    """The images with the labels beside them, of the first kind that has any, and how many have none.

    Args:
        sidecars: by kind, the names and the members.
    """
    keys = {key_of(image.name) for image in images}
    for kind in dict.fromkeys(KINDS.values()):
        beside = {key_of(name): member for name, member in sidecars.get(kind, ()) if key_of(name) in keys}
        labels = {key: _labels(kind, member) for key, member in beside.items()}
        if not any(labels.values()) or (kind == "txt" and not all(map(_may_be_label, labels.values()))):
            continue
        labeled = [replace(image, labels=labels.get(key_of(image.name), ())) for image in images]
        bare = sum(not image.labels for image in labeled)
        without = f"; {bare} {'has' if bare == 1 else 'have'} none" if bare else ""
        return labeled, [f"Labels are those in .{kind} files beside the images{without}."]
    return list(images), []


def _labels(kind: str, member: Member) -> Labels:
    """What it says; nothing where it can't be read."""
    try:
        assert member.entry is not None
        text = member.entry.read().decode("utf-8-sig").strip()
        values = _fields(json.loads(text)) if kind == "json" else [text]
    except Exception:  # whatever a stranger's text does to a parser
        return ()
    return tuple(str(value) for value in values if isinstance(value, str | int) and str(value).strip())


def _fields(content: object) -> list[object]:
    """The labels in a sample's description."""
    if not isinstance(content, dict):
        return [content]
    value = next((content[field] for field in FIELDS if content.get(field) is not None), None)
    return value if isinstance(value, list) else [value]


def _may_be_label(labels: Labels) -> bool:
    """Whether a text is a label rather than a caption, or boxes in numbers."""
    text = labels[0] if labels else ""
    words = text.split()
    boxes = len(words) > 1 and all(word.replace(".", "", 1).isdigit() for word in words)
    return len(text) <= LONGEST and len(words) <= MOST_WORDS and "\n" not in text and not boxes
