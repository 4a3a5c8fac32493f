"""Classes as a data set counts them, and those of the network that they are."""

from collections.abc import Sequence

from cnnvis_report.data.image_file import readable, several
from cnnvis_report.data.labels.class_names import Classes
from cnnvis_report.records.images import Label


def unnamed(classes: Classes) -> bool:
    """Whether nobody has named a network's classes."""
    return all(name == f"class {index}" for index, name in enumerate(classes.names))


class DatasetClasses:
    """The network's class of each class of a data set.

    By name, whatever the order. Where there are as many and no name says another order, they are the network's in
    theirs, so that "airplane" may be "plane".

    Args:
        names: of the data set's classes, in the order that its labels count. classes: the network's.
    """

    def __init__(self, names: Sequence[str], classes: Classes) -> None:
        self.names, self._classes = tuple(map(readable, names)), classes
        by_name = [classes.find(name, indices=False).index for name in self.names]
        in_order = len(names) == len(classes.names) and all(
            index in (None, number) for number, index in enumerate(by_name)
        )
        self.index_of = list(range(len(names))) if in_order else by_name
        self._differing = [number for number, index in enumerate(by_name) if index is None] if in_order else []

    def label(self, number: int) -> Label:
        """The label that a number of the data set stands for; without an index where the network has no such class."""
        if not 0 <= number < len(self.names):
            return Label(str(number))
        index = self.index_of[number]
        return Label(self.names[number] if index is None else self._classes.names[index], index)

    def label_in(self, text: str) -> Label | None:
        """The same of a number in a text; None where it is none."""
        return self.label(int(text)) if text.isascii() and text.isdigit() and len(text) < 10 else None

    def notices(self) -> list[str]:
        """How labels that are numbers are read, where a user may not expect it."""
        known = [(number, index) for number, index in enumerate(self.index_of) if index is not None]
        if self._differing:
            pairs = [f"{self.names[number]} for {self._classes.names[number]}" for number in self._differing]
            return [
                f"Classes of the data set are called otherwise than the network's, and taken for them in their order: "
                f"{several(pairs, 6)}."
            ]
        if any(number != index for number, index in known):
            return ["The data set counts its classes in another order than the network: labels are found by name."]
        return []
