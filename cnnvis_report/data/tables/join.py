"""Labels of a table, joined to images that were found elsewhere."""

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import replace

from cnnvis_report.data.image_file import FoundImages, ImageFile, several
from cnnvis_report.data.tables.label_rows import merged
from cnnvis_report.data.tables.table import LabelFile, LabelRow
from cnnvis_report.errors import BadRequest

Key = Callable[[str], str]


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _stem(path: str) -> str:
    return posixpath.splitext(path)[0]


# what has to be alike, from the narrowest to the widest
KEYS: tuple[Key, ...] = (str, _stem, _name, lambda path: _stem(_name(path)))


def names_of(images: Iterable[ImageFile]) -> Callable[[str], bool]:
    """Whether a text may name one of some images: by its path, its name or its stem."""
    names = {key(image.name) for image in images for key in (KEYS[0], *KEYS[2:])}
    return lambda text: bool(text) and (_plain(text) in names or _name(_plain(text)) in names)


def joined(images: FoundImages, table: LabelFile) -> FoundImages:
    """The images with the labels and masks that a table has for them.

    Rows and images are joined by the whole name, else by the name without its folders or its ending, where that is one
    image's and one row's alone. What doesn't fit is counted. Of a table of which a part is taken, images that it
    doesn't name are left out.

    Raises:
        BadRequest: no row is of an image.
    """
    table = replace(table, rows=merged(table.rows)[0])
    row_of = _matches([image.name for image in images], [row.path for row in table.rows])
    if not row_of and table.rows:
        raise BadRequest(
            f"{table.name}: none of its {len(table.rows):,} rows names one of the {len(images):,} images. It names "
            f"{several([row.path for row in table.rows], 2)}, and the images are called "
            f"{several([image.name for image in images], 2)}."
        )
    before = [notice for notice in images.notices if not notice.startswith(f"{table.name} names images")]
    files = [
        _labeled(image, table.rows[row_of[number]]) if number in row_of else image
        for number, image in enumerate(images)
        if number in row_of or not table.part
    ]
    return replace(
        images,
        files=tuple(files),
        notices=(*before, *table.notices, *_unjoined(images, table, row_of)),
        classes=table.classes or images.classes,
    )


def _labeled(image: ImageFile, row: LabelRow) -> ImageFile:
    return replace(image, labels=row.labels, bare=row.bare, mask=row.mask or image.mask)


def _matches(images: list[str], rows: list[str]) -> dict[int, int]:
    """The row of each image, both by their number; pages of a file have the row of the file.

    A name has to be one row's and one image's among all, those that a narrower one has joined too: of two images called
    alike, the one that is left isn't the one that is meant.
    """
    row_of: dict[int, int] = {}
    used: set[int] = set()
    for key in KEYS:
        by_key: dict[str, list[int]] = {}
        for number, row in enumerate(rows):
            by_key.setdefault(key(_plain(row)), []).append(number)
        alike: dict[str, list[int]] = {}
        for number, image in enumerate(images):
            alike.setdefault(key(_without_page(image)), []).append(number)
        for text, numbers in alike.items():
            match = by_key.get(text, [])
            one = len(match) == 1 and len({_without_page(images[number]) for number in numbers}) == 1
            if one and match[0] not in used and numbers[0] not in row_of:
                row_of |= dict.fromkeys(numbers, match[0])
                used.add(match[0])
    return row_of


def _plain(text: str) -> str:
    return posixpath.normpath(text.replace("\\", "/"))


def _without_page(name: str) -> str:
    head, mark, page = name.rpartition(" page ")
    return head if mark and page.isdigit() else name


def unnamed(table: LabelFile, images: list[str], *, left_out: bool) -> str:
    """That images are in no row, or in none of the part that is taken, where others of the table may name them."""
    one = len(images) == 1
    where = "in none of these rows" if table.part else "not in it"
    what = f"1 image is {where}" if one else f"{len(images):,} images are {where}"
    return f"{table.name}: {what}{' and left out' if left_out else ''}: {several(images)}."


def _unjoined(images: FoundImages, table: LabelFile, row_of: dict[int, int]) -> list[str]:
    """How many rows are of no image, and how many images of no row."""
    used = set(row_of.values())
    rows = [row.path for number, row in enumerate(table.rows) if number not in used]
    rest = [image.name for number, image in enumerate(images) if number not in row_of]
    notices = []
    if rows:
        what = "1 row is" if len(rows) == 1 else f"{len(rows):,} rows are"
        notices.append(f"{table.name}: {what} of no image of the set: {several(rows)}.")
    if rest:
        notices.append(unnamed(table, rest, left_out=table.part))
    return notices
