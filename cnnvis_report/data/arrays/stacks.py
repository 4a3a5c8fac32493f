"""Which arrays of a set are images, which their labels, and of which part of it, by their names and sides."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cnnvis_report.data.arrays.parts import ArrayPart, labels_of
from cnnvis_report.data.arrays.stored import StoredArray
from cnnvis_report.data.split_names import ALIKE

IMAGE_WORDS = {"images", "image", "imgs", "img", "x", "data", "inputs", "pictures", "features"}
LABEL_WORDS = {"labels", "label", "y", "targets", "target", "classes", "class", "ids"}
CLASS_WORDS = {"class_names", "classnames", "label_names", "names", "classes", "categories"}
SPLIT_WORDS = frozenset().union(*ALIKE)
FEW = 4  # bands: an array of three sides whose first or last is no larger is one image


def is_stack(shape: Sequence[int]) -> bool:
    """Whether an array of these sides has several images: N×H×W×C, N×C×H×W, or N×H×W of gray."""
    return len(shape) == 4 or (len(shape) == 3 and min(shape[0], shape[2]) > FEW)


def stack_parts(arrays: Mapping[str, StoredArray]) -> tuple[list[ArrayPart], tuple[str, ...], list[str]]:
    """The images of named arrays with their labels, the names of the classes, and what a user has to know."""
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "biuf"}
    labels = {name: array for name, array in arrays.items() if len(array.shape) in (1, 2)}
    stacks = {name: array for name, array in numbers.items() if is_stack(array.shape)}
    stacks |= {
        name: array
        for name, array in numbers.items()
        if name not in stacks and len(array.shape) == 3 and _labels_name(name, array, labels)
    }
    parts, notices = [], []
    for name, array in stacks.items():
        if array.by_columns or not array.size or array.size > max(0, array.source.size - array.offset):
            why = "in Fortran's order: save np.ascontiguousarray of it" if array.by_columns else "empty, or cut short"
            notices.append(f"Array {name!r} is left aside: {why}.")
            continue
        labels_name = _labels_name(name, array, labels)
        part = _part(array, _split(name))
        if labels_name:
            values = labels[labels_name].values()
            part = replace(part, labels=labels_of(values) if values is not None else None)
            if part.labels is None:
                objects = "Python objects, which may run code" if values is None else "no whole numbers or texts"
                notices.append(f"Labels in {labels_name!r} aren't read: they are {objects}.")
        else:
            notices += _other_lengths(name, array, arrays)
        parts.append(part)
    return parts, _classes(arrays, stacks), notices


def _part(array: StoredArray, split: str) -> ArrayPart:
    count, *sides = array.shape
    stride = array.size // count
    return ArrayPart(array.source, array.offset, stride, count, tuple(sides), array.dtype, split=split)


def _other_lengths(name: str, images: StoredArray, arrays: Mapping[str, StoredArray]) -> list[str]:
    """That arrays are called labels of these images, and aren't as many."""
    count = images.shape[0]
    return [
        f"{other!r} has {array.shape[0]:,} entries for the {count:,} images in {name!r}: it isn't read as their labels."
        for other, array in arrays.items()
        if set(_words(other)) & LABEL_WORDS and _split(other) == _split(name) and array.shape[:1] not in ((), (count,))
    ]


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z]+", name.lower()) if word]


def _split(name: str) -> str:
    return next((word for word in _words(name) if word in SPLIT_WORDS), "")


def _labels_name(name: str, images: StoredArray, arrays: Mapping[str, StoredArray]) -> str:
    """The array of as many labels, of the same part: called so, or the only one where none is."""
    fitting = [
        other
        for other, array in arrays.items()
        if array.shape[:1] == images.shape[:1] and _split(other) == _split(name) and other != name
    ]
    called_so = [other for other in fitting if set(_words(other)) & LABEL_WORDS]
    rest = set(_words(name)) - IMAGE_WORDS - SPLIT_WORDS
    alike = [other for other in called_so if rest <= set(_words(other))]
    candidates = alike or called_so or fitting
    return candidates[0] if len(candidates) == 1 or alike or called_so else ""


def _classes(arrays: Mapping[str, StoredArray], stacks: Mapping[str, StoredArray]) -> tuple[str, ...]:
    """Names of the classes, where an array lists them."""
    counts = {array.shape[0] for array in stacks.values()}
    for name, array in arrays.items():
        texts = array.dtype.kind in "US" and len(array.shape) == 1 and array.shape[0] not in counts
        if texts and name.lower() in CLASS_WORDS:
            values = array.values()
            if values is not None:
                return tuple(label[0] if label else "" for label in labels_of(values) or ())
    return ()
