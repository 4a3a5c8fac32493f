"""The gallery: every image of the run, with what its filters, orders and captions need."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cnnvis_report.evidence.families import by_family
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.methods import MethodInfo
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.overview.gallery_measures import image_measures
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.verdict import Verdict, predicted_scores, verdict

CAPTION = 3  # predictions below a picture
PAGE = 60  # images that are shown at a time
FIGURE_COLUMNS = 5  # methods of a figure made of the images that are shown


@dataclass(frozen=True)
class GalleryItem:
    """An image in the gallery.

    predicted, labels: names, to filter by. score: its highest probability, or its first value, to order by.
    caption: what is predicted. verdict: how that compares with the labels. unknown: whether it has labels and the
    network knows none. methods: those that have a map of it. measures: numbers to order by, by name.
    """

    id: str
    name: str
    predicted: tuple[str, ...]
    labels: tuple[str, ...]
    score: float
    caption: str
    verdict: Verdict
    unknown: bool
    methods: frozenset[str]
    measures: dict[str, float]

    @property
    def judged(self) -> str:
        """The verdict in words, or that the label is unknown."""
        return self.verdict.words or ("label unknown" if self.unknown else "")


@dataclass(frozen=True)
class Gallery:
    """What the page shows of the gallery before any script runs; scripts get all images as data.

    items: the images of the first page. more: the others, by name alone. left_out: how many have no page. shown: the
    method whose maps are shown at first; empty where there are no maps. methods: those that have maps. verdicts: state,
    name and number of the images of a verdict; none where nothing can be judged. labeled: whether images have labels.
    score: what is known of a prediction. orders, groups: what images can be sorted and grouped by, the name in the
    address and the title. searched: what a search looks through.
    """

    items: list[GalleryItem]
    more: list[GalleryItem]
    left_out: int
    shown: str
    methods: list[MethodInfo]
    verdicts: list[tuple[str, str, int]]
    labeled: bool
    multilabel: bool
    values: bool
    score: str
    orders: list[tuple[str, str]]
    groups: list[tuple[str, str]]
    searched: str


def gallery(report: Report, links: Links) -> Gallery:
    """Gather the gallery."""
    summary, kind = report.summary, report.network.kind
    multilabel, values = kind is ScoreKind.SIGMOID, kind is ScoreKind.VALUE
    items = list(gallery_items(report))
    counts = Counter(item.verdict.state for item in items)
    states = (
        ("", "All", len(items)),
        ("correct", "All labels correct" if multilabel else "Correct", counts["correct"]),
        ("misclassified", "With errors" if multilabel else "Misclassified", counts["misclassified"]),
    )
    best = report.best
    return Gallery(
        items=items[:PAGE],
        more=items[PAGE:] if links.thumbnail("", "") else [],  # in a single file no image can be shown without scripts
        left_out=summary.images - len(items),
        shown=best[0].name if best else "",
        methods=[method for method in by_family(report.run.methods) if summary.methods[method.name].maps],
        verdicts=list(states) if summary.labeled else [],
        labeled=bool(summary.labels),
        multilabel=multilabel,
        values=values,
        score=SORTED_BY.get(kind, "Confidence"),
        orders=_orders(report, items),
        groups=_groups(kind, labeled=bool(summary.labels), judged=bool(summary.labeled)),
        searched="name" if values and not summary.labels else "name or class",
    )


def gallery_items(report: Report) -> Iterator[GalleryItem]:
    """Every image that has a page, read one by one."""
    measures, values = image_measures(report), report.network.kind is ScoreKind.VALUE
    for image in report.images_with_page():
        yield _item(image, measures.of(image), values=values)


def figure_methods(report: Report) -> list[str]:
    """The columns of a figure made of the images that are shown: the best methods, or those of prominence."""
    best = list(dict.fromkeys(method.name for method in report.best))
    if report.evidence and report.evidence.recommended:
        return best[:FIGURE_COLUMNS]
    with_maps = [method for method in report.run.methods if report.summary.methods[method.name].maps]
    return [method.name for method in sorted(with_maps, key=lambda method: -method.prominence)][:FIGURE_COLUMNS]


def _item(image: ImageRecord, measures: dict[str, float], *, values: bool) -> GalleryItem:
    scores = predicted_scores(image)
    caption = ", ".join(map(fmt.named_score, scores[:CAPTION])) or image.kind.nothing
    more = f", {len(scores) - CAPTION} more" if len(scores) > CAPTION else ""
    judged = verdict(image)
    return GalleryItem(
        id=image.id,
        name=image.name,
        predicted=() if values else tuple(score.name for score in scores),
        labels=tuple(label.name for label in image.named),
        score=image.first_score,
        caption=caption + more,
        verdict=judged,
        unknown=judged.state == "unknown" and bool(image.named) and image.kind.judged,
        methods=frozenset(image.first_maps),
        measures=measures,
    )


SORTED_BY = {
    ScoreKind.VALUE: "Value",
    ScoreKind.SIGMOID: "Highest probability",
    ScoreKind.SEGMENTATION: "Largest region",
    ScoreKind.DETECTION: "Score of the best box",
}


def _orders(report: Report, items: Sequence[GalleryItem]) -> list[tuple[str, str]]:
    """What images can be sorted by, but for the order of input: an extreme of a number first, or names."""
    kind = report.network.kind
    score = SORTED_BY.get(kind, "Confidence")
    titles = {"": score, **image_measures(report).titles}
    known = {"", *(name for item in items for name in item.measures)}
    ends = [
        (f"{end}-{name}" if name else end, f"{title}: {end} first")
        for name, title in titles.items()
        if name in known
        for end in ("lowest", "highest")
    ]
    names = [("name", "Name")] + ([] if kind is ScoreKind.VALUE else [("predicted", "Prediction")])
    return [*ends, *names]


def _groups(kind: ScoreKind, *, labeled: bool, judged: bool) -> list[tuple[str, str]]:
    """What images can be grouped by."""
    groups = [("label", "label")] if labeled else []
    groups += [] if kind is ScoreKind.VALUE else [("predicted", "prediction")]
    return groups + ([("pair", "error")] if judged and kind.exclusive else [])
