"""Images in class folders: found, split, read, and counted."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from cnnvis_report.data.decoding.decode import picture_size
from cnnvis_report.data.discovery.dataset_json import parts_of
from cnnvis_report.data.image_set import FoundImages, ImageItem, find_images, labeled
from cnnvis_report.data.preprocessing.preprocessing import Levels, Preprocessing
from cnnvis_report.data.preprocessing.value_range import find_levels
from cnnvis_report.data.split_names import is_part
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.images import Label
from cnnvis_report.records.run import Skipped
from cnnvis_report.training.tensors import Pictures, read_pictures

OWN_SIZE_UP_TO = 128  # pixels a side: larger pictures are made smaller unless --size says otherwise
MARGIN = 8 / 7  # the shorter side of photographs over the square that is cut from them, as for ImageNet


@dataclass(frozen=True)
class Data:
    """What a network is trained on, chosen by, and tested with; `notes` are worth a line each."""

    classes: tuple[str, ...]
    training: Pictures
    validation: Pictures
    test: Pictures | None
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    def counts(self, pictures: Pictures | None) -> list[int]:
        """How many pictures of each class there are."""
        counted = Counter(pictures.targets.tolist() if pictures is not None else ())
        return [counted[index] for index in range(len(self.classes))]


def read_data(
    folder: Path,
    test: Path | None,
    *,
    share: float,
    seed: int,
    known: Preprocessing | None,
    size: str | None,
    gray: bool | None,
    advance: Callable[[str], None] = lambda _: None,
    begin: Callable[[int], None] = lambda _: None,
) -> Data:
    """The images of class folders, split and read.

    Args:
        folder, test: folders with a sub-folder a class; the test set may lack classes, and has no other ones.
        share: of the images of each class, how many go into validation.
        known: the preprocessing that the network expects; None finds one. size: as asked. gray: see `read_pictures`.
        begin, advance: told how many files there are, and of each.

    Raises:
        BadRequest: there are no classes, too few images, or images without a class.
    """
    images, classes, notes = find_classes(folder)
    geometry = _geometry(images, known, size)
    levels, level_notices = find_levels(images, geometry.levels)
    geometry = replace(geometry, levels=levels)
    notes += [notice.removesuffix(".") for notice in level_notices]
    test_found = _test_files(test, classes) if test is not None else FoundImages(())
    begin(len(images) + len(test_found))
    pictures, skipped = read_pictures(_items(images, classes, levels), geometry, gray=gray, advance=advance)
    skipped += images.skipped
    parts = split(pictures.targets.tolist(), classes, share, seed)
    gray = pictures.preprocessing.channels == 1
    of_test = None
    if test is not None and len(test_found):
        of_test, lost = _read_test(test, test_found, classes, geometry, gray=gray, advance=advance)
        skipped += lost
    training, validation = (pictures.part(part) for part in parts)
    return Data(classes, training, validation, of_test, tuple(skipped), tuple(notes))


def _read_test(
    folder: Path,
    images: FoundImages,
    classes: Sequence[str],
    geometry: Preprocessing,
    *,
    gray: bool,
    advance: Callable[[str], None],
) -> tuple[Pictures, list[Skipped]]:
    """The test set, read as the images for training are."""
    pictures, lost = read_pictures(_items(images, classes, geometry.levels), geometry, gray=gray, advance=advance)
    if not len(pictures):
        raise BadRequest(f"--test {folder}: none of its {len(lost)} images can be read, {lost[0].reason}.")
    return pictures, [replace(skipped, name=f"{folder.name}/{skipped.name}") for skipped in (*lost, *images.skipped)]


def find_classes(folder: Path) -> tuple[FoundImages, tuple[str, ...], list[str]]:
    """The images below the sub-folders of a folder, the sub-folders' names in order, and what was left aside.

    The order is that of torchvision's ImageFolder, so that indices are those of other trainings on the same folder.

    Raises:
        BadRequest: there aren't two classes, or the sub-folders are parts of a set and no classes.
    """
    if not folder.is_dir():
        raise BadRequest(f"{folder}: there is no such folder. Give one with a sub-folder for each class.")
    everything = find_images([folder])
    images = everything.only(lambda image: image.folder)
    names = sorted({Path(image.name).parts[0] for image in images})
    parts = [name for name in names if is_part(name)]
    if parts and len(parts) == len(names):
        raise BadRequest(f"{folder}: {_advice_on_parts(folder, parts)}")
    if len(names) < 2:
        has = f"one class, {names[0]!r}" if names else "no sub-folder with images"
        raise BadRequest(f"{folder}: has {has}. Put the images in one sub-folder for each class, two at least.")
    notes = [notice.removesuffix(".") for notice in everything.notices]
    if len(images) < len(everything):
        notes.append(f"{len(everything) - len(images)} images lie beside the class folders and are left out")
    empty = _empty_folders(folder, names)
    if empty:
        notes.append(f"no image in {', '.join(empty)}: left out as a class")
    return images, tuple(names), notes


def _advice_on_parts(folder: Path, parts: Sequence[str]) -> str:
    """What to give where the sub-folders are the parts of a set."""
    reason = f"its sub-folders are {', '.join(parts)}, which are parts of a set and no classes."
    test = next((name for name in parts if name.lower().startswith("test")), None)
    training = next((name for name in parts if name.lower().startswith("train")), parts[0])
    more = f" --test {folder / test}" if test and test != training else ""
    return f"{reason} Give {folder / training}{more}."


def split(targets: Sequence[int], classes: Sequence[str], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Places for training and for validation, class by class, by chance that the seed decides.

    Raises:
        BadRequest: a class has too few images for both.
    """
    if not 0 < share < 1:
        raise BadRequest(f"--val-split {share:g}: give the share that goes into validation, above 0 and below 1.")
    generator = torch.Generator().manual_seed(seed)
    parts: tuple[list[int], list[int]] = ([], [])
    for label, name in enumerate(classes):
        indices = [index for index, target in enumerate(targets) if target == label]
        if len(indices) < 2:
            images = "1 readable image" if indices else "no readable image"
            raise BadRequest(
                f"Class {name!r} has {images}; one for training and one for validation are needed. "
                f"Add images to it, or take the folder away."
            )
        aside = min(max(1, round(len(indices) * share)), len(indices) - 1)
        order = [indices[at] for at in torch.randperm(len(indices), generator=generator).tolist()]
        parts[1].extend(order[:aside])
        parts[0].extend(order[aside:])
    return sorted(parts[0]), sorted(parts[1])


