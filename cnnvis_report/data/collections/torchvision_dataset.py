"""Data sets of torchvision that are on the disk: torchvision:NAME@ROOT."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cnnvis_report.data.collection import ImageWay, Selection, collection
from cnnvis_report.data.image_file import FoundImages, readable
from cnnvis_report.data.masks.annotation import Annotation
from cnnvis_report.data.pixels import UnusablePicture
from cnnvis_report.data.samples.entries import dataset_files
from cnnvis_report.data.samples.sample import sample_of
from cnnvis_report.data.samples.samples import class_names_of
from cnnvis_report.data.split_names import in_split
from cnnvis_report.errors import BadRequest, UnknownName, brief, shown, told

PREFIX = "torchvision:"
UNIONS = ("all", "10fold", "unlabeled", "train+unlabeled", "extra")  # with images of other parts, or without labels
# of no classes, or a folder that is read as it is
OTHERS = {"FakeData", "ImageFolder", "Cityscapes", "Kitti", "LFWPairs", "LSUN", "LSUNClass", "SBU", "WIDERFace"} | {
    *("VOCDetection", "VOCSegmentation", "Omniglot", "VisionDataset")
}
PET = 1  # in a trimap of Oxford-IIIT Pet; 2 is background, 3 the border


def is_torchvision(text: str) -> bool | str:
    """Whether a text names a data set of torchvision and its folder."""
    if not text.startswith(PREFIX):
        return False
    name, _, root = text.removeprefix(PREFIX).partition("@")
    if not name or not root:
        return f"give the data set and the folder that it lies in, such as {PREFIX}{name or 'CIFAR10'}@data"
    return True


@collection(
    title="a data set of torchvision",
    example="torchvision:CIFAR10@data",
    matches=is_torchvision,
    order=10,
    reads=("--split",),
    ways=(
        ImageWay("a data set of torchvision on the disk", "torchvision:CIFAR10@data --split test", "the data set's"),
        ImageWay("Oxford-IIIT Pet", "torchvision:OxfordIIITPet@data --split test", "the data set's, and its trimaps"),
    ),
)
def torchvision_dataset(text: str, selection: Selection) -> FoundImages:
    """The pictures of a data set that torchvision reads, with its labels and class names; nothing is fetched."""
    name, _, root = text.removeprefix(PREFIX).partition("@")
    kind = _kind(name, text)
    if not Path(root).is_dir():
        raise BadRequest(f"{text}: there is no folder {root}.")
    parts = _parts(kind, root)
    wanted = _wanted(parts, selection.split, text)
    datasets, missing = {}, {}
    for part in wanted:
        try:
            datasets[part] = _open(kind, root, parts[part])
        except _MissingError as error:
            missing[part] = error
    if not datasets:
        raise BadRequest(f"{text}: {next(iter(missing.values()))}")
    _check_samples(next(iter(datasets.values())), text)
    files = []
    for part, dataset in datasets.items():
        before = f"{part}/" if len(datasets) > 1 else ""
        masks = _trimaps(kind, root, parts[part], len(dataset)) if name == "OxfordIIITPet" else None
        files += dataset_files(dataset, f"{text}\n{part}", before, masks)
    notices = [f"{text}: the part {part} isn't taken, {error}" for part, error in missing.items()]
    if len(datasets) > 1:
        counts = ", ".join(f"{part} ({len(dataset):,})" for part, dataset in datasets.items())
        notices.append(f"{text} has the parts {counts}, and all are taken; --split takes one of them.")
    names = class_names_of(next(iter(datasets.values()))) or ()
    return FoundImages(tuple(files), notices=tuple(notices), classes=tuple(map(readable, names)))


class _MissingError(Exception):
    """The data set's files aren't there, or can't be read; the message says what to do."""


def _kind(name: str, text: str) -> type:
    from torchvision import datasets

    known = {kind_name: getattr(datasets, kind_name) for kind_name in datasets.__all__ if kind_name not in OTHERS}
    kinds: dict[str, type] = {
        kind_name: kind for kind_name, kind in known.items() if isinstance(kind, type) and _is_readable(kind)
    }
    if name not in kinds:
        raise UnknownName(f"data set of pictures and classes in torchvision ({text})", name, kinds)
    return kinds[name]


