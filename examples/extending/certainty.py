"""A page, its view: all images in a table, the least confident prediction first."""

from dataclasses import dataclass

from cnnvis_report.records.images import ClassScore
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report


@dataclass(frozen=True)
class Row:
    """An image: its page, its name, and the two classes of the highest scores."""

    address: str
    name: str
    first: ClassScore
    second: ClassScore


def certainty(report: Report, links: Links) -> list[Row]:
    """Gather the rows; templates read them as `view`."""
    rows = [
        Row(links.image(image.id), image.name, image.top[0], image.top[1])
        for image in report.images()
        if len(image.top) > 1
    ]
    return sorted(rows, key=lambda row: (row.first.probability or 0.0, row.name))
