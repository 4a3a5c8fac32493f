"""What a run has, gathered in one pass over its images: keys, classes and layers; and which maps are compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cnnvis_report.comparison.align import ImageKey, image_key
from cnnvis_report.records.comparison import ComparedMethod
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.run_folder import StoredRun

Layers = Mapping[str, Sequence[str]]  # those that a run has maps at, by method


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