def _is_readable(kind: type) -> bool:
    """Whether a data set is made of a folder alone, and has labels."""
    parameters = inspect.signature(kind).parameters
    needed = [name for name, parameter in parameters.items() if parameter.default is parameter.empty]
    named = [name for name in needed if parameters[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    return named == ["root"] and ("target_transform" in parameters or "kwargs" in parameters)


def _parts(kind: type, root: str) -> dict[str, dict[str, Any]]:
    """The parts of a data set, and the arguments that open each."""
    parameters = inspect.signature(kind).parameters
    if "train" in parameters:
        return {"train": {"train": True}, "test": {"train": False}}
    name = next((name for name in ("split", "image_set") if name in parameters), None)
    if name is None:
        return {"": {}}
    try:
        kind(root, **{name: "?"}, **_without_download(kind))  # which it refuses, naming those that there are
    except ValueError as error:
        listed = re.search(r"Valid values are \{(.*)\}", str(error))
        names = re.findall(r"'([^']+)'", listed[1]) if listed else []
    except Exception:  # says so again when a part is opened
        names = []
    return {part: {name: part} for part in names or [str(parameters[name].default)]}


def _wanted(parts: Mapping[str, object], split: str, text: str) -> list[str]:
    if not split:
        several = [part for part in parts if part not in UNIONS]
        whole = [part for part in several if part != "trainval" or "train" not in several]
        return whole or list(parts)
    exact = [part for part in parts if part == split] or [part for part in parts if in_split(part, split)]
    if not exact:
        known = f"it has {', '.join(parts)}" if any(parts) else "it has no parts"
        raise BadRequest(f"--split {shown(split)}: there is no such part of {text}; {known}.")
    return exact


def _without_download(kind: type) -> dict[str, bool]:
    return {"download": False} if "download" in inspect.signature(kind).parameters else {}


def _open(kind: type, root: str, arguments: Mapping[str, Any]) -> Any:
    """A part of a data set."""
    name, extra = kind.__name__, _without_download(kind)
    if name == "ImageNet" and not (Path(root, "meta.bin").is_file() and Path(root, arguments["split"]).is_dir()):
        # it would unpack its archives
        raise _MissingError(f"{root} has no meta.bin, or no folder {arguments['split']}: give the folder itself.")
    try:
        return kind(root, **arguments, **extra)
    except ImportError as error:
        raise _MissingError(f"torchvision needs {error.name} to read it, which isn't installed here.") from error
    except Exception as error:  # each has its own
        options = "".join(f", {key}={value!r}" for key, value in arguments.items())
        how = (
            f"; nothing is fetched here. This fetches it: from torchvision.datasets import {name}; "
            f"{name}({root!r}{options}, download=True)"
            if extra
            else ""
        )
        reason = brief(error).replace("You can use download=True to download it", "").strip(" .")
        raise _MissingError(f"it isn't in {root}, as torchvision says ({reason}){how}.") from error


def _check_samples(dataset: Any, text: str) -> None:
    try:
        image = sample_of(dataset[0]).image if len(dataset) else None
    except Exception as error:
        raise BadRequest(f"{text}: its first picture can't be read ({told(error)}).") from error
    if not isinstance(image, Image.Image):
        what = "no images" if image is None else f"no pictures but a {type(image).__name__}"
        raise BadRequest(f"{text}: it gives {what}.")


@dataclass(frozen=True)
class _Trimap(Annotation):
    """Where the animal is, as the data set has drawn it."""

    dataset: Any = field(repr=False, compare=False)
    index: int

    @property
    def digest(self) -> str:
        """The same for one picture: the data set's files are those that it was opened with."""
        return f"trimap {self.index}"

    def draw(self, _labels: object) -> Image.Image:
        """The animal, whatever its breed."""
        try:
            trimap = np.asarray(self.dataset[self.index][1])
        except Exception as error:
            raise UnusablePicture(f"its trimap can't be read ({told(error)})") from error
        return Image.fromarray(np.where(trimap == PET, 255, 0).astype(np.uint8))


def _trimaps(kind: type, root: str, arguments: Mapping[str, Any], count: int) -> dict[int, Annotation]:
    dataset = _open(kind, root, {**arguments, "target_types": "segmentation"})
    return {index: _Trimap(dataset, index) for index in range(count)}
