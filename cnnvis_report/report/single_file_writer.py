"""A report as one page: everything is in it, and packed until somebody looks at it."""

import gzip
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from cnnvis_report.data.prefetch import ahead, processors
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report import assets
from cnnvis_report.report.links import SingleLinks
from cnnvis_report.report.payload import image_data, provenance_slots
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.pictures.layers import Pictures, image_pictures, network_pictures, stage_data
from cnnvis_report.report.pictures.thumbnails import data_uri, still, thumbnail
from cnnvis_report.report.progress import Advance
from cnnvis_report.report.renderer import Drawn, Renderer
from cnnvis_report.report.site_writer import first_maps
from cnnvis_report.report.views import images
from cnnvis_report.report.views.predictions import film_pictures
from cnnvis_report.store.run_folder import StoredRun

MAPS_UP_TO = 28  # positions along a side of a feature map: they are the heaviest part
LIMIT = 25_000_000  # bytes: what may be attached to a pull request


def write_single(run: StoredRun, folder: Path, advance: Advance) -> Quality:
    """Write index.html into an empty folder, with maps kept as finely as the limit allows."""
    path = folder / "index.html"
    for quality in QUALITIES:
        _write(run, path, quality, advance)
        if path.stat().st_size <= LIMIT:
            break
    return quality


def _write(run: StoredRun, path: Path, quality: Quality, advance: Advance) -> None:
    renderer = Renderer(run, quality)
    theme, script, plotly = assets.theme_script(), assets.scripts(), assets.plotly()
    links = SingleLinks()
    context: dict[str, Any] = {
        "page": "single",
        "policy": assets.policy(theme, script, plotly),
        "styles": assets.styles(),
        "theme": theme,
        "script": script,
        "plotly": packed(plotly),
        "provenance_slots": provenance_slots(run.record),
        "overview": renderer.overview(links),
        "inside": renderer.inside(_drawn(network_pictures(run))),
        "answered": renderer.answers(_drawn(film_pictures(run))),
        "methods": renderer.methods(),
        "about": renderer.about(),
        "pages": _images(renderer, advance),
    }
    renderer.stream("single.html", links, **context).dump(str(path), encoding="utf-8")


def packed(text: str) -> str:
    """Text as base64 of gzip, the same bytes every time."""
    return b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _images(renderer: Renderer, advance: Advance) -> Iterator[dict[str, Any]]:
    """What the template gets of each image: its part of the page, its stills and its data."""
    workers = processors(4)
    made = ahead(partial(_image, renderer), images.with_neighbors(renderer.run), workers=workers, waiting=workers)
    for name, context in made:
        yield context
        advance(name)


def _image(renderer: Renderer, each: tuple[ImageRecord, images.Neighbors]) -> tuple[str, dict[str, Any]]:
    image, neighbors = each
    run = renderer.run
    arrays = run.maps(image)
    more: dict[str, Any] = {
        "stills": _stills(run, image, arrays),
        "data": image_data(run.record, image, arrays, renderer.quality),
    }
    inside = run.record.inspection.of(image.id) if run.record.inspection else None
    pictures = _drawn(image_pictures(run, inside)) if inside else str
    more["maps"] = list(stage_data(run, inside, MAPS_UP_TO)) if inside else []
    return image.name, renderer.image(image, neighbors) | renderer.image_inside(image, pictures) | more


def _drawn(pictures: Pictures) -> Drawn:
    """Pictures as addresses that need no file."""
    return {name: data_uri(content) for name, content in pictures}.__getitem__


def _stills(run: StoredRun, image: ImageRecord, arrays: dict[str, Any]) -> dict[str, str]:
    found = {"picture": data_uri(thumbnail(arrays["picture"]))}
    for name, (card, values) in first_maps(run, image, arrays).items():
        found[name] = data_uri(still(arrays["picture"], values, card))
    return found
