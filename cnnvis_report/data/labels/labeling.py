"""What images are said to show: by the folders that they lie in, or by a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cnnvis_report.data.image_file import FoundImages, ImageFile, natural, readable, several
from cnnvis_report.data.labels.class_names import Classes, Prediction
from cnnvis_report.data.labels.class_table import WORDNET_ID
from cnnvis_report.data.labels.dataset_classes import DatasetClasses, unnamed
from cnnvis_report.data.labels.notices import missing_labels, read_by_index, unknown_labels
from cnnvis_report.data.labels.numbered_folders import Prefixed, prefixed_folders
from cnnvis_report.data.labels.parsing import labels_in
from cnnvis_report.data.split_names import is_part
from cnnvis_report.records.images import Label


@dataclass
class Labeling:
    """Labels of the images in their order, what a user has to know of them, and folders that stand for all classes."""

    labels: list[tuple[Label, ...]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    order: tuple[str, ...] = ()


def label_images(images: FoundImages, classes: Classes, mode: str = "names") -> Labeling:
    """The labels of images.

    A list's label counts; else the nearest folder above that stands for a class. What stands for none is unknown: a
    label without an index. Images have no label at all where no folder stands for a class and nobody has said that
    folders are labels. Numbers count the data set's classes where these are known; their names are the network's
    where it has none and there are as many.

    Args:
        mode: "names": folders called like classes. "folders": every folder's name is a label; where none is a class
            and there are as many as classes, they stand for the classes in the order of torchvision's ImageFolder.
            "indices": folders called by a number are the classes of that index.
    """
    named = bool(images.classes) and len(images.classes) == len(classes.names) and unnamed(classes)
    classes = Classes(images.classes) if named else classes
    folders = _Folders(images, classes, mode)
    order = images.classes if named else tuple(folders.order)
    listing = _Listing(images, classes)
    labeling = Labeling(notices=[*folders.notices(), *listing.notices()], order=tuple(map(readable, order)))
    listed: list[Label] = []
    listed_unknown: list[list[str]] = []
    unknown: list[list[str]] = []
    unlabeled = 0
    for image in images:
        if image.labels:
            labels = tuple(label for text in image.labels for label in listing.labels(text))
            listed += labels
        else:
            label = folders.label(image) if not image.bare else None
            labels = (label,) if label is not None else ()
        if names := [label.name for label in labels if label.index is None]:
            (listed_unknown if image.labels else unknown).append(names)
        unlabeled += not labels and not image.bare
        labeling.labels.append(labels)
    labeling.notices += read_by_index(listing.texts, listed, classes)
    labeling.notices += unknown_labels(unknown, listed_unknown, len(classes.names))
    known = any(label.index is not None for labels in labeling.labels for label in labels)
    offered = bool(images.subfolders) or any(image.folders or image.labels for image in images)
    if classes.names and offered and (not known or unlabeled):
        labeling.notices.append(missing_labels(images, unlabeled, known, classes.names))
    return labeling


class _Listing:
    """What the labels that a list or a data set gives stand for.

    texts: those that name classes, or count the network's.
    """

    def __init__(self, images: FoundImages, classes: Classes) -> None:
        self.classes = classes
        dataset = DatasetClasses(images.classes, classes) if images.classes and classes.names else None
        texts = dict.fromkeys(text for image in images for text in image.labels)
        counted = {text: dataset.label_in(text) for text in texts} if dataset is not None else {}
        self.counted = {text: label for text, label in counted.items() if label is not None}
        self.texts = [text for text in texts if text not in self.counted]
        unfound = [text for text in self.texts if all(label.index is None for label in labels_in(text, classes))]
        self.prefixed: Prefixed = prefixed_folders(unfound, classes)
        self.dataset = dataset if self.counted else None

    def labels(self, text: str) -> list[Label]:
        """The labels in a text."""
        if text in self.counted:
            return [self.counted[text]]
        index = self.prefixed.index_of.get(text)
        return labels_in(text, self.classes) if index is None else [Label(self.classes.names[index], index)]

    def notices(self) -> list[str]:
        """What was taken for what."""
        return [*self.prefixed.notices("Labels"), *(self.dataset.notices() if self.dataset is not None else ())]


class _Folders:
    """Which class each folder stands for."""

    def __init__(self, images: FoundImages, classes: Classes, mode: str) -> None:
        self.classes, self.mode, self.top = classes, mode, images.top
        each_path = {image.folders for image in images if image.folders}
        self.inner = sorted({path[-1] for path in each_path})
        self.outer = sorted({path[0] for path in each_path})
        self.names = sorted({name for path in each_path for name in path})
        self.answers: dict[str, Prediction] = {name: classes.find(name, indices=False) for name in self.names}
        unanswered = [name for name, answer in self.answers.items() if not answer.indices]
        self.prefixed = prefixed_folders(unanswered, classes)
        self.answers |= {name: Prediction((index,)) for name, index in self.prefixed.index_of.items()}
        self.order: dict[str, int] = {}
        self.first_level = True
        self.unclear: list[str] = []  # folders that may stand for the classes in another way
        self.numbered = self._numbered()
        self._put_in_order(images)
        index_of = {name: answer.index for name, answer in self.answers.items()}
        if self.numbered and not self.order:
            index_of |= {name: int(name) for name in self.names if classes.is_index(name) and index_of[name] is None}
        self.index_of: Mapping[str, int | None] = index_of
        self.any_known = any(index is not None for index in index_of.values()) or bool(self.order)
        self.any_known = self.any_known or bool(self.prefixed.conflicts)

    def label(self, image: ImageFile) -> Label | None:
        """The label of an image; None where it has none."""
        if self.order:
            known = image.folders[:1] if self.first_level else image.folders[-1:]
            return Label(readable(known[0]), self.order.get(known[0])) if known else None
        for name in reversed(image.folders):
            index = self.index_of.get(name)
            if index is not None:
                return Label(self.classes.names[index], index)
        if image.folder and (self.mode != "names" or self.any_known):
            return Label(readable(image.folder))
        index = self.classes.find(self.top, indices=False).index if self.top and not image.folder else None
        return Label(self.classes.names[index], index) if index is not None else None

    def notices(self) -> list[str]:
        """What was taken for what."""
        notices = []
        if self.order:
            pairs = [f"{name} for {self.classes.names[index]}" for name, index in self.order.items()]
            notices.append(
                f"The {len(self.order)} folders stand for the {len(self.order)} classes in the order of torchvision's "
                f"ImageFolder, plain alphabetical: {several(pairs, 6)}."
            )
        elif self.numbered:
            numbers = sorted((n for n in self.names if self.classes.is_index(n)), key=natural)
            notices.append(f"Folders called by a number are classes by their index, from 0: {several(numbers, 6)}.")
        if self.unclear:
            notices.append(
                f"Folders called by numbers may be indices, or the classes are the {len(self.unclear)} folders "
                f"{several(self.unclear, 4)}, in ImageFolder's order: --labels indices or --labels folders says which."
            )
        ids = [name for name in self.names if WORDNET_ID.fullmatch(name) and self.index_of.get(name) is not None]
        if ids and not self.order:
            notices.append(f"Folders called by WordNet ids are found among the classes: {several(ids)}.")
        notices += self.prefixed.notices() if not self.order else []
        for name, answer in self.answers.items():
            if len(answer.indices) > 1 and not self.order:
                notices.append(
                    f"Folder {readable(name)!r} may be one of {len(answer.indices)} classes "
                    f"({', '.join(map(str, answer.indices[:6]))}): call it by the index."
                )
        return notices

    def _numbered(self) -> bool:
        """Whether folders called by a number are indices."""
        if self.mode == "indices":
            return True
        if self.mode == "folders":
            return any(self._is_number(name) for name in self.names)
        if any(answer.indices for answer in self.answers.values()):
            return False  # beside names, numbers are those of patients, scenes or parts
        numbers = next(
            (level_numbers for level in (self.inner, self.outer) if (level_numbers := self._numbers(level))), None
        )
        if numbers is None:
            return False
        above = self.outer if self.outer != self.inner else []
        count = len(self.classes.names)
        if len(above) == count and not any(self._is_number(name) or is_part(name) for name in above):
            self.unclear = above
        elif len(numbers) == count and [int(name) for name in numbers] != list(range(count)):
            self.unclear = numbers
        return not self.unclear

    def _numbers(self, level: Sequence[str]) -> list[str] | None:
        """The indices among names of folders, where they are most of these and there is no other number."""
        numbers = [name for name in level if self._is_number(name)]
        others = [name for name in level if name not in numbers and not is_part(name)]
        return None if len(others) >= len(numbers) or any(name.isdigit() for name in others) else numbers

    def _is_number(self, name: str) -> bool:
        return self.classes.is_index(name) and not self.answers[name].indices

    def _put_in_order(self, images: FoundImages) -> None:
        """Let folders stand for the classes in order, where there are as many and none is called like one."""
        if self.mode != "folders" or any(answer.indices for answer in self.answers.values()):
            return
        count = len(self.classes.names)
        for level in (list(images.subfolders), self.outer, self.inner):
            parts = all(is_part(name) for name in level)
            if len(level) == count and not parts and set(level) & {*self.outer, *self.inner}:
                self.order = {name: index for index, name in enumerate(level)}
                self.first_level = level is not self.inner
                return
