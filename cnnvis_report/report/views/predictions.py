"""What the page about right and wrong answers gets: classes, errors, how sure and how right, and the training."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnnvis_report.records.labels import LabelErrors, LabelPredictions
from cnnvis_report.records.predictions import BINS, Prediction, Predictions
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.training import SnapshotSeries, TrainingRecord, snapshot_key
from cnnvis_report.report.pictures.layers import Pictures
from cnnvis_report.report.pictures.thumbnails import still, thumbnail
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.store.names import SNAPSHOTS
from cnnvis_report.store.run_folder import StoredRun

WRONG_LISTED = 60


@dataclass(frozen=True)
class ClassRow:
    """A class: images that bear it, how many are seen as it, how many of either are both; its commonest mistake.

    shown: whether images of that mistake are among those that are explained.
    """

    name: str
    images: int
    seen: int
    right: int
    taken_for: str
    times: int
    shown: bool = False

    @property
    def recall(self) -> float | None:
        """Of the images of the class, the share that is seen as it."""
        return self.right / self.images if self.images else None

    @property
    def precision(self) -> float | None:
        """Of the images that are seen as the class, the share that is of it."""
        return self.right / self.seen if self.seen else None


def class_rows(answers: Predictions) -> list[ClassRow]:
    """The classes, those that are missed most often first."""
    images: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    mistakes: dict[str, Counter[str]] = {}
    for label, predicted, count in answers.confusion:
        images[label] += count
        seen[predicted] += count
        if label == predicted:
            right[label] += count
        else:
            mistakes.setdefault(label, Counter())[predicted] += count
    explained = {(each.label, each.predicted) for each in answers.misclassified if each.image}
    rows = []
    for name in sorted({*images, *seen}):
        taken, times = mistakes[name].most_common(1)[0] if name in mistakes else ("", 0)
        shown = (name, taken) in explained
        rows.append(ClassRow(name, images[name], seen[name], right[name], taken, times, shown))
    return sorted(rows, key=lambda row: (row.recall if row.recall is not None else 2.0, row.name))


def lead(run: RunRecord, answers: Predictions | None, of_labels: LabelPredictions | None = None) -> list[str]:
    """Sentences at the head of the page, cautions among them."""
    said = []
    if of_labels is not None:
        said.append(
            f"Exact match: on {fmt.number(of_labels.exact)} of {fmt.count(of_labels.images, 'labeled image')} all "
            f"labels are predicted, above 0.5, and no others."
        )
    if answers is not None:
        wrong = answers.images - answers.correct
        said.append(
            f"{fmt.number(answers.correct)} of {fmt.count(answers.images, 'labeled image')} "
            f"{'is' if answers.correct == 1 else 'are'} answered right, {fmt.number(wrong)} wrong."
        )
        if wrong and answers.confidence_misclassified > 0.9:
            said.append(f"Where it errs it is sure of it: {fmt.percent(answers.confidence_misclassified)} on average.")
    counted = answers or of_labels
    if counted is not None and counted.unknown:
        said.append(f"Left out: {fmt.unknown(counted.unknown)}.")
    if run.predictions is not None or run.label_predictions is not None:
        said.append(f"These figures are of all that were looked at; {fmt.number(run.images)} of them are explained.")
    if run.in_training_set:
        of = (
            "All"
            if run.in_training_set == run.images
            else f"{fmt.number(run.in_training_set)} of the {fmt.number(run.images)}"
        )
        said.append(f"{of} explained images are among those that the network was trained on: these flatter it.")
    return said


def charts(answers: Predictions | LabelPredictions) -> dict[str, Any]:
    """Numbers for the charts of how sure it is; of labels, each decision counts."""
    several = isinstance(answers, LabelPredictions)
    return {
        "axis": "predicted probability" if several else "probability of the first class",
        "share": "fraction of positives" if several else "share right",
        "word": "positive" if several else "right",
        "sure": "mean probability" if several else "sure",
        "middles": [(place + 0.5) / BINS for place in range(BINS)],
        "images": [each.images for each in answers.bins],
        "right": [each.correct for each in answers.bins],
        "mean": [each.mean if each.images else None for each in answers.bins],
        "accuracy": [each.correct / each.images if each.images else None for each in answers.bins],
    }


def listed_wrong(answers: Predictions) -> list[Prediction]:
    """The errors that the page lists, the surest first."""
    return list(answers.misclassified[:WRONG_LISTED])


def listed_labels(answers: LabelPredictions) -> list[LabelErrors]:
    """The images with errors that the page lists, the worst first."""
    return list(answers.misclassified[:WRONG_LISTED])


def curves(training: TrainingRecord) -> dict[str, Any]:
    """Numbers for the charts of loss and accuracy."""
    history = training.history
    return {
        "epochs": [each.number for each in history],
        "loss": [each.loss for each in history],
        "accuracy": [each.accuracy for each in history],
        "validation_loss": [each.validation_loss for each in history],
        "validation_accuracy": [each.validation_accuracy for each in history],
        "best": training.best_epoch,
    }


def film_name(film: int, method: str, epoch: int) -> str:
    """What the picture of a film's frame is called."""
    return f"film-{film}-{method}-{epoch}"


def film_pictures(run: StoredRun) -> Pictures:
    """The frames of all films, and the pictures that they are of."""
    if not run.record.snapshots:
        return
    maps = run.inspection_arrays(SNAPSHOTS)
    for number, film in enumerate(run.record.snapshots):
        picture = run.arrays(film.image)["picture"]
        yield f"film-{number}", thumbnail(picture)
        for method, epoch in _frames(film):
            values = maps.get(snapshot_key(film.image, method, epoch))
            if values is not None:
                card = run.record.method(method)
                yield film_name(number, method, epoch), still(picture, card.shown(values), card)


def film_methods(run: RunRecord) -> list[tuple[str, str]]:
    """Names and titles of the methods that the films can show."""
    names = dict.fromkeys(name for film in run.snapshots for name in film.methods)
    return [(name, run.method(name).title) for name in names]


def _frames(film: SnapshotSeries) -> Iterator[tuple[str, int]]:
    return ((method, frame.epoch) for method in film.methods for frame in film.frames)
