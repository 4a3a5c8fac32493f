"""The first page of a report while it is being made: how far it is, and its newest images."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cnnvis_report.errors import CnnVisError
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.report.pictures.thumbnails import data_uri, map_thumbnail, thumbnail
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.renderer import stream_template
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.verdict import Verdict, predicted_scores, verdict
from cnnvis_report.store.files.atomic import beside, remove
from cnnvis_report.store.files.names import PAGES, UNFINISHED
from cnnvis_report.store.journal import JournalTail
from cnnvis_report.store.own_files import list_pages, pages_of
from cnnvis_report.store.remains import is_abandoned
from cnnvis_report.store.run_folder import load_arrays

SHOWN = 24  # images
PAUSE = 5.0  # seconds between two pages, at least
SHARE = 0.01  # of the time, that the pages take at most
BEAT = 30.0  # seconds after which the page is written again though no image has come
PATIENCE, GAPS = 120.0, 5  # seconds, and times the longest silence, after which the page takes the run for stopped

# tells a page that is looked at long after it was written that nothing follows any more
SCRIPT = """const page = document.documentElement.dataset;
const stopped = Date.now() / 1000 - Number(page.written) > Number(page.patience);
for (const part of document.querySelectorAll("[data-while]")) {
  part.hidden = (part.dataset.while === "stopped") !== stopped;
}
"""


@dataclass(frozen=True)
class UnfinishedImage:
    """An image that is done, with its picture and a map as addresses; they are empty where they can't be drawn."""

    name: str
    caption: str
    verdict: Verdict
    picture: str
    map: str


class UnfinishedReport:
    """Writes that page, now and then, into the folder of a run that this process writes.

    Args:
        total: images that there will be.
        methods: of which the most prominent one's map is shown.
        clock: seconds that pass.
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        total: int,
        methods: Sequence[MethodInfo],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.written = False
        self._folder, self._title, self._total, self._clock = folder, title, total, clock
        ranked = sorted((method for method in methods if not method.baseline), key=lambda method: -method.prominence)
        self._method = next(iter(ranked), None)
        self._tail = JournalTail(folder, SHOWN)
        self._images: dict[str, UnfinishedImage] = {}
        self._due = self._silent = 0.0
        self._called, self._wrote = clock(), -BEAT

    def update(self) -> None:
        """Write the page where it is due; whoever works calls this as often as there is something to tell.

        Raises:
            OSError: it can't be written.
        """
        start = self._clock()
        self._silent, self._called = max(self._silent, start - self._called), start
        if start < self._due:
            return
        if self._tail.grown() or (self.written and start - self._wrote >= BEAT):
            self._write()
            self._wrote = self._clock()
            self._due = self._wrote + max(PAUSE, (self._wrote - start) / SHARE)

    def stop(self, reason: str) -> None:
        """Say on the page that the run has stopped, where there is a page and a folder still.

        Args:
            reason: such as "by Ctrl-C".
        """
        if not self.written or not (self._folder / UNFINISHED).is_file():
            return
        if is_abandoned(self._folder):  # it was deleted meanwhile, and a page without its run is no use
            remove(self._folder, [UNFINISHED, PAGES])
            return
        self._tail.grown()
        self._write(reason)

    def _write(self, stopped: str = "") -> None:
        images = [self._image(image) for image in self._tail.newest()]
        self._images = {image.id: done for image, done in zip(self._tail.newest(), images, strict=True)}
        now = datetime.now(UTC)
        list_pages(self._folder, {*pages_of(self._folder), UNFINISHED})
        with beside(self._folder / UNFINISHED, lasting=False, parents=False) as temporary:
            theme = assets.theme_script()
            stream = stream_template(
                "unfinished.html",
                {
                    "policy": assets.policy(theme, SCRIPT),
                    "favicon": assets.favicon(),
                    "report_title": self._title,
                    "description": "A report that isn't complete.",
                    "styles": assets.styles(),
                    "theme": theme,
                    "script": SCRIPT,
                    "done": self._tail.count,
                    "total": self._total,
                    "images": images,
                    "map": self._method.title if self._method else "",
                    "stopped": stopped,
                    "written": int(now.timestamp()),
                    "patience": int(max(PATIENCE, GAPS * self._silent)),
                    "time": f"{now:%Y-%m-%d %H:%M:%S} UTC",
                },
            )
            stream.dump(str(temporary), encoding="utf-8")
        self.written = True

    def _image(self, image: ImageRecord) -> UnfinishedImage:
        if image.id in self._images:
            return self._images[image.id]
        caption = ", ".join(map(fmt.named_score, predicted_scores(image)[:1])) or image.kind.nothing
        try:
            arrays = load_arrays(self._folder, image.id)
            picture, shown = data_uri(thumbnail(arrays["picture"])), ""
            record = next((entry for entry in image.maps if self._method and entry.method == self._method.name), None)
            if record is not None and self._method is not None:
                values = self._method.shown(arrays[record.key].astype("f4"))
                shown = data_uri(map_thumbnail(arrays["picture"], values, self._method))
        except (CnnVisError, OSError, KeyError):  # the whole of them is looked at when the run is complete
            picture = shown = ""
        return UnfinishedImage(image.name, caption, verdict(image), picture, shown)
