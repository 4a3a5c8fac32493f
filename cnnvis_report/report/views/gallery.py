"""The gallery: every image of the run, with what its filters, orders and captions need."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.method_rows import by_family, shown_first
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.verdict import Verdict, predicted_scores, verdict

CAPTION = 3  # predictions below a picture


@dataclass(frozen=True)
class GalleryItem:
    """An image in the gallery.

    thumbnail: address of what is shown at first; empty where a script will fill it in. predicted, labels: names, to
    filter by. score: its highest probability, or its first value, to order by. caption: what is predicted.
    verdict: how that compares with the labels. unknown: whether it has labels and the network knows none.
    """

    id: str
    name: str
    address: str
    thumbnail: str
    size: tuple[int, int]
    predicted: list[str]
    labels: list[str]
    score: float
    caption: str
    verdict: Verdict
    unknown: bool


@dataclass(frozen=True)
class Gallery:
    """All images, and what they can be filtered and ordered by.

    shown: the method whose maps are shown at first; empty for the pictures. methods: those that have maps.
    verdicts: state, name and number of the images of a verdict; none where nothing can be judged.
    labels, predicted: names to choose from. multilabel: whether an image can have several labels.
    values: whether scores are values. searched: what a search looks through.
    """

    items: Iterable[GalleryItem]
    shown: str
    methods: list[MethodInfo]
    verdicts: list[tuple[str, str, int]]
    labels: list[str]
    predicted: list[str]
    multilabel: bool
    values: bool
    searched: str


def gallery(report: Report, links: Links) -> Gallery:
    """Gather the gallery; its images are read while the page is written."""
    summary, kind = report.summary, report.network.kind
    multilabel, values = kind is ScoreKind.SIGMOID, kind is ScoreKind.VALUE
    shown = shown_first(report.run)
    states = (
        ("", "All", summary.images),
        ("correct", "All labels correct" if multilabel else "Correct", summary.correct),
        ("misclassified", "With errors" if multilabel else "Misclassified", summary.labeled - summary.correct),
    )
    return Gallery(
        items=_items(report, links, shown),
        shown=shown,
        methods=[method for method in by_family(report.run.methods) if summary.methods[method.name].maps],
        verdicts=list(states) if summary.labeled else [],
        labels=sorted(summary.labels),
        predicted=sorted({name for _, name in summary.predicted}),
        multilabel=multilabel,
        values=values,
        searched="name" if values and not summary.labels else "name or class",
    )


def _items(report: Report, links: Links, shown: str) -> Iterator[GalleryItem]:
    for image in report.images():
        yield _item(image, links, shown, values=report.network.kind is ScoreKind.VALUE)


def _item(image: ImageRecord, links: Links, shown: str, *, values: bool) -> GalleryItem:
    scores, first = predicted_scores(image), image.top[0]
    caption = ", ".join(map(fmt.named_score, scores[:CAPTION])) or "no label above 50%"
    more = f", {len(scores) - CAPTION} more" if len(scores) > CAPTION else ""
    has_map = any(record.method == shown for record in image.maps)
    judged = verdict(image)
    return GalleryItem(
        id=image.id,
        name=image.name,
        address=links.image(image.id),
        thumbnail=links.thumbnail(image.id, shown if has_map else "picture"),
        size=image.size,
        predicted=[] if values else [score.name for score in scores],
        labels=[label.name for label in image.named],
        score=first.logit if values or first.probability is None else first.probability,
        caption=caption + more,
        verdict=judged,
        unknown=judged.state == "unknown" and bool(image.named) and not values,
    )
