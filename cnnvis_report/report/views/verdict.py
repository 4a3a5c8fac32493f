"""What the network predicts for one image, beside its labels: words for tiles, filters and the head of a page."""

from dataclasses import dataclass

from cnnvis_report.records.images import ClassScore, ImageRecord, Label
from cnnvis_report.records.labels import LabelCounts, LabelPredictions
from cnnvis_report.records.scores import ScoreKind

SHOWN = 3  # values in the line below a picture
RANKS = {2: "2nd", 3: "3rd", 4: "4th", 5: "5th"}


@dataclass(frozen=True)
class Verdict:
    """How a prediction compares with the labels.

    state: "correct", "misclassified" or "unknown", for styles and filters. words: such as "✗ label ranked 2nd".
    """

    state: str
    words: str


def verdict(image: ImageRecord) -> Verdict:
    """How the prediction for an image compares with its labels."""
    if image.correct is None:
        return Verdict("unknown", "")
    if image.correct:
        return Verdict("correct", "✓ correct")
    if image.kind is ScoreKind.SIGMOID:
        predicted = {score.index for score in image.predicted}
        missed, extra = len(set(image.known) - predicted), len(predicted - set(image.known))
        errors = ((missed, "missed"), (extra, "extra"))
        return Verdict("misclassified", "✗ " + ", ".join(f"{number} {word}" for number, word in errors if number))
    rank = RANKS.get(image.rank or 0)
    return Verdict("misclassified", f"✗ label ranked {rank}" if rank else "✗ misclassified")


def label_score(image: ImageRecord) -> ClassScore | None:
    """The score of the label's class, where that is known; the highest of several."""
    return next((score for score in (*image.top, *image.targets) if score.index in image.known), None)


def predicted_scores(image: ImageRecord) -> tuple[ClassScore, ...]:
    """What the network predicts: its first class, the labels above 0.5, or the first values."""
    if image.kind is ScoreKind.SIGMOID:
        return image.predicted
    return image.top[:1] if image.kind.judged else image.top[:SHOWN]


def labels_with_scores(image: ImageRecord) -> list[tuple[Label, ClassScore | None, bool]]:
    """Each label of an image, its score, and whether it is predicted."""
    scores = {score.index: score for score in (*image.targets, *image.top, *image.label_scores)}
    predicted = {score.index for score in image.predicted}
    return [
        (label, scores.get(label.index) if label.index is not None else None, label.index in predicted)
        for label in image.named
    ]


def labels_by_precision(predictions: LabelPredictions | None) -> list[LabelCounts]:
    """The labels that some image bears, lowest average precision first."""
    borne = [label for label in (predictions.labels if predictions else ()) if label.average_precision is not None]
    return sorted(borne, key=lambda label: (label.average_precision or 0.0, label.name))
