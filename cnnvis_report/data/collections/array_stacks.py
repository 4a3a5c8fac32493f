"""NumPy files of many images: .npz archives, and .npy stacks with a file of labels beside them."""

from pathlib import Path

from cnnvis_report.data.archives.byte_source import ByteSource, BytesPart, LocalBytes
from cnnvis_report.data.archives.decompressed import RATIO, Decompressed
from cnnvis_report.data.archives.member import DEFLATED, FREE, STORED, ZipEntry
from cnnvis_report.data.archives.zip_index import MAGIC as ZIP
from cnnvis_report.data.archives.zip_index import zip_members
from cnnvis_report.data.arrays.parts import images_of_parts
from cnnvis_report.data.arrays.stacks import FEW, is_stack, stack_parts
from cnnvis_report.data.arrays.stored import MAGIC, StoredArray, stored_array
from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.formats import head_of
from cnnvis_report.data.image_file import FoundImages, ImageFile
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.errors import BadRequest, brief
from cnnvis_report.records.bands import USUAL

# what stands for images in a file's name, and what for labels in that of the file beside it
BESIDE = (("images", "labels"), ("imgs", "labels"), ("image", "label"), ("x", "y"), ("X", "y"), ("data", "labels"),
          ("data", "targets"), ("inputs", "targets"))  # fmt: skip
GENERAL = ("labels", "targets", "y")


def is_npz(text: str) -> bool | str:
    """Whether a file is an archive of arrays, by its ending and its first bytes."""
    path = Path(text)
    if path.suffix.lower() != ".npz" or not path.is_file():
        return False
    return head_of(path).startswith(ZIP) or "not a NumPy archive, or a damaged one."


def is_npy_stack(text: str) -> bool:
    """Whether a file is an array of several images."""
    path = Path(text)
    if path.suffix.lower() != ".npy" or not path.is_file() or not head_of(path).startswith(MAGIC):
        return False
    array = stored_array(LocalBytes(path))
    if array is None or array.dtype.kind not in "biuf":
        return False
    return is_stack(array.shape) or (len(array.shape) == 3 and bool(_beside(path, array.shape[0])))


@collection(
    title="a NumPy archive",
    example="images.npz",
    matches=is_npz,
    order=30,
    ways=(
        ImageWay("arrays of images and labels, `.npz`", "images.npz", "`labels` beside `images`, `y` beside `x`"),
        ImageWay("MedMNIST, or Keras's mnist.npz", "pathmnist.npz --split test", "`test_labels`, `y_test`"),
    ),
    reads=("--split",),
)
def npz_arrays(text: str, selection: Selection) -> FoundImages:
    """The images in the arrays of an archive."""
    arrays: dict[str, StoredArray] = {}
    path = Path(text)
    damaged = []
    for member in zip_members(LocalBytes(path), text):
        try:
            source = _values(member.entry) if isinstance(member.entry, ZipEntry) else None
            array = stored_array(source) if source is not None else None
        except (UnusablePicture, OSError) as error:
            damaged.append(f"The array {member.name!r} is left aside: {brief(error)}.")
            continue
        if array is not None:
            arrays[member.name.removesuffix(".npy")] = array
    parts, classes, notices = stack_parts(arrays)
    notices = [*damaged, *notices]
    if not parts:
        listed = ", ".join(f"{name} {'×'.join(map(str, array.shape))}" for name, array in [*arrays.items()][:6])
        raise BadRequest(
            f"{text}: none of its arrays is a stack of images, N×H×W, N×H×W×C or N×C×H×W of numbers"
            f"{'; it has ' + listed if listed else ''}.{''.join(' ' + notice for notice in notices)}"
        )
    images = images_of_parts(parts, path.name, selection, classes)
    return FoundImages(images.files, (), (*images.notices, *notices), classes=images.classes)


@collection(
    title="a stack of images",
    example="images.npy",
    matches=is_npy_stack,
    order=30,
    ways=(ImageWay("a stack of images, `.npy`", "x_test.npy", "`y_test.npy` or `labels.npy` beside it"),),
)
def npy_stack(text: str, selection: Selection) -> FoundImages:
    """The images of an array, labeled by the array beside it."""
    path = Path(text)
    array = stored_array(LocalBytes(path))
    assert array is not None
    bands = selection.channels not in USUAL and selection.channels in array.shape[::2]
    if len(array.shape) == 3 and bands:  # one image, of as many bands as the network reads
        return FoundImages((ImageFile(path, path.name),))
    if len(array.shape) == 4 and min(array.shape[1], array.shape[3]) > max(FEW, selection.channels):
        raise BadRequest(f"{path}: an array of {'×'.join(map(str, array.shape))}; N×H×W×C or N×C×H×W is read.")
    beside = _beside(path, array.shape[0])
    parts, _, notices = stack_parts({"images": array} | ({"labels": beside[1]} if beside else {}))
    if not parts:
        raise BadRequest(f"{path}: {' '.join(notices)}")
    images = images_of_parts(parts, path.name, selection)
    notices += [f"Labels are those in {beside[0].name}."] if beside and parts[0].labels is not None else []
    return FoundImages(images.files, (), (*images.notices, *notices))


def _values(entry: ZipEntry) -> ByteSource | None:
    """The bytes of a member from any offset; None where they can't be had, or are a bomb."""
    if entry.size > 8 * FREE and entry.size > RATIO * entry.packed:
        return None
    part = BytesPart(entry.source, entry.start(), entry.packed)
    if entry.method == STORED:
        return part
    return Decompressed(part, "deflate", entry.size) if entry.method == DEFLATED else None


def _beside(path: Path, count: int) -> tuple[Path, StoredArray] | None:
    """The file of as many labels beside a file of images."""
    stems = [path.stem.replace(image, label) for image, label in BESIDE if image in path.stem]
    for stem in dict.fromkeys([*stems, *GENERAL]):
        other = path.with_name(f"{stem}.npy")
        array = stored_array(LocalBytes(other)) if other != path and other.is_file() else None
        if array is not None and array.shape[:1] == (count,) and len(array.shape) <= 2:
            return other, array
    return None
