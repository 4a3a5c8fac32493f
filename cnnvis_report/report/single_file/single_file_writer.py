"""A report as one page: everything is in it, and packed until somebody looks at it; maps of some methods may be out."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from cnnvis_report.progress import Progress
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.report.payload import image_data, provenance_slots
from cnnvis_report.report.pictures.encode import Quality
from cnnvis_report.report.pictures.thumbnails import data_uri
from cnnvis_report.report.single_file.size_limit import IMAGES, MapError, OncePerImage, SizeNotices, fit, map_error
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.gallery_data import GALLERY, gallery_data
from cnnvis_report.report.site.image_content import image_contents
from cnnvis_report.report.site.pages import IMAGE_TEMPLATE, shown_pages
from cnnvis_report.report.site.renderer import frame, parts_of, write_single_page
from cnnvis_report.report.views.image.page import image_view
from cnnvis_report.report.views.links import SingleFileLinks
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.run_folder import Array, StoredRun

MAPS_UP_TO = 28  # positions along a side of a feature map: they are the heaviest part
PRESETS = ("quick", "standard")  # smallest set first; all others come after


@dataclass(frozen=True)
class RunWithFewerMaps(StoredRun):
    """A stored run that shows the maps of all methods but some; what was measured of these stays.

    left_out: names of the methods whose maps aren't shown.
    """

    left_out: frozenset[str] = frozenset()

    def images(self, ids: Collection[str] | None = None) -> Iterator[ImageRecord]:
        """The images in order, each with the maps that are shown."""
        for image in super().images(ids):
            yield replace(image, maps=tuple(record for record in image.maps if record.method not in self.left_out))

    def unchecked_arrays(self, image: ImageRecord) -> dict[str, Array]:
        """The arrays of the maps that are shown, and of the picture.

        Raises:
            Damaged: the file isn't as it was written. BadRequest: the run keeps no arrays.
        """
        return {key: array for key, array in super().unchecked_arrays(image).items() if self._is_shown(key)}

    def _is_shown(self, key: str) -> bool:
        method, _, rest = key.partition("/")
        return not (rest and method in self.left_out)


def most_useful_first(run: StoredRun) -> list[str]:
    """The methods of a run in the order in which a page that has room for some of them takes them.

    That is the order of the evidence, best first; without evidence, the smallest set that a method belongs to, and
    there the method that stands for the run first.
    """
    missing = {gap.method for gap in run.record.not_applicable if not gap.layer}
    names = [method.name for method in run.record.methods if method.name not in missing]
    evidence = run.evidence
    if evidence is None:
        ranks = {method.name: (_preset(method), -method.prominence) for method in run.record.methods}
        return sorted(names, key=ranks.__getitem__)
    judged = [row.method for row in evidence.methods]
    order = {name: judged.index(name) if name in judged else len(judged) for name in names}
    return sorted(names, key=order.__getitem__)


def _preset(method: MethodInfo) -> int:
    return PRESETS.index(method.preset) if method.preset in PRESETS else len(PRESETS)


def write_single(run: StoredRun, folder: Path, progress: Progress, most: int | None = None) -> Quality:
    """Write index.html into an empty folder, with maps kept as finely as the size allows.

    Args:
        most: bytes that it may have; 25 MB, where maps can be made so coarse, if it isn't said.

    Raises:
        BadRequest: the page can't be made so small.
    """
    return fit(_RunPage(run, folder / "index.html", OncePerImage(progress)), most)


def smallest_size() -> int:
    """Bytes that the single file of any report has at least: its scripts and styles."""
    parts = assets.theme_script(), assets.scripts(), assets.packed_plotly(), assets.styles()
    return sum(len(part.encode()) for part in parts)


@dataclass(frozen=True)
class _RunPage:
    """The single file of a run."""

    run: StoredRun
    path: Path
    progress: Progress

    def write(self, quality: Quality, notices: SizeNotices) -> tuple[int, Counter[str]]:
        """Write it; its size, and how many bytes of it the maps of each method take."""
        record = replace(self.run.record, notices=notices.around(self.run.record.notices))
        run = replace(self.run, record=record)
        if quality.left_out:
            run = RunWithFewerMaps(self.run.folder, record, frozenset(quality.left_out))
        report, weights = Report(run, quality), Counter[str]()
        size = write_single_page(
            self.path,
            frame(report),
            data={"provenance": provenance_slots(record), GALLERY: gallery_data(report)},
            parts=parts_of(shown_pages(report), report),
            images=_images(report, self.progress, weights),
            image_template=IMAGE_TEMPLATE,
        )
        return size, weights

    def sampled_bytes(self, quality: Quality) -> int:
        """What the maps of the first images take."""
        images = islice(self.run.images(), IMAGES)
        data = (image_data(self.run.record, image, self.run.maps(image), quality) for image in images)
        return sum(len(assets.script_json(content["maps"])) for content in data)

    def error(self, quality: Quality) -> MapError | None:
        """What a quality costs the maps of the first images."""
        return map_error(self.run, quality)

    @property
    def methods(self) -> dict[str, str]:
        """The titles of the methods, those first that the evidence puts first."""
        return {name: self.run.record.method(name).title for name in most_useful_first(self.run)}


def _images(report: Report, progress: Progress, weights: Counter[str]) -> Iterator[dict[str, Any]]:
    """What the template gets of each image: its part of the page, its thumbnails and its data.

    Args:
        weights: gets the bytes that the maps of each method take.
    """
    for content in image_contents(report, MAPS_UP_TO):
        links = SingleFileLinks({name: data_uri(picture) for name, picture in content.pictures.items()})
        yield {
            "id": content.image.id,
            "on_overview": report.summary.images == 1,
            "view": image_view(report, links, content.image, content.neighbors, content.ends),
            "links": links,
            "data": content.data,
            "thumbnails": {name: data_uri(picture) for name, picture in content.thumbnails.items()},
            "feature_maps": content.feature_maps,
        }
        for method, maps in content.data["maps"].items():
            weights[method] += len(assets.script_json(maps)) + len(content.thumbnails.get(method, b"")) * 4 // 3
        progress.done(content.image.name)
