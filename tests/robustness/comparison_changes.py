"""What happens to the record of a comparison, one change at a time; some give it a seal that is right for it."""

import json
import os
import random
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from cnnvis_report.store.comparison.comparison_file import BEHIND_IMAGES, FIRST_LINE
from cnnvis_report.store.files.digests import SEAL, sealed
from cnnvis_report.store.files.names import COMPARISON
from tests.robustness import folder_changes
from tests.robustness.folder_changes import ODD, Change

HUGE = 1 << 30  # bytes
MANY = 1_000_000
SHORTEST = b'{"id": ""},\n'

Content = dict[str, Any]


def cut_lines(folder: Path, chance: random.Random) -> None:
    lines = (folder / COMPARISON).read_text(encoding="utf-8").splitlines(keepends=True)
    del lines[chance.randrange(len(lines)) : chance.choice([None, -1, -2])]
    (folder / COMPARISON).write_text("".join(lines), encoding="utf-8")


def swapped_lines(folder: Path, chance: random.Random) -> None:
    lines = (folder / COMPARISON).read_text(encoding="utf-8").split("\n")
    one, two = chance.sample(range(len(lines) - 1), 2)
    lines[one], lines[two] = lines[two], lines[one]
    (folder / COMPARISON).write_text("\n".join(lines), encoding="utf-8")


def one_behind_another(folder: Path, chance: random.Random) -> None:
    """Two comparisons in one file: a whole one, or its images, behind or before those of this one."""
    text = (folder / COMPARISON).read_text(encoding="utf-8")
    images = text[len(FIRST_LINE) + 1 : text.index(BEHIND_IMAGES)]
    twice = text.replace(BEHIND_IMAGES, f"{BEHIND_IMAGES}{images}{BEHIND_IMAGES}")
    more = text.replace(FIRST_LINE, f"{FIRST_LINE}\n{images.rstrip()},")
    (folder / COMPARISON).write_text(chance.choice([text + text, twice, more, text + "\n\n{}\n"]), encoding="utf-8")


def huge_line(folder: Path, chance: random.Random) -> None:
    """A line of a gigabyte, of nothing or of what a parser unfolds, before or behind everything else."""
    text = (folder / COMPARISON).read_bytes()
    unfolds = b"[" + b"[]," * (20 << 20)
    with (folder / COMPARISON).open("wb") as file:
        file.write(chance.choice([b"", text.splitlines(keepends=True)[0], text]))
        file.write(chance.choice([b"", b'"comparison": ', b"{", unfolds]))
        file.truncate(HUGE)


def many_lines(folder: Path, chance: random.Random) -> None:
    """A million images that are none, or lines of nothing, with a seal that is right for them."""
    line = chance.choice([SHORTEST, b"\n", b"{\n", b"],\n", b"null,\n"])

    def change(images: list[Any], rest: Content) -> bytes:
        return line * MANY

    resealed(folder, change)


def odd_image(folder: Path, chance: random.Random) -> None:
    resealed(folder, lambda images, rest: _odd(chance.choice(images), chance))


def odd_record(folder: Path, chance: random.Random) -> None:
    resealed(folder, lambda images, rest: _odd(rest, chance))


def too_few(folder: Path, chance: random.Random) -> None:
    """A list that has an entry for each run is shorter, or longer."""

    def change(images: list[Any], rest: Content) -> None:
        image = chance.choice(images)
        key = chance.choice(["ids", "predictions", "flips", "targets", "movement", "keys", "moved"])
        place, key = (image[key], chance.choice(sorted(image[key]))) if isinstance(image[key], dict) else (image, key)
        place[key] = chance.choice([[], place[key][1:], place[key] * 2])

    resealed(folder, change)


def _odd(place: Any, chance: random.Random) -> None:
    """Some field within is something else, or gone."""
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else list(range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or not chance.randrange(4):
            break
        place = place[key]
    if isinstance(place, dict) and not chance.randrange(6):
        del place[key]
    else:
        place[key] = chance.choice(ODD)


def resealed(folder: Path, change: Callable[[list[Any], Content], bytes | None]) -> None:
    """Rewrite the record, with a seal that is right for what it says now.

    Args:
        change: of the images and the rest; returns other lines for the images, if it likes.
    """
    content = json.loads((folder / COMPARISON).read_text(encoding="utf-8"))
    images, rest = content["images"], {key: value for key, value in content["comparison"].items() if key != SEAL}
    lines = change(images, rest)
    if lines is None:
        lines = ",\n".join(json.dumps(image) for image in images).encode() + b"\n"
    digest = sha256(f"{FIRST_LINE}\n".encode() + lines + BEHIND_IMAGES.encode()).hexdigest()
    with suppress(ValueError, AttributeError):  # numbers that no JSON has, or no table at all
        rest = sealed(rest, digest)
    head, last = f"{FIRST_LINE}\n".encode(), json.dumps(rest).encode("utf-8", "replace")
    (folder / COMPARISON).write_bytes(head + lines + BEHIND_IMAGES.encode() + b'"comparison": ' + last + b"}\n")


def swapped_types(folder: Path, chance: random.Random) -> None:
    """A run's files in a comparison's folder, or a comparison that says that it is a run's."""
    path = folder / chance.choice(["run.json", "journal.jsonl", "share.json"])
    path.write_bytes(chance.choice([b"{}", b'{"format": "cnnvis-report/2",\n', (folder / COMPARISON).read_bytes()]))
    if chance.randrange(2):
        os.truncate(folder / COMPARISON, chance.choice([0, 30]))


EDITED: tuple[Change, ...] = (cut_lines, swapped_lines, one_behind_another, odd_image, odd_record, too_few)
COSTLY: tuple[Change, ...] = (huge_line, many_lines)
OF_ANY_FOLDER: tuple[Change, ...] = (
    *(folder_changes.flip, folder_changes.cut, folder_changes.delete, folder_changes.delete_folder),
    *(folder_changes.append, folder_changes.garbage, folder_changes.in_its_place, folder_changes.in_the_way),
    *(folder_changes.linked_folder, swapped_types),
)
SEALED = (odd_image, odd_record, too_few, many_lines)
CHANGES: tuple[Change, ...] = (*EDITED, *COSTLY, *EDITED[3:], *OF_ANY_FOLDER)
