"""The overview: figures of the whole run, what went wrong, and the gallery of images."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnvis_report.records.labels import LabelCounts
from cnnvis_report.records.network import NetworkRecord
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.evidence import EvidenceTable, evidence_table
from cnnvis_report.report.views.gallery import Gallery, gallery
from cnnvis_report.report.views.headline import Stat, notices, stats
from cnnvis_report.report.views.links import Links
from cnnvis_report.report.views.report import Report
from cnnvis_report.report.views.summary import Summary
from cnnvis_report.report.views.verdict import labels_by_precision

CONFUSION_UP_TO = 12  # classes
LISTED = 12


@dataclass(frozen=True)
class Confusion:
    """A confusion matrix: counts[label][prediction], both in the order of the names."""

    names: list[str]
    counts: list[list[int]]

    def rows(self) -> Iterator[tuple[str, list[tuple[str, int, float]]]]:
        """Each label with its predictions: their names, how many, and the share of the label's images."""
        for name, counts in zip(self.names, self.counts, strict=True):
            total = max(sum(counts), 1)
            yield name, [(other, n, n / total) for other, n in zip(self.names, counts, strict=True)]


@dataclass(frozen=True)
class Overview:
    """What the overview shows.

    noun: what a score is of: "class", "label" or "output". default_shape: of the layer whose maps are shown.
    notices, folded: what a reader has to know first, at once and folded away. evidence: None where nothing was
    measured. confusion: None where there are too many classes, or no labels. confused: the most frequent errors: label,
    prediction, how many. precisions: labels, lowest average precision first.
    """

    network: NetworkRecord
    noun: str
    images: int
    default_shape: tuple[int, ...]
    stats: list[Stat]
    notices: list[str]
    folded: list[str]
    evidence: EvidenceTable | None
    confusion: Confusion | None
    confused: list[tuple[str, str, int]]
    precisions: list[LabelCounts]
    gallery: Gallery


def overview(report: Report, links: Links) -> Overview:
    """Gather what the overview shows."""
    run, summary, network = report.run, report.summary, report.network
    shown, folded = notices(run.notices)
    confusion = confusion_matrix(summary)
    return Overview(
        network=network,
        noun=fmt.column(network.kind),
        images=summary.images,
        default_shape=next((layer.shape for layer in network.layers if layer.name == network.default_layer), ()),
        stats=stats(run, summary, links.page("run", "skipped")),
        notices=shown,
        folded=folded,
        evidence=evidence_table(report),
        confusion=confusion,
        confused=[] if confusion else most_confused(summary),
        precisions=labels_by_precision(summary.label_predictions)[:LISTED],
        gallery=gallery(report, links),
    )


def confusion_matrix(summary: Summary) -> Confusion | None:
    """Counts by label and prediction; None where there are too many classes, or no labels."""
    counts = _counts(summary)
    names = sorted({name for pair in counts for name in pair})
    if not counts or len(names) > CONFUSION_UP_TO:
        return None
    return Confusion(names, [[counts.get((label, predicted), 0) for predicted in names] for label in names])


def most_confused(summary: Summary) -> list[tuple[str, str, int]]:
    """The most frequent errors: label, prediction, how many."""
    errors = [(label, predicted, n) for (label, predicted), n in _counts(summary).items() if label != predicted]
    return sorted(errors, key=lambda error: (-error[2], error[0], error[1]))[:LISTED]


def _counts(summary: Summary) -> dict[tuple[str, str], int]:
    if summary.predictions is None:
        return {}
    return {(label, predicted): n for label, predicted, n in summary.predictions.confusion}