def _test_files(folder: Path, classes: Sequence[str]) -> FoundImages:
    if not folder.is_dir():
        raise BadRequest(f"--test {folder}: there is no such folder.")
    images = find_images([folder]).only(lambda image: image.folder)
    strange = {Path(image.name).parts[0] for image in images} - set(classes)
    if strange or not len(images):
        what = f"has the folders {', '.join(sorted(strange))}" if strange else "has no sub-folder with images"
        raise BadRequest(f"--test {folder}: {what}; the classes are {', '.join(classes)}.")
    return images


def _items(images: FoundImages, classes: Sequence[str], levels: Levels) -> list[ImageItem]:
    """Each image with its first folder as the label, whatever other folders it lies in."""
    index = {name: index for index, name in enumerate(classes)}
    folders = [Path(image.name).parts[0] for image in images]
    items = labeled(images, classes, levels=levels)
    return [replace(item, labels=(Label(name, index[name]),)) for item, name in zip(items, folders, strict=True)]


def _geometry(images: FoundImages, known: Preprocessing | None, size: str | None) -> Preprocessing:
    """How pictures become one size. Those of one size stay whole; others are cut square from the middle."""
    if known is None:
        sizes = {picture_size(image) for image in images} - {None}
        one = next(iter(sizes)) if len(sizes) == 1 else None
        if one is not None and max(one) <= OWN_SIZE_UP_TO:
            known = Preprocessing((0.0,), (1.0,), resize=one)
        elif one is not None:
            shrink = OWN_SIZE_UP_TO / max(one)
            known = Preprocessing(
                (0.0,), (1.0,), resize=(max(1, round(one[0] * shrink)), max(1, round(one[1] * shrink)))
            )
        else:
            side = OWN_SIZE_UP_TO
            known = Preprocessing((0.0,), (1.0,), resize=round(side * MARGIN), crop=(side, side))
    if size == "original":
        raise BadRequest("--size original: pictures of a batch have one size; give a side or HEIGHTxWIDTH.")
    return known if size is None else known.resized(size)


def _empty_folders(folder: Path, names: Sequence[str]) -> list[str]:
    parts = parts_of(folder)
    return sorted(
        path.name
        for path in (parts[0] if parts else folder).iterdir()
        if path.is_dir() and path.name not in names and not path.name.startswith(".")
    )
