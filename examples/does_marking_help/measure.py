"""What the study measures: how often a network is right, and where its maps' positive relevance lies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from cnnvis_report.data.image_set import find_images, labeled
from cnnvis_report.evaluation.resize import at_size
from cnnvis_report.models.load import load_model
from cnnvis_report.records.methods import Array
from cnnvis_report.store.run_folder import StoredRun, load_run
from cnnvis_report.training.epochs import score
from cnnvis_report.training.tensors import read_pictures

Mask = npt.NDArray[np.bool_]
REGIONS = ("patch", "outline", "line", "decoys", "mark")
DARK = 128  # the line is black on white
LEARNED = 0.95  # of the validation images right


@dataclass(frozen=True)
class Score:
    """The share of a set's images that a network answers right."""

    scenes: str
    accuracy: float
    images: int


@dataclass(frozen=True)
class Network:
    """What a network can do, on several sets, and the first epoch that had LEARNED; None where none had."""

    name: str
    scores: tuple[Score, ...]
    learned: int | None


@dataclass(frozen=True)
class Shares:
    """Where a method's positive relevance lies: the mean share on each region, over so many maps that have any."""

    method: str
    title: str
    maps: int
    on: dict[str, float]


@dataclass(frozen=True)
class Look:
    """What a network looks at in a set of scenes.

    area: the mean share of the picture that each region covers, which is what chance would give. Only regions that
    are there are in `area` and `on`, and their means are over the images in which they are.
    """

    network: str
    scenes: str
    images: int
    area: dict[str, float]
    shares: tuple[Shares, ...]


def scored(model_file: Path, folder: Path) -> Score:
    """How many of a set's images a network answers right; the set's class folders are the labels."""
    model = load_model(str(model_file))
    items = labeled(find_images([folder]), model.classes or ()).items
    gray = model.preprocessing.channels == 1
    pictures, _ = read_pictures(items, model.preprocessing, gray=gray, advance=lambda _: None)
    found = score(model.network, pictures, torch.device("cpu"), 64)
    return Score(folder.name, found.accuracy, found.images)


def learned_in(model_file: Path) -> int | None:
    """The first epoch after which the network had answered LEARNED of the validation images right."""
    training = load_model(str(model_file)).training
    history = training.record.history if training else ()
    return next((epoch.number for epoch in history if epoch.validation_accuracy >= LEARNED), None)


def shares(values: Array, regions: Mapping[str, Mask]) -> dict[str, float]:
    """The share of a map's positive relevance that lies on each region, 0..1; empty where it has no positive value.

    A map of a layer's size is grown to the regions' size first, bilinearly, as the report shows it.

    Args:
        values: [h, w], one value a position. regions: [H, W] each.
    """
    size = next(iter(regions.values())).shape
    positive = np.maximum(at_size(torch.from_numpy(values), size).double().numpy(), 0)
    total = positive.sum()
    return {name: float(positive[mask].sum() / total) for name, mask in regions.items()} if total > 0 else {}


def regions_of(sets: Path, scenes: str, name: str, size: tuple[int, int]) -> dict[str, Mask]:
    """What is where in a scene, at the size (height, width) that the network saw; what isn't there is left out.

    The patch with its outline; the outline alone, drawn or not; the thick line; the decoys, but for what a mark hides
    of them; the mark of the misleading scenes.

    Args:
        sets: the folder of the drawn sets. scenes: one of them. name: the picture's, as CLASS/NUMBER.png.
    """
    outlined, plain, lines = (_read(sets / each / "images" / name, size) for each in ("marked", "gray", "shift"))
    folders = {"patch": "masks", "decoys": "decoys", "mark": "marks"}
    paths = {region: sets / scenes / folder / name for region, folder in folders.items()}
    found = {region: _read(path, size) > 0 for region, path in paths.items() if path.is_file()}
    found["outline"] = found["patch"] & (outlined != plain)  # the one thing in which the two pictures differ
    found["line"] = (lines < DARK) & ~found["patch"]  # all else in such a picture is the outline
    if "decoys" in found and "mark" in found:
        found["decoys"] &= ~found["mark"]
    return {region: found[region] for region in REGIONS if region in found and found[region].any()}


def report_of(network: str, scenes: str) -> Path:
    """The folder of a report within that of the study."""
    return Path("reports") / (network if network == scenes else f"{network}-on-{scenes}")


def look(report: Path, sets: Path, network: str, scenes: str) -> Look:
    """Where the maps of a report lie, on average over its images."""
    stored = load_run(report)
    areas: list[dict[str, float]] = []
    found: dict[str, list[dict[str, float]]] = {}
    for regions, maps in _images(stored, sets, scenes):
        areas.append({name: float(mask.mean()) for name, mask in regions.items()})
        for method, values in maps.items():
            found.setdefault(method, []).append(shares(values, regions))
    methods = [
        Shares(card.name, card.title, sum(map(bool, found[card.name])), _means(found[card.name]))
        for card in stored.record.methods
        if card.name in found
    ]
    return Look(network, scenes, len(areas), _means(areas), tuple(methods))


def _images(stored: StoredRun, sets: Path, scenes: str) -> Iterator[tuple[dict[str, Mask], dict[str, Array]]]:
    """Each image's regions, and its maps as they are shown, by their methods."""
    for image in stored.images():
        arrays = stored.maps(image)
        maps = {each.method: stored.record.method(each.method).shown(arrays[each.key]) for each in image.maps}
        yield regions_of(sets, scenes, image.name, image.size), maps


def _means(each: list[dict[str, float]]) -> dict[str, float]:
    """By region, over those in which it is."""
    means = {}
    for region in REGIONS:
        values = [one[region] for one in each if region in one]
        if values:
            means[region] = float(np.mean(values))
    return means


def _read(path: Path, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """A gray picture or a mask at another size, no value mixed with its neighbors."""
    with Image.open(path) as opened:
        picture = opened.convert("L").resize((size[1], size[0]), Image.Resampling.NEAREST)
    return np.asarray(picture, dtype=np.uint8)
