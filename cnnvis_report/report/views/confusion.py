"""Labels and predictions: a confusion matrix where it can be seen at once, else the most frequent errors."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnvis_report.report.views.summary import Summary

CONFUSION_UP_TO = 12  # classes
LISTED = 12  # errors


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
