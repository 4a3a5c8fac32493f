"""A report as one page: everything is in it, and packed until somebody looks at it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnvis_report.progress import Progress
from cnnvis_report.report import assets
from cnnvis_report.report.gallery_data import GALLERY, gallery_data
from cnnvis_report.report.image_content import image_contents
from cnnvis_report.report.pages import IMAGE_TEMPLATE, shown_pages
from cnnvis_report.report.payload import provenance_slots
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.pictures.thumbnails import data_uri
from cnnvis_report.report.renderer import Renderer
from cnnvis_report.report.views.image import image_view
from cnnvis_report.report.views.links import SingleFileLinks
from cnnvis_report.report.views.report import Report
from cnnvis_report.store.run_folder import StoredRun

MAPS_UP_TO = 28  # positions along a side of a feature map: they are the heaviest part
LIMIT = 25_000_000  # bytes: what may be attached to a pull request


def write_single(run: StoredRun, folder: Path, progress: Progress) -> Quality:
    """Write index.html into an empty folder, with maps kept as finely as the limit allows."""
    path = folder / "index.html"
    for quality in QUALITIES:
        _write(Report(run, quality), path, progress)
        if path.stat().st_size <= LIMIT:
            break
    return quality


def _write(report: Report, path: Path, progress: Progress) -> None:
    theme, script, plotly = assets.theme_script(), assets.scripts(), assets.plotly()
    stream = Renderer(report).stream(
        "single_file.html",
        SingleFileLinks(),
        policy=assets.policy(theme, script, plotly),
        styles=assets.styles(),
        theme=theme,
        script=script,
        plotly=assets.packed_plotly(),
        data={"provenance": provenance_slots(report.run), GALLERY: gallery_data(report)},
        parts=_pages(report),
        images=_images(report, progress),
        image_template=IMAGE_TEMPLATE,
    )
    stream.dump(str(path), encoding="utf-8")


def _pages(report: Report) -> Iterator[dict[str, Any]]:
    """What the template gets of each page of the table."""
    for page in shown_pages(report):
        links = SingleFileLinks({name: data_uri(content) for name, content in page.pictures(report)})
        yield {
            "name": page.name,
            "title": page.title,
            "template": page.template,
            "view": page.view(report, links),
            "links": links,
        }


def _images(report: Report, progress: Progress) -> Iterator[dict[str, Any]]:
    """What the template gets of each image: its part of the page, its thumbnails and its data."""
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
        progress.done(content.image.name)
