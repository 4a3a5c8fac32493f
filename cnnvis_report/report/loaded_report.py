"""A report read from its folder, for Python: its figures, its numbers, its maps."""

import webbrowser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cnnvis_report.errors import BadRequest, UnknownName
from cnnvis_report.records.images import ImageRecord, MapRecord
from cnnvis_report.report.figure.caption import caption
from cnnvis_report.report.figure.config import PREDICTION, FigureConfig
from cnnvis_report.report.figure.content import Figure, make_figure
from cnnvis_report.report.figure.save import figure_png, save_figure
from cnnvis_report.report.notebook import as_html
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.overview.findings import findings
from cnnvis_report.report.views.report import Report
from cnnvis_report.settings import build
from cnnvis_report.store import run_folder
from cnnvis_report.store.run_folder import Array, StoredRun


@dataclass(frozen=True)
class Drawing:
    """Rows of images by columns of methods, to be saved; a notebook shows it."""

    stored: StoredRun
    config: FigureConfig

    def save(self, path: str | Path) -> str:
        """Write it as PNG, SVG or PDF, as the path's suffix says.

        Returns:
            The caption, in words.

        Raises:
            BadRequest: it can't be drawn so, or the file is somebody else's; nothing is written then.
        """
        return caption(save_figure(self.stored, Path(path), self.config))

    @cached_property
    def content(self) -> Figure:
        """What it shows."""
        return make_figure(self.stored, self.config)

    @property
    def caption(self) -> str:
        """What a reader has to know of it, in sentences."""
        return caption(self.content)

    def _repr_png_(self) -> bytes:
        return figure_png(self.content)


@dataclass(frozen=True)
class ReportImage:
    """One image of a report. record: its name, scores, labels and what was measured of it."""

    stored: StoredRun
    record: ImageRecord

    @cached_property
    def _arrays(self) -> dict[str, Array]:
        return self.stored.maps(self.record)

    @property
    def picture(self) -> Array:
        """H×W×3 (or H×W) bytes: the image as the network read it, un-normalized."""
        return self._arrays["picture"]

    @property
    def mask(self) -> Array | None:
        """[H, W]: where the object is; None where nobody has said."""
        return self._arrays.get("mask")

    @property
    def maps(self) -> dict[str, Array]:
        """The maps of the class that was explained first, the predicted one by default, by the names of their methods.

        Where a method was read at several layers, "grad_cam@layer4" tells them apart.
        """
        first = self.record.targets[0].index if self.record.targets else None
        return {self._name(entry): self._arrays[entry.key] for entry in self.record.maps if entry.target == first}

    def map(self, method: str, target: str | int | None = None) -> Array:
        """A map as it was computed: C×H×W, H×W or h×w, in logit units.

        Args:
            method: as `maps` has it. target: a class that was explained, by its name or index; the first where None.

        Raises:
            UnknownName: there is no such map.
        """
        scores = self.record.targets
        indices = [score.index for score in scores if target is None or target in (score.name, score.index)]
        if not indices:
            raise UnknownName("explained class", str(target), [score.name for score in scores])
        maps = {self._name(entry): entry.key for entry in self.record.maps if entry.target == indices[0]}
        if method not in maps:
            raise UnknownName(f"map of {self.record.name}", method, maps)
        return self._arrays[maps[method]]

    def _name(self, entry: MapRecord) -> str:
        several = len({other.layer for other in self.record.maps if other.method == entry.method}) > 1
        return f"{entry.method}@{entry.layer}" if several else entry.method


class LoadedReport(StoredRun):
    """A report in its folder: `len(report)` images, `report["dog.jpg"]` or `report[0]` one of them."""

    def __len__(self) -> int:
        return self.record.images

    def __iter__(self) -> Iterator[ReportImage]:
        return (ReportImage(self, image) for image in self.images())

    def __getitem__(self, image: str | int) -> ReportImage:
        """One image, by its name as the report shows it, by its id, or by its number from 0.

        Raises:
            UnknownName, IndexError: there is none.
        """
        if isinstance(image, int):
            number = image + len(self) if image < 0 else image
            for position, record in enumerate(self.images()):
                if position == number:
                    return ReportImage(self, record)
            raise IndexError(f"image {image} of {len(self)}")
        named = [record for record in self.images() if image in (record.name, record.id)]
        if not named:
            raise UnknownName("image", image, [record.name for record in self.images()])
        if len(named) > 1:
            ids = ", ".join(record.id for record in named)
            raise BadRequest(f"{len(named)} images are called {image!r}; give the id of one: {ids}.")
        return ReportImage(self, named[0])

    @property
    def page(self) -> Path:
        """The first page."""
        return self.folder / "index.html"

    def open(self) -> None:
        """Show the report in the browser."""
        webbrowser.open(self.page.resolve().as_uri())

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """Method to measure to its mean over the images; empty where nothing was measured.

        `evidence` has the intervals, the differences to random maps, and the verdicts.
        """
        entries = [entry for entry in (self.evidence.methods if self.evidence else ()) if entry.measures]
        methods = [entry.method for entry in entries]
        return {
            f"{entry.method}@{entry.layer}" if methods.count(entry.method) > 1 else entry.method: {
                name: measure.value.mean for name, measure in entry.measures.items()
            }
            for entry in entries
        }

    @property
    def findings(self) -> tuple[str, ...]:
        """What the report opens with: how well the network classifies, where it looks, which methods to trust."""
        report = Report(self, QUALITIES[0])
        return tuple(f"{finding.topic}: {finding.text}" for finding in findings(report, SiteLinks()))

    def figure(
        self,
        *,
        images: str | Sequence[str] = (),
        methods: str | Sequence[str] = (),
        rows: int | None = None,
        target: str = PREDICTION,
        palette: str | Sequence[str] = (),
        width_mm: float = 178.0,
        font_size: float = 8.0,
    ) -> Drawing:
        """Draw rows of images by columns of methods: `report.figure(rows=6).save("figure.pdf")`.

        Args:
            images: names as the report shows them; those that say most of the network without any.
            methods: names such as "grad_cam", or "grad_cam@layer4"; the best of each family without any.
            rows: how many images are chosen, where none is named.
            target: whose maps are shown: "prediction" or "label".
            palette: of the maps, such as "viridis", of the signed ones, such as "PuOr", or both.
            width_mm: of the whole figure.
            font_size: of its letters, in points.

        Raises:
            BadRequest, UnknownName: a setting isn't of its kind.
        """
        values = {"images": images, "methods": methods, "rows": rows, "target": target, "palette": palette}
        return Drawing(self, build(FigureConfig, values | {"width_mm": width_mm, "font_size": font_size}))

    def _repr_html_(self) -> str:
        return as_html(Report(self, QUALITIES[0]), self.findings, self.page)


def load_report(folder: str | Path) -> LoadedReport:
    """Read the report of a folder; nothing in it is executed, and torch isn't needed.

    Raises:
        BadRequest: the folder holds no complete run, one of another version, or one that got damaged.
    """
    stored = run_folder.load_run(Path(folder))
    return LoadedReport(stored.folder, stored.record)
