"""Scenes whose mark is the other class's: the patch says one thing there and the mark another."""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

from PIL import Image

Pattern = tuple[Image.Image, Image.Image]  # a mark as it was drawn, and where in it the mark is


def write_conflict(gray: Path, misleading: Path, folder: Path) -> None:
    """Draw the set `folder`: class folders alone, whole or not there.

    There is such a scene for each one that bears a mark in `misleading`: its picture of `gray`, and in the place of its
    own mark that of the other class, cut from the first picture that bears one.

    Args:
        gray, misleading: drawn sets of the same scenes.
    """
    building = folder.with_name(f".{folder.name}.new")
    rmtree(building, ignore_errors=True)
    patterns = {path.name: _pattern(path) for path in (misleading / "marks").iterdir()}
    for name, place in marked_scenes(misleading):
        (other,) = patterns.keys() - {Path(name).parent.name}
        mark, shape = patterns[other]
        with Image.open(gray / "images" / name) as opened:
            picture = opened.copy()
        picture.paste(mark, place, shape)
        (building / name).parent.mkdir(parents=True, exist_ok=True)
        picture.save(building / name, "PNG")
    building.rename(folder)


def marked_scenes(misleading: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """The scenes that bear a mark, as CLASS/NUMBER.png, each with the mark's left and upper edge."""
    for path in sorted((misleading / "marks").rglob("*.png")):
        box = _box(path)
        if box is not None:
            yield path.relative_to(misleading / "marks").as_posix(), box[:2]


def _pattern(marks: Path) -> Pattern:
    """The first mark of a class."""
    path, box = next((path, box) for path in sorted(marks.glob("*.png")) if (box := _box(path)))
    drawn = marks.parents[1] / "images" / marks.name / path.name
    with Image.open(drawn) as picture, Image.open(path) as shape:
        return picture.crop(box), shape.crop(box)


def _box(mask: Path) -> tuple[int, int, int, int] | None:
    with Image.open(mask) as opened:
        return opened.getbbox()
