"""The pages of single images, written by this process or by several."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from cnnvis_report.data.processes import usable_processors
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report import assets
from cnnvis_report.report.image_content import image_content
from cnnvis_report.report.pages import IMAGE_TEMPLATE
from cnnvis_report.report.renderer import Renderer
from cnnvis_report.report.site_files import write_pictures, write_text
from cnnvis_report.report.views.image import Neighbors, image_view
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.report import Report

MAPS_EACH = 300  # maps that take as long as a process takes to start


@dataclass(frozen=True)
class ImagePages:
    """Writes pages of images into the folder of a site; it can be pickled, so that other processes do."""

    report: Report
    folder: Path

    def __call__(self, entry: tuple[ImageRecord, Neighbors]) -> str:
        """Write the page of one image, with its thumbnails, pictures and data; its name."""
        image, folder = entry[0], self.folder
        content = image_content(self.report, None, entry)
        links = SiteLinks(page_name=f"inspection/{image.id}", up="../")
        write_pictures(folder / "stills" / image.id, content.thumbnails.items())
        write_pictures(folder / "stills" / links.page_name, content.pictures.items())
        write_text(folder / "data" / f"{image.id}.js", assets.delivery(image.id, content.data))
        for number, layer in enumerate(content.feature_maps):
            name = f"features-{image.id}-{number}"
            write_text(folder / "data" / f"{name}.js", assets.delivery(name, layer))
        self._write(links, image, content.neighbors, content.ends)
        return image.name

    def _write(self, links: SiteLinks, image: ImageRecord, neighbors: Neighbors, ends: Any) -> None:
        stream = Renderer(self.report).stream(
            "page.html",
            links,
            page="image",
            title=image.name,
            template=IMAGE_TEMPLATE,
            view=image_view(self.report, links, image, neighbors, ends),
            policy=assets.site_policy(),
        )
        path = self.folder / "images" / f"{image.id}.html"
        path.parent.mkdir(exist_ok=True)
        stream.dump(str(path), encoding="utf-8")


def page_processes(maps: int, wanted: int | None) -> int:
    """How many processes write the pages of so many maps: those that are wanted, as far as each has enough to do.

    Args:
        wanted: at most so many; None for one a processor.
    """
    return max(1, min(wanted or usable_processors(), ceil(maps / MAPS_EACH)))
