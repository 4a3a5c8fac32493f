"""What runs have, read once: which images of theirs are the same, side by side, and which maps are compared."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.run_folder import StoredRun

Layers = Mapping[str, Sequence[str]]  # those that a run has maps at, by method


@dataclass(frozen=True)
class ImageKey:
    """What an image is recognized by in another run."""

    id: str
    name: str
    content: str


def image_key(image: ImageRecord) -> ImageKey:
    """What an image is recognized by; its mask may be another one."""
    return ImageKey(image.id, image.name, image.content.partition("+")[0])


def match_images(keys: Sequence[Sequence[ImageKey]]) -> list[tuple[str, ...]]:
    """The ids in each run of the images that all runs have, in the order of the first run.

    An image is the same where its file has the same content and the same name; then where it has the same content;
    last where it has the same name. Each image of a run is matched once.
    """
    columns = [{key.id: key.id for key in keys[0]}]
    columns += [_matches(keys[0], other) for other in keys[1:]]
    return [
        tuple(column[key.id] for column in columns) for key in keys[0] if all(key.id in column for column in columns)
    ]


def _matches(first: Sequence[ImageKey], other: Sequence[ImageKey]) -> dict[str, str]:
    """The id in the other run by the id in the first one."""
    matches: dict[str, str] = {}
    unmatched = list(other)
    for fields in (("content", "name"), ("content",), ("name",)):
        waiting: dict[tuple[str, ...], list[ImageKey]] = {}
        for key in unmatched:
            values = tuple(getattr(key, field) for field in fields)
            if all(values):
                waiting.setdefault(values, []).append(key)
        used = set()
        for key in first:
            candidates = waiting.get(tuple(getattr(key, field) for field in fields))
            if candidates and key.id not in matches:
                match = candidates.pop(0)
                matches[key.id] = match.id
                used.add(match.id)
        unmatched = [key for key in unmatched if key.id not in used]
    return matches


def side_by_side(runs: Sequence[StoredRun], ids: Sequence[tuple[str, ...]]) -> Iterator[tuple[ImageRecord, ...]]:
    """The records of matched images, one of each run, in the order of the first run.

    Where all runs have them in this order, one image of each run is held at a time.

    Args:
        ids: of each image in each run, as `match_images` or `ComparedImage.ids` has them.
    """
    readers = [_Reader(run, {image[index] for image in ids}) for index, run in enumerate(runs)]
    for image in ids:
        yield tuple(reader.read(id) for reader, id in zip(readers, image, strict=True))


class _Reader:
    """The images of a run by their ids, in any order; those that are passed on the way are held."""

    def __init__(self, run: StoredRun, wanted: set[str]) -> None:
        self._images, self._wanted = run.images(), wanted
        self._passed: dict[str, ImageRecord] = {}

    def read(self, id: str) -> ImageRecord:
        """The image with an id."""
        while id not in self._passed:
            image = next(self._images)
            if image.id in self._wanted:
                self._passed[image.id] = image
        return self._passed.pop(id)


@dataclass
class Survey:
    """What a run has.

    keys: what its images are recognized by, in order. layers: that its maps were read at, by method. classes: names of
    the classes that it mentions, by index. labels: of its images, by whether the network knows them.
    """

    keys: list[ImageKey] = field(default_factory=list)
    layers: dict[str, list[str]] = field(default_factory=dict)
    classes: dict[int, str] = field(default_factory=dict)
    labels: dict[str, bool] = field(default_factory=dict)

    def add(self, image: ImageRecord) -> None:
        """Count one image in."""
        self.keys.append(image_key(image))
        for record in image.maps:
            layers = self.layers.setdefault(record.method, [])
            if record.layer not in layers:
                layers.append(record.layer)
        for score in (*image.top, *image.targets):
            self.classes.setdefault(score.index, score.name)
        for label in image.named:
            self.labels[label.name] = self.labels.get(label.name, False) or label.index is not None


def survey(run: StoredRun) -> Survey:
    """Read a run's images once."""
    result = Survey()
    for image in run.images():
        result.add(image)
    return result


def compared_methods(runs: Sequence[StoredRun], layers: Sequence[Layers]) -> list[ComparedMethod]:
    """The methods whose maps all runs have, in the order of the first run.

    A method that each run has at one layer is compared, whatever the layers are called. Where a run has it at several,
    the layers that all runs have are compared; without any, the default layers.
    """
    methods = []
    for name in layers[0]:
        if all(name in of_run for of_run in layers):
            info = runs[0].record.method(name)
            choices = list(_choices(runs, [of_run[name] for of_run in layers]))
            several = len(choices) > 1
            methods += [ComparedMethod(f"{name}@{choice[0]}" if several else name, info, choice) for choice in choices]
    return methods


def _choices(runs: Sequence[StoredRun], layers: Sequence[Sequence[str]]) -> Iterable[tuple[str, ...]]:
    """The layers that are compared with each other, one of each run."""
    if all(len(of_run) == 1 for of_run in layers):
        yield tuple(of_run[0] for of_run in layers)
        return
    shared = [layer for layer in layers[0] if all(layer in of_run for of_run in layers)]
    for layer in shared:
        yield (layer,) * len(layers)
    if not shared:
        choice = tuple(
            of_run[0] if len(of_run) == 1 else run.record.network.default_layer
            for run, of_run in zip(runs, layers, strict=True)
        )
        if all(layer in of_run for layer, of_run in zip(choice, layers, strict=True)):
            yield choice
