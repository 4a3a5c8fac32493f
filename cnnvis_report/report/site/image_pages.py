"""The pages of single images, written by this process or by several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from cnnvis_report.data.processes import usable_processors
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.site import assets
from cnnvis_report.report.site.assets import write_pictures, write_text
from cnnvis_report.report.site.image_content import ImageContent, image_content
from cnnvis_report.report.site.pages import IMAGE_TEMPLATE
from cnnvis_report.report.site.rendered import PageKeys, RenderedImage, inputs_of, signature
from cnnvis_report.report.site.renderer import frame, write_page
from cnnvis_report.report.views.image.page import Neighbors, image_view
from cnnvis_report.report.views.image.tiles import ScaleEnds
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.files.atomic import within

MAPS_EACH = 300  # maps that take as long as a process takes to start


@dataclass(frozen=True)
class ImageEntry:
    """An image that gets a page. before: what is known of the page that is there; None where nothing is."""

    image: ImageRecord
    neighbors: Neighbors
    before: RenderedImage | None = None


@dataclass(frozen=True)
class ImagePage:
    """The page of an image.

    inputs: the files of arrays that it was made from. rendered: what is known of it; its signature comes when it is in
    its place. unchanged: files of an earlier page that stay.
    """

    id: str
    name: str
    inputs: tuple[str, ...]
    rendered: RenderedImage
    unchanged: tuple[str, ...] = ()

    def placed(self, folder: Path) -> RenderedImage:
        """What is known of it when its files are in their places in the run's folder."""
        return replace(self.rendered, signature=signature(folder, [*self.rendered.files, *self.inputs]))


@dataclass(frozen=True)
class ImagePages:
    """Writes pages of images into the folder of a site; it can be pickled, so that other processes do."""

    report: Report
    folder: Path
    keys: PageKeys

    def __call__(self, entry: ImageEntry) -> ImagePage:
        """Write the page of one image, with its thumbnails, pictures and data, as far as it has changed."""
        image, before = entry.image, entry.before
        inputs = inputs_of(self.report, image)
        content, page = self.keys.of(self.report, image, entry.neighbors)
        if before is None or before.content != content or not self._is_there([*before.files, *inputs], before):
            drawn = image_content(self.report, None, (image, entry.neighbors))
            html = self._write_page(entry, drawn.ends)
            files = (html, *self._write_content(drawn))
            return ImagePage(image.id, image.name, inputs, RenderedImage(content, page, files, "", dict(drawn.ends)))
        if before.page == page:
            return ImagePage(image.id, image.name, inputs, before, before.files)
        html = self._write_page(entry, before.ends)
        unchanged = tuple(name for name in before.files if name != html)
        return ImagePage(image.id, image.name, inputs, replace(before, page=page), unchanged)

    def _is_there(self, names: Sequence[str], before: RenderedImage) -> bool:
        return signature(self.report.stored.folder, names) == before.signature != ""

    def _write_content(self, content: ImageContent) -> list[str]:
        """Write all but the text; the names of the files."""
        id, folder = content.image.id, self.folder
        data = {id: content.data}
        data |= {f"features-{id}-{number}": layer for number, layer in enumerate(content.feature_maps)}
        for name, values in data.items():
            write_text(folder, f"data/{name}.js", assets.delivery(name, values))
        return [
            *(f"data/{name}.js" for name in data),
            *write_pictures(folder, f"stills/{id}", content.thumbnails.items()),
            *write_pictures(folder, f"stills/inspection/{id}", content.pictures.items()),
        ]

    def _write_page(self, entry: ImageEntry, ends: ScaleEnds) -> str:
        """Write the text; the name of the file."""
        image = entry.image
        links = SiteLinks(page_name=f"inspection/{image.id}", up="../")
        view = image_view(self.report, links, image, entry.neighbors, ends)
        name = f"images/{image.id}.html"
        named = {"page": "image", "title": image.name, "template": IMAGE_TEMPLATE}
        write_page(within(self.folder, name), frame(self.report), links, view=view, **named)
        return name


def page_processes(maps: int, wanted: int | None) -> int:
    """How many processes write the pages of so many maps: those that are wanted, as far as each has enough to do.

    Args:
        wanted: at most so many; None for one a processor.
    """
    return max(1, min(wanted or usable_processors(), ceil(maps / MAPS_EACH)))
