"""Collections: each opens one kind of IMAGES that holds many images, such as an archive, and announces itself."""

from collections.abc import Callable
from dataclasses import dataclass

from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.errors import BadRequest, UnusedOption, shown
from cnnvis_report.extensions.registry import Registry
from cnnvis_report.extensions.requirements import not_installed


@dataclass(frozen=True)
class Selection:
    """What of a collection is taken.

    split: the part of the set, such as "val"; empty where nobody has said. label_columns: of a table or a dataset, by
    name; empty where they are to be found. channels: that the network reads.
    """

    split: str = ""
    label_columns: tuple[str, ...] = ()
    channels: int = 3

    def refuse(self, option: str, reason: str) -> None:
        """Refuse --split or --label-columns, if it is given.

        Args:
            reason: why there is no use for it, a sentence.
        """
        value = self.split if option == "--split" else ",".join(self.label_columns)
        if value:
            raise UnusedOption(option, shown(value), reason)


@dataclass(frozen=True)
class ImageWay:
    """A row of the documentation's table.

    held_as: how people hold images. command: IMAGES and the options for it, as in "labels.csv --split val".
    labels: where labels, and masks, come from.
    """

    held_as: str
    command: str
    labels: str


@dataclass(frozen=True)
class Collection:
    """One kind of IMAGES.

    title: what it opens, as in "a zip archive". example: what a user may type. matches: of the text that a user typed:
    True where it opens it, False where it is of another kind, a sentence where it is of this kind and can't be opened;
    it looks at first bytes and names, imports nothing that is an extra, and reads little. open: finds the images,
    without decoding one. order: collections are asked from low to high. requires: modules that it imports. install:
    what pip installs to have them. ways: rows of the documentation's table. reads: which of --split and
    --label-columns it makes use of.
    """

    name: str
    title: str
    example: str
    matches: Callable[[str], bool | str]
    open: Callable[[str, Selection], FoundImages]
    order: int
    requires: tuple[str, ...] = ()
    install: str = ""
    ways: tuple[ImageWay, ...] = ()
    reads: tuple[str, ...] = ()

    def check(self, text: str, selection: Selection) -> None:
        """Refuse what it would pass over in silence, and look for the modules that it needs, without importing them.

        Raises:
            UnusedOption: naming the option.
            BadRequest: saying how to install a module.
        """
        for option in ("--split", "--label-columns"):
            if option not in self.reads:
                selection.refuse(option, f"{text} is {self.title}, which has no use for {option}.")
        if absent := not_installed(self.requires, self.install, "needed to read it and "):
            raise BadRequest(f"{text}: {absent}")


COLLECTIONS = Registry[Collection](
    "collection", group="cnnvis_report.collections", package="cnnvis_report.data.collections"
)

OpenFunction = Callable[[str, Selection], FoundImages]


def collection(
    *,
    title: str,
    example: str,
    matches: Callable[[str], bool | str],
    order: int = 50,
    requires: tuple[str, ...] = (),
    install: str = "",
    ways: tuple[ImageWay, ...] = (),
    reads: tuple[str, ...] = (),
) -> Callable[[OpenFunction], OpenFunction]:
    """Announce a function `(text, selection) -> FoundImages` as what opens one kind of IMAGES.

    The function's name is the collection's. What it opens is a stranger's: it runs nothing in it, writes nothing to
    the disk, never trusts a name to be a path, and bounds what it reads. Images that are no files of their own are
    `ImageFile`s with an `Entry`; an image's name is the one within the collection. What looks like an image and can't
    be read goes to `FoundImages.skipped`, and what a user has to know, a sentence each, to `notices`.

    Raises:
        BadRequest: another module has a collection of this name.
    """

    def announce(function: OpenFunction) -> OpenFunction:
        name = function.__name__
        entry = Collection(name, title, example, matches, function, order, requires, install, ways, reads)
        COLLECTIONS.add(name, entry, function.__module__)
        return function

    return announce


def collections() -> tuple[Collection, ...]:
    """All collections, in the order in which they are asked."""
    return tuple(sorted(COLLECTIONS.entries().values(), key=lambda entry: (entry.order, entry.name)))


def collection_for(text: str) -> Collection | None:
    """The collection that opens what was typed; None where it is a plain file or folder of images.

    Raises:
        BadRequest: it is of a kind that is known, and can't be opened.
    """
    for entry in collections():
        answer = entry.matches(text)
        if isinstance(answer, str):
            raise BadRequest(f"{text}: {answer}")
        if answer:
            return entry
    return None
