"""The page that sets the five side by side: one file, with its pictures within."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise
from math import ceil
from pathlib import Path

import numpy as np
from findings import findings
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from measure import REGIONS, Look, Mask, regions_of, report_of
from PIL import Image
from results import CONTROL, Results, accuracies, called, on_average, percent, tables
from scenes import marked_scenes

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.report.pictures.thumbnails import data_uri, still, thumbnail
from cnnvis_report.store.files.atomic import beside
from cnnvis_report.store.run_folder import StoredRun, load_run

HERE = Path(__file__).parent
SHOWN = ("grad_cam", "lrp_composite")  # one map of a layer, one of pixels
SEGMENTS = ("inside", "outline", "line", "decoys", "mark")  # of a bar; the patch is its inside and its outline
MARGIN = 0.025  # of the picture, between a region and the frame around it
Box = tuple[float, float, float, float]  # left, top, width, height as shares of the picture


@dataclass(frozen=True)
class Still:
    """A picture of the page. boxes: what is outlined on it, by the region."""

    title: str
    address: str
    boxes: dict[str, Box]


@dataclass(frozen=True)
class View:
    """One scene as a network sees it: the picture and its maps, and what the network answers."""

    stills: tuple[Still, ...]
    answer: str
    right: bool | None


@dataclass(frozen=True)
class Column:
    """A network on a set of scenes, and its report's first page."""

    title: str
    look: Look
    link: str
    views: tuple[View, ...]


@dataclass(frozen=True)
class Bar:
    """Shares on the regions: `segments` of the bar by their starts and widths in percent, `said` in words."""

    title: str
    on: dict[str, float]

    @property
    def segments(self) -> list[tuple[str, float, float]]:
        """Regions that are there, one after the other."""
        parts = self.on | ({"inside": self.on["patch"] - self.on.get("outline", 0)} if "patch" in self.on else {})
        there = [name for name in SEGMENTS if name in parts]
        ends = list(accumulate((parts[name] * 100 for name in there), initial=0))
        return [
            (name, round(start, 2), round(end - start, 2))
            for name, (start, end) in zip(there, pairwise(ends), strict=True)
        ]

    @property
    def said(self) -> str:
        """All shares."""
        said = [f"{name} {percent(self.on[name])}" for name in REGIONS if name in self.on]
        return ", ".join(said) or "no positive relevance"


def write_page(results: Results, out: Path) -> None:
    """Write OUT/index.html; the same results give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    charts = _charts(results)
    style = (HERE / "page.css").read_text(encoding="utf-8")
    content = environment.get_template("page.html").render(
        results=results,
        settings=results.settings,
        style=Markup(style),
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        findings=findings(results),
        columns=list(_columns(results, out)),
        conflict=_conflict(out),
        accuracies=accuracies(results),
        charts=charts,
        bars_end=_end(charts),
        chance=results.looks[0].area.get("patch", 0) * 100,
        tables=tables(results)[1:],
    )
    with beside(out / "index.html") as temporary:
        temporary.write_text(content, encoding="utf-8")


def _columns(results: Results, out: Path) -> Iterator[Column]:
    sets = out / "explained"
    chosen = _examples(sets)
    for look in results.looks:
        folder = report_of(look.network, look.scenes)
        run = load_run(out / folder)
        views = [_view(run, image, sets, look.scenes) for image in run.images() if image.name in chosen]
        yield Column(called(look), look, (folder / "index.html").as_posix(), tuple(views))


def _examples(sets: Path) -> list[str]:
    """The first scene of each class that bears a mark in the misleading variant."""
    first: dict[str, str] = {}
    for name, _ in marked_scenes(sets / "misleading"):
        first.setdefault(name.partition("/")[0], name)
    return list(first.values())


def _view(run: StoredRun, image: ImageRecord, sets: Path, scenes: str) -> View:
    arrays = run.maps(image)
    regions = regions_of(sets, scenes, image.name, image.size)
    boxes: dict[str, Box] = {region: _box(regions[region]) for region in ("patch", "mark") if region in regions}
    stills = [Still("what the network saw", data_uri(thumbnail(arrays["picture"])), {})]
    for name in SHOWN:
        card = run.record.method(name)
        key = next((each.key for each in image.maps if each.method == name), None)
        if key is not None:
            drawn = still(arrays["picture"], card.shown(arrays[key]), card)
            stills.append(Still(card.title, data_uri(drawn), boxes))
    top = image.top[0]
    return View(tuple(stills), f"{top.name}, {top.probability:.0%}".replace("%", " %"), image.correct)


def _box(mask: Mask) -> Box:
    """A frame around a region, not on its rim, where there is most to see."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    height, width = mask.shape
    left, top = columns[0] / width - MARGIN, rows[0] / height - MARGIN
    right, bottom = (columns[-1] + 1) / width + MARGIN, (rows[-1] + 1) / height + MARGIN
    x, y, across, down = (round(float(edge), 4) for edge in (left, top, right - left, bottom - top))
    return x, y, across, down


def _conflict(out: Path) -> str:
    """A scene whose mark is the other class's."""
    path = next(iter(sorted((out / "test" / "conflict").rglob("*.png"))))
    with Image.open(path) as opened:
        return data_uri(thumbnail(np.asarray(opened)))


def _charts(results: Results) -> list[tuple[str, list[Bar]]]:
    """The bars of the mean over all methods, then of each method: a bar a look, and chance."""
    looks = results.looks
    chance = Bar("chance", {region: share for look in reversed(looks) for region, share in look.area.items()})
    means = [Bar(called(look), on_average(look)) for look in looks]
    charts = [("Mean of the methods", [*means, chance])]
    for place, method in enumerate(looks[0].shares):
        bars = [Bar(called(look), look.shares[place].on) for look in looks]
        title = f"{method.title}: the control" if method.method == CONTROL else method.title
        charts.append((title, [*bars, chance]))
    return charts


def _end(charts: list[tuple[str, list[Bar]]]) -> int:
    """Where all bars end, in percent: the next ten that the longest of them doesn't exceed."""
    return max(10, *(10 * ceil(sum(wide for *_, wide in bar.segments) / 10) for _, bars in charts for bar in bars))
