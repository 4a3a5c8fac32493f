"""The overview of a run of any number of images, made from the records of the small stored run."""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cnnvis_report.records.images import ClassScore, ImageRecord, Label
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.pictures.thumbnails import webp
from cnnvis_report.report.site.pages import PAGES
from cnnvis_report.report.site.renderer import frame, write_table
from cnnvis_report.report.site.site_writer import write_assets
from cnnvis_report.report.views.report import Report
from cnnvis_report.store import load_run
from cnnvis_report.store.run_folder import Array, StoredRun
from tests.fixtures.make_run import FOLDER

CLASSES = ("circle", "cross", "ring", "square", "triangle")


@dataclass(frozen=True)
class ManyImages(StoredRun):
    """A run of `count` images, whose labels, predictions and probabilities are drawn by a seed."""

    count: int = 0

    def images(self, ids: Collection[str] | None = None) -> Iterator[ImageRecord]:
        return (image for image in self._drawn() if ids is None or image.id in ids)

    def _drawn(self) -> Iterator[ImageRecord]:
        example = next(super().images())
        draws = np.random.default_rng(0)
        for number in range(self.count):
            label, predicted = int(draws.integers(5)), int(draws.integers(5))
            predicted = label if draws.random() < 0.8 else predicted
            score = ClassScore(predicted, CLASSES[predicted], 1.0, round(float(draws.uniform(0.2, 1)), 6))
            name = CLASSES[label]
            yield replace(
                example,
                id=f"{number + 1:05d}-{name}",
                name=f"{name}/{number + 1:05d}.png",
                label=Label(name, label),
                top=(score,),
                targets=(replace(example.targets[0]),),
            )

    def unchecked_arrays(self, image: ImageRecord) -> dict[str, Array]:
        """Those of the first image of the stored run, whose maps all images have."""
        return super().unchecked_arrays(next(super().images()))


def many(count: int) -> ManyImages:
    """The small stored run with so many images."""
    stored = load_run(FOLDER)
    settings = {**stored.record.settings, "images": ["many"]}
    record = replace(stored.record, images=count, settings=settings, inspection=None)
    return ManyImages(stored.folder, record, count)


def write_overview(folder: Path, count: int) -> ManyImages:
    """Write the overview of so many images, its data, and pictures of all of them, but no page of an image."""
    run = many(count)
    report = Report(run, QUALITIES[0])
    write_assets(folder, report)
    write_table(folder, PAGES[:1], report, frame(report))
    picture = folder / "still.webp"
    picture.write_bytes(webp(np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)))
    for image in run.images():
        (folder / "stills" / image.id).mkdir(parents=True)
        for name in ("picture", *(method.name for method in run.record.methods)):
            os.link(picture, folder / "stills" / image.id / f"{name}.jpg")
    return run
