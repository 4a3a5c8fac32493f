"""What became of the predictions for an image."""

from cnnvis_report.records.compared_images import ComparedPrediction, Flip
from cnnvis_report.records.images import ImageRecord
from cnnvis_report.records.scores import ScoreKind


def prediction(image: ImageRecord) -> ComparedPrediction:
    """What the run predicts for an image; of several labels, all that are predicted, and of values the first."""
    if not image.kind.has_classes and image.top:
        return ComparedPrediction(image.top[0].name, None, None, image.top[0].logit)
    if image.kind is ScoreKind.SIGMOID:
        names = ", ".join(score.name for score in image.predicted)
        return ComparedPrediction(names, image.predicted[0].probability if image.predicted else None, image.correct)
    if not image.top:
        return ComparedPrediction("", None, image.correct)
    return ComparedPrediction(image.top[0].name, image.top[0].share, image.correct)


def flip(first: ComparedPrediction, later: ComparedPrediction) -> Flip:
    """What became of a prediction."""
    if first.correct is None or later.correct is None:
        return Flip.SAME if first.name == later.name else Flip.CHANGED
    if first.correct:
        return Flip.RIGHT if later.correct else Flip.BROKEN
    return Flip.FIXED if later.correct else Flip.WRONG
