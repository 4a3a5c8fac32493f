"""The bands of an image on its page: which of them the picture shows, and what each has in the maps of pixels."""

from dataclasses import dataclass

import numpy as np

from cnnvis_report.evidence import words
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo, Reduction
from cnnvis_report.report.pictures.bands import band_maps, band_shares
from cnnvis_report.report.pictures.palettes import limit
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.image.tiles import bar
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report

TOGETHER = {Reduction.SUM: "sum", Reduction.ABS_MAX: "largest"}


@dataclass(frozen=True)
class BandCell:
    """One map of a row, with the words below it."""

    name: str
    share: str


@dataclass(frozen=True)
class BandRow:
    """The maps of a method, all bands together first.

    sheet: the address of the picture that has all of them side by side. together: what the first one is, in words.
    ramp: the colors of a band, as a CSS gradient. scale: the words at its ends.
    """

    method: MethodInfo
    sheet: str
    together: str
    cells: tuple[BandCell, ...]
    ramp: str
    scale: tuple[str, str, str, str]


@dataclass(frozen=True)
class ImageBands:
    """The bands of an image.

    shown: which ones the picture shows, in words. target: the class whose maps these are.
    """

    shown: str
    target: str
    rows: tuple[BandRow, ...]


def image_bands(report: Report, links: Links, image: ImageRecord) -> ImageBands | None:
    """Gather what the page shows of single bands; None for gray and color pictures."""
    bands = report.network.bands
    if bands is None:
        return None
    first_maps = list(band_maps(report.run, image))
    arrays = report.stored.maps(image) if first_maps else {}
    rows = []
    for method, record in first_maps:
        values = arrays[record.key].astype(np.float32, copy=False)
        shares = [words.single(share, percent=True) for share in band_shares(values)]
        cells = (BandCell(f"band {number}", share) for number, share in enumerate(shares, start=1))
        ramp, scale = bar(method, limit(values, clipped=True), float(np.abs(values).max()))
        rows.append(
            BandRow(
                method=method,
                sheet=links.picture(f"bands-{method.name}"),
                together=TOGETHER[method.reduction],
                cells=tuple(cells),
                ramp=ramp,
                scale=scale,
            )
        )
    of = f"{fmt.number(report.network.channels)} bands"
    target = image.targets[0].name if image.targets else ""
    return ImageBands(f"Of {of}, the picture shows {bands.describe()}.", target, tuple(rows))
