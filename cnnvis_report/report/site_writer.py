"""A report as a folder of pages, with what they share beside them."""

from functools import partial
from pathlib import Path
from typing import Any

from cnnvis_report.data.prefetch import ahead, processors
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.report import assets
from cnnvis_report.report.links import SiteLinks
from cnnvis_report.report.payload import Arrays, image_data, provenance_slots
from cnnvis_report.report.pictures.encode import QUALITIES, Quality
from cnnvis_report.report.pictures.layers import Pictures, image_pictures, network_pictures, stage_data
from cnnvis_report.report.pictures.thumbnails import still, thumbnail
from cnnvis_report.report.progress import Advance
from cnnvis_report.report.renderer import Renderer
from cnnvis_report.report.time_estimate import WORKERS
from cnnvis_report.report.views import images
from cnnvis_report.report.views.predictions import film_pictures
from cnnvis_report.store.names import NETWORK, SNAPSHOTS
from cnnvis_report.store.run_folder import StoredRun


def write_pages(run: StoredRun, folder: Path, advance: Advance) -> Quality:
    """Write a site into an empty folder."""
    quality = QUALITIES[0]
    renderer = Renderer(run, quality)
    policy = assets.policy()
    _assets(folder, renderer)
    top = SiteLinks()
    pages: dict[str, dict[str, Any]] = {
        "index": renderer.overview(top),
        "methods": renderer.methods(),
        "run": renderer.about(),
    }
    if run.record.inspection is not None:
        pages["inside"] = renderer.inside(partial(top.drawn, NETWORK))
        _write_pictures(folder / "stills" / "inspection" / NETWORK, network_pictures(run))
    found = renderer.answers(partial(top.drawn, SNAPSHOTS))
    if found:
        pages["answers"] = found
    if run.record.snapshots:
        _write_pictures(folder / "stills" / "inspection" / SNAPSHOTS, film_pictures(run))
    for name, context in pages.items():
        stream = renderer.stream(f"{name}.html", top, page=name, policy=policy, **context)
        stream.dump(str(folder / f"{name}.html"), encoding="utf-8")
    for place in ("images", "data", "stills"):
        (folder / place).mkdir(exist_ok=True)
    write = partial(_write_image, renderer, folder)
    workers = processors(WORKERS)
    for name in ahead(write, images.with_neighbors(run), workers=workers, waiting=workers):
        advance(name)
    return quality


def _write_image(renderer: Renderer, folder: Path, each: tuple[ImageRecord, images.Neighbors]) -> str:
    """One image's stills, data and page; gives its name."""
    image, neighbors = each
    run = renderer.run
    arrays = run.maps(image)
    _stills(folder / "stills" / image.id, run, image, arrays)
    package = assets.delivery(image.id, image_data(run.record, image, arrays, renderer.quality))
    (folder / "data" / f"{image.id}.js").write_text(package, encoding="utf-8", newline="\n")
    _write_inside(renderer, folder, image.id)
    links = SiteLinks("../")
    context = renderer.image(image, neighbors) | renderer.image_inside(image, partial(links.drawn, image.id))
    stream = renderer.stream("image.html", links, page="image", policy=assets.policy(), **context)
    stream.dump(str(folder / "images" / f"{image.id}.html"), encoding="utf-8")
    return image.name


def _write_inside(renderer: Renderer, folder: Path, image: str) -> None:
    """Pictures and feature maps of an image that was looked at from within."""
    inside = renderer.run.record.inspection
    within = inside.of(image) if inside else None
    if within is None:
        return
    _write_pictures(folder / "stills" / "inspection" / image, image_pictures(renderer.run, within))
    for number, content in enumerate(stage_data(renderer.run, within, None)):
        name = f"inside-{image}-{number}"
        (folder / "data" / f"{name}.js").write_text(assets.delivery(name, content), encoding="utf-8", newline="\n")


def _write_pictures(folder: Path, pictures: Pictures) -> None:
    folder.mkdir(parents=True)
    for name, content in pictures:
        (folder / f"{name}.webp").write_bytes(content)


def first_maps(run: StoredRun, image: ImageRecord, arrays: Arrays) -> dict[str, tuple[MethodInfo, Any]]:
    """By method: its card, and the map that is shown first, of the first class at the first layer."""
    found: dict[str, tuple[MethodInfo, Any]] = {}
    for each in image.maps:
        if each.target == image.targets[0].index and each.method not in found:
            card = run.record.method(each.method)
            found[each.method] = (card, card.shown(arrays[each.key]))
    return found


def _stills(folder: Path, run: StoredRun, image: ImageRecord, arrays: Arrays) -> None:
    folder.mkdir(parents=True)
    (folder / "picture.webp").write_bytes(thumbnail(arrays["picture"]))
    for name, (card, values) in first_maps(run, image, arrays).items():
        (folder / f"{name}.webp").write_bytes(still(arrays["picture"], values, card))


def _assets(folder: Path, renderer: Renderer) -> None:
    texts = {
        "assets/report.css": assets.styles(),
        "assets/theme.js": assets.theme_script(),
        "assets/report.js": assets.scripts(),
        "assets/plotly.js": assets.plotly(),
        "data/provenance.js": assets.delivery("provenance", provenance_slots(renderer.run.record)),
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
