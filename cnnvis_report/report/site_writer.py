"""A report as a folder of pages, with what they share beside them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cnnvis_report.progress import Progress
from cnnvis_report.report import assets
from cnnvis_report.report.figure.save import figure_png
from cnnvis_report.report.gallery_data import GALLERY, gallery_data
from cnnvis_report.report.image_content import ImageContent, image_contents
from cnnvis_report.report.pages import IMAGE_TEMPLATE, Page, shown_pages
from cnnvis_report.report.payload import provenance_slots
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.renderer import Renderer
from cnnvis_report.report.views.image import image_view
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.names import FIGURE
from cnnvis_report.store.run_folder import StoredRun


def write_pages(run: StoredRun, folder: Path, progress: Progress) -> Quality:
    """Write a site into an empty folder."""
    quality = QUALITIES[0]
    report = Report(run, quality)
    renderer = Renderer(report)
    write_assets(folder, report)
    if report.figure is not None:
        (folder / FIGURE).write_bytes(figure_png(report.figure))
    for page in shown_pages(report):
        write_page(report, renderer, folder, page)
    for content in image_contents(report):
        _write_image(report, renderer, folder, content)
        progress.done(content.image.name)
    return quality


def write_page(report: Report, renderer: Renderer, folder: Path, page: Page) -> None:
    """A page of the table, with its own pictures."""
    links = SiteLinks(page_name=f"pages/{page.name}")
    write_pictures(folder / "stills" / links.page_name, page.pictures(report))
    view = page.view(report, links)
    stream = renderer.stream(
        "page.html",
        links,
        page=page.name,
        title=page.title,
        template=page.template,
        view=view,
        policy=assets.site_policy(),
    )
    stream.dump(str(folder / f"{page.name}.html"), encoding="utf-8")


def _write_image(report: Report, renderer: Renderer, folder: Path, content: ImageContent) -> None:
    """The page of one image, with its thumbnails, pictures and data."""
    image = content.image
    links = SiteLinks(page_name=f"inspection/{image.id}", up="../")
    write_pictures(folder / "stills" / image.id, content.thumbnails.items())
    write_pictures(folder / "stills" / links.page_name, content.pictures.items())
    write_text(folder / "data" / f"{image.id}.js", assets.delivery(image.id, content.data))
    for number, layer in enumerate(content.feature_maps):
        name = f"features-{image.id}-{number}"
        write_text(folder / "data" / f"{name}.js", assets.delivery(name, layer))
    stream = renderer.stream(
        "page.html",
        links,
        page="image",
        title=image.name,
        template=IMAGE_TEMPLATE,
        view=image_view(report, links, image, content.neighbors, content.ends),
        policy=assets.site_policy(),
    )
    path = folder / "images" / f"{image.id}.html"
    path.parent.mkdir(exist_ok=True)
    stream.dump(str(path), encoding="utf-8")


def write_assets(folder: Path, report: Report) -> None:
    """Style sheets, scripts, all images as data, and what is only known of time and machine."""
    write_shared(folder, {"provenance": provenance_slots(report.run), GALLERY: gallery_data(report)})


def write_shared(folder: Path, data: Mapping[str, Any]) -> None:
    """Style sheets and scripts, and data that all pages share, by name."""
    texts = {
        "assets/report.css": assets.styles(),
        "assets/theme.js": assets.theme_script(),
        "assets/report.js": assets.scripts(),
        "assets/plotly.js": assets.delivery("plotly", assets.packed_plotly()),
        **{f"data/{name}.js": assets.delivery(name, content) for name, content in data.items()},
    }
    for name, text in texts.items():
        write_text(folder / name, text)


def write_text(path: Path, text: str) -> None:
    """Write a file of the site, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")


def write_pictures(folder: Path, pictures: Iterable[tuple[str, bytes]]) -> None:
    """Write pictures into a folder of their own, each by its name."""
    for name, content in pictures:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.webp").write_bytes(content)
