"""What a run has, gathered in one pass over its images: keys, classes and layers."""

from dataclasses import dataclass, field

from cnnvis_report.comparison.align import ImageKey, image_key
from cnnvis_report.comparison.methods import MapLayers
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.store.run_folder import StoredRun


@dataclass
class Survey:
    """What a run has.

    keys: what its images are recognized by, in order. layers: that its maps were read at. classes: names of the classes
    that it mentions, by index. labels: of its images, by whether the network knows them.
    """

    keys: list[ImageKey] = field(default_factory=list)
    layers: MapLayers = field(default_factory=MapLayers)
    classes: dict[int, str] = field(default_factory=dict)
    labels: dict[str, bool] = field(default_factory=dict)

    def add(self, image: ImageRecord) -> None:
        """Count one image in."""
        self.keys.append(image_key(image))
        self.layers.add(image)
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
