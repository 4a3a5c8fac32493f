"""Folders of images with a metadata file among them, as Hugging Face datasets read them (imagefolder)."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.discovery.folders import Search
from cnnvis_report.data.image_file import FoundImages, natural
from cnnvis_report.data.split_names import check_split, in_split
from cnnvis_report.data.tables.join import joined, names_of
from cnnvis_report.data.tables.label_file import read_label_file

NAMES = ("metadata.jsonl", "metadata.csv", "metadata.parquet")


def metadata_files(folder: Path) -> list[Path]:
    """The metadata file in a folder, or those in the folders directly below it, one each."""
    own_file = next((path for name in NAMES if (path := folder / name).is_file()), None)
    if own_file is not None:
        return [own_file]
    parts = [path.parent for name in NAMES for path in folder.glob(f"*/{name}")]
    return [path for part in sorted(set(parts), key=lambda part: natural(part.name)) for path in metadata_files(part)]


def has_metadata(text: str) -> bool:
    """Whether a folder has a metadata file, or the folders in it have."""
    folder = Path(text)
    try:
        return folder.is_dir() and bool(metadata_files(folder))
    except OSError:
        return False


@collection(
    title="a folder with metadata",
    example="dataset/",
    matches=has_metadata,
    order=22,
    reads=("--split", "--label-columns"),
    ways=(
        ImageWay("a folder with `metadata.jsonl`, as Hugging Face has it", "dataset/", "a key of each line"),
        ImageWay("one with `train/`, `validation/`, …", "dataset/ --split validation", "a key of each line"),
    ),
)
def metadata_folder(text: str, selection: Selection) -> FoundImages:
    """The images of a folder, with the labels that its metadata have for them."""
    folder = Path(text)
    files = metadata_files(folder)
    if files[0].parent == folder:
        return _joined(folder, files[0], selection)
    if selection.split:
        check_split(text, selection.split, [file.parent.name for file in files])
        files = [file for file in files if in_split(file.parent.name, selection.split)]
        selection = replace(selection, split="")
    parts = [_below(file.parent.name, _joined(file.parent, file, selection)) for file in files]
    return FoundImages(
        tuple(image for part in parts for image in part),
        tuple(skipped for part in parts for skipped in part.skipped),
        tuple(notice for part in parts for notice in part.notices),
        classes=parts[0].classes,
    )


def _joined(folder: Path, file: Path, selection: Selection) -> FoundImages:
    search = Search()
    images = FoundImages(tuple(search.walk(folder)))
    search.aside -= Counter([file.suffix])
    images = replace(images, skipped=tuple(search.skipped), notices=tuple(search.notices()))
    return joined(images, read_label_file(file, selection, names_of(images)))


def _below(name: str, part: FoundImages) -> FoundImages:
    """The same with the folder's name before all names."""
    files = tuple(replace(image, name=f"{name}/{image.name}", folder=image.folder or name) for image in part)
    skipped = tuple(replace(entry, name=f"{name}/{entry.name}") for entry in part.skipped)
    return replace(part, files=files, skipped=skipped)
