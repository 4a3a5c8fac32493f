"""What a user has to know of labels: which are unknown, which are missing, and how numbers are read."""

from collections.abc import Sequence

from cnnvis_report.data.image_file import FoundImages, natural, several
from cnnvis_report.data.labels.class_names import Classes
from cnnvis_report.records.images import Label

HOW = (
    "Labels come from sub-folders called like classes or by WordNet id, or all by index; from --labels folders, where "
    "all folders are classes; or from a table or a list of paths and labels, as IMAGES or by --labels FILE"
)

CALLED = "Its classes are called {}; --class-names FILE calls them otherwise, a name a line in index order"


def unknown_labels(in_folders: Sequence[Sequence[str]], in_lists: Sequence[Sequence[str]], classes: int) -> list[str]:
    """That images have labels that are no classes; of each such image its labels."""
    notices = []
    for images_of, what in ((in_folders, "folder"), (in_lists, "label")):
        if not images_of:
            continue
        names = [name for group in images_of for name in group]
        different = sorted(set(names), key=natural)
        subject = "1 image has" if len(images_of) == 1 else f"{len(images_of)} images have"
        kinds = f"{what} that is no class" if len(different) == 1 else f"{what}s that are no classes"
        a = "a " if len(different) == 1 else f"{len(different)} "
        from_one = {str(classes)} <= set(names) and "0" not in names
        hint = f" Indices count from 0, to {classes - 1}." if from_one else ""
        notices.append(
            f"{subject} {a}{kinds} of this network, unknown and neither right nor wrong: {several(different, 6)}.{hint}"
        )
    return notices


def read_by_index(texts: Sequence[str], labels: Sequence[Label], classes: Classes) -> list[str]:
    """That the numbers of a list are indices, where any is."""
    known = sorted({label.index for label in labels if label.index is not None})
    numbers = [text for text in dict.fromkeys(texts) if classes.find(text).by_index]
    if not numbers:
        return []
    last = len(classes.names) - 1
    from_one = len(known) > 1 and known == list(range(1, len(known) + 1))
    odd = f" These may count from 1; the network's count from 0 to {last}." if from_one else ""
    return [f"Labels that are numbers are classes by their index, from 0: {several(numbers, 6)}.{odd}"]


def missing_labels(images: FoundImages, unlabeled: int, known: bool, classes: Sequence[str]) -> str:
    """What was tried where labels are missing, and how to give them; `classes`: as the network's are called."""
    if known:
        subject = "1 image has" if unlabeled == 1 else f"{unlabeled} images have"
        return (
            f"{subject} no label: it lies in no folder that stands for a class."
            if unlabeled == 1
            else (f"{subject} no label: they lie in no folder that stands for a class.")
        )
    listed = any(image.labels for image in images)
    names = list(images.subfolders) or sorted({name for image in images for name in image.folders}, key=natural)
    folders = f"no folder is called like a class ({several(names)})" if names else ""
    lists = "what the list gives is no class" if listed else ""
    tried = " and ".join(filter(None, (folders, lists)))
    how = CALLED.format(several(list(classes), 4)) if listed else HOW
    return f"No image has a label that the network knows: {tried}. {how}."
