"""What a network says of one image, beside its labels: words for tiles, filters and the head of a page."""

from cnnvis_report.records.images import ClassScore, ImageRecord, Label
from cnnvis_report.records.labels import LabelCounts, LabelPredictions
from cnnvis_report.records.scores import ScoreKind

SHOWN = 3  # values in the line below a picture


def verdict(image: ImageRecord) -> tuple[str, str]:
    """A word for styles and filters, and one for people: ("right", "right"), ("wrong", "second"), …"""
    if image.correct is None:
        return "unknown", ""
    if image.correct:
        return "right", "right"
    if image.kind is ScoreKind.SIGMOID:
        predicted = {score.index for score in image.predicted}
        missed, extra = len(set(image.known) - predicted), len(predicted - set(image.known))
        errors = ((missed, "missed"), (extra, "extra"))
        return "wrong", ", ".join(f"{number} {word}" for number, word in errors if number)
    places = {2: "second", 3: "third", 4: "fourth", 5: "fifth"}
    return "wrong", places.get(image.rank or 0, "wrong")


def label_score(image: ImageRecord) -> ClassScore | None:
    """What the network gives the label's class, where that is known; the likeliest of several."""
    return next((score for score in (*image.top, *image.targets) if score.index in image.known), None)


def seen(image: ImageRecord) -> tuple[ClassScore, ...]:
    """What the network says of an image: its first class, the labels above 0.5, or the first values."""
    if image.kind is ScoreKind.SIGMOID:
        return image.predicted
    return image.top[:1] if image.kind.judged else image.top[:SHOWN]


def own_labels(image: ImageRecord) -> list[tuple[Label, ClassScore | None, bool]]:
    """Each label of an image, its score, and whether it is predicted."""
    scores = {score.index: score for score in (*image.targets, *image.top, *image.label_scores)}
    predicted = {score.index for score in image.predicted}
    return [
        (label, scores.get(label.index) if label.index is not None else None, label.index in predicted)
        for label in image.named
    ]


def labels_by_precision(answers: LabelPredictions | None) -> list[LabelCounts]:
    """The labels that images bear, those that are told apart worst first."""
    borne = [each for each in (answers.labels if answers else ()) if each.average_precision is not None]
    return sorted(borne, key=lambda each: (each.average_precision or 0.0, each.name))
