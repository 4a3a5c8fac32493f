"""What became of the predictions for an image, and which class its compared maps explain."""

from collections.abc import Sequence

from cnnvis_report.records.compared_images import ComparedPrediction, Flip, TargetSource
from cnnvis_report.records.images import ClassScore, ImageRecord
from cnnvis_report.records.scores import ScoreKind

Targets = tuple[ClassScore | None, ...]


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


def choose_targets(images: Sequence[ImageRecord]) -> tuple[TargetSource, Targets]:
    """The explained class of one image in each run, and how it was chosen.

    It is the label where all runs explain it, else what the first run predicts where all runs explain that; else the
    class that each run explains first, which is None where it explains none.
    """
    labels = tuple(_of_label(image) for image in images)
    if all(labels):
        return TargetSource.LABEL, labels
    first = images[0].top[0] if images[0].top else None
    if first is not None:
        same = tuple(_named(image, first) for image in images)
        if all(same):
            return TargetSource.FIRST_PREDICTION, same
    return TargetSource.OWN_PREDICTIONS, tuple(image.targets[0] if image.targets else None for image in images)


def _of_label(image: ImageRecord) -> ClassScore | None:
    """The explained class that is the image's first known label."""
    label = image.known[0] if image.known else None
    return next((target for target in image.targets if target.index == label), None)


def _named(image: ImageRecord, score: ClassScore) -> ClassScore | None:
    """The explained class of a name; of several, the one that has the same number too."""
    targets = [target for target in image.targets if target.name == score.name]
    return next((target for target in targets if target.index == score.index), next(iter(targets), None))
