"""CIFAR-10 and CIFAR-100 as their makers give them."""

from pathlib import Path

from cnnvis_report.data.arrays.cifar import BATCH, NAMES, batches_in, class_names, read_part
from cnnvis_report.data.arrays.parts import images_of_parts
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.image_file import FoundImages
from cnnvis_report.errors import BadRequest


def is_cifar(text: str) -> bool:
    """Whether it is a folder of batches, or one of them, beside the names of the classes."""
    path = Path(text)
    try:
        if path.is_dir():
            return bool(batches_in(path))
        named = BATCH.fullmatch(path.name) is not None and path.is_file()
        return named and any(path.with_name(name).is_file() for name in NAMES)
    except OSError:
        return False


@collection(
    title="a set of CIFAR's batches",
    example="cifar-10-batches-py",
    matches=is_cifar,
    order=20,
    ways=(
        ImageWay("CIFAR-10 or CIFAR-100, for Python", "cifar-10-batches-py --split test", "those of the batches"),
        ImageWay("CIFAR-10 or CIFAR-100, binary", "cifar-10-batches-bin --split test", "those of the batches"),
    ),
    reads=("--split",),
)
def cifar_batches(text: str, selection: Selection) -> FoundImages:
    """The images of CIFAR's batches; a pickle is read without being run."""
    path = Path(text)
    folder, paths = (path, batches_in(path)) if path.is_dir() else (path.parent, [path])
    fine = (folder / "fine_label_names.txt").is_file()
    try:
        parts = [read_part(batch, fine=fine) for batch in paths]
    except OSError as error:
        raise BadRequest(f"{text}: can't be read ({error.strerror}).") from error
    return images_of_parts(parts, path.name, selection, class_names(folder))
