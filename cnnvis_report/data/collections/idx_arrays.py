"""MNIST, Fashion-MNIST, KMNIST and others in the form of MNIST."""

from pathlib import Path

from cnnvis_report.data.arrays.idx import idx_files, idx_part, is_idx
from cnnvis_report.data.arrays.parts import images_of_parts
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.image_file import FoundImages


def is_mnist(text: str) -> bool:
    """Whether it is a file of images in the form of MNIST, or a folder of such files."""
    path = Path(text)
    try:
        return bool(idx_files(path)) if path.is_dir() else is_idx(path)
    except OSError:
        return False


@collection(
    title="a set of MNIST's files",
    example="t10k-images-idx3-ubyte.gz",
    matches=is_mnist,
    order=20,
    ways=(ImageWay("MNIST and its kin, IDX, also `.gz`", "MNIST/raw --split test", "the file of labels beside it"),),
    reads=("--split",),
)
def idx_arrays(text: str, selection: Selection) -> FoundImages:
    """The images of MNIST's files, labeled by the files beside them."""
    path = Path(text)
    read = [idx_part(file) for file in (idx_files(path) if path.is_dir() else [path])]
    images = images_of_parts([part for part, _ in read], path.name, selection)
    names = [name for _, name in read if name]
    notices = (*images.notices, *((f"Labels are those in {', '.join(names)}.",) if names else ()))
    return FoundImages(images.files, notices=notices)
