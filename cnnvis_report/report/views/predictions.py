"""What the page about right and wrong answers gets: classes, errors, how sure and how right, and the training."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnnvis_report.records.labels import LabelAnswers, LabelErrors
from cnnvis_report.records.predictions import BINS, Answer, Answers
from cnnvis_report.records.run import RunRecord
from cnnvis_report.records.training import Film, TrainingRecord, film_key
from cnnvis_report.report.pictures.layers import Pictures
from cnnvis_report.report.pictures.thumbnails import still, thumbnail
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.store.names import FILMS
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


def class_rows(answers: Answers) -> list[ClassRow]:
    """The classes, those that are missed most often first."""
    images: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    right: Counter[str] = Counter()
    mistakes: dict[str, Counter[str]] = {}
    for label, predicted, count in answers.confused:
        images[label] += count
        seen[predicted] += count
        if label == predicted:
            right[label] += count
        else:
            mistakes.setdefault(label, Counter())[predicted] += count
    explained = {(each.label, each.seen) for each in answers.wrong if each.image}
    rows = []
    for name in sorted({*images, *seen}):
        taken, times = mistakes[name].most_common(1)[0] if name in mistakes else ("", 0)
        shown = (name, taken) in explained
        rows.append(ClassRow(name, images[name], seen[name], right[name], taken, times, shown))
    return sorted(rows, key=lambda row: (row.recall if row.recall is not None else 2.0, row.name))


def lead(run: RunRecord, answers: Answers | None, of_labels: LabelAnswers | None = None) -> list[str]:
    """Sentences at the head of the page, cautions among them."""
    said = []
    if of_labels is not None:
        said.append(
            f"Exact match: on {fmt.number(of_labels.exact)} of {fmt.count(of_labels.images, 'labeled image')} all "
            f"labels are predicted, above 0.5, and no others."
        )
    if answers is not None:
        wrong = answers.images - answers.right
        said.append(
            f"{fmt.number(answers.right)} of {fmt.count(answers.images, 'labeled image')} "
            f"{'is' if answers.right == 1 else 'are'} answered right, {fmt.number(wrong)} wrong."
        )
        if wrong and answers.wrong_mean > 0.9:
            said.append(f"Where it errs it is sure of it: {fmt.percent(answers.wrong_mean)} on average.")
    counted = answers or of_labels
    if counted is not None and counted.unknown:
        said.append(f"Left out: {fmt.unknown(counted.unknown)}.")
    if run.answers is not None or run.label_answers is not None:
        said.append(f"These figures are of all that were looked at; {fmt.number(run.images)} of them are explained.")
    if run.trained_on:
        of = "All" if run.trained_on == run.images else f"{fmt.number(run.trained_on)} of the {fmt.number(run.images)}"
        said.append(f"{of} explained images are among those that the network was trained on: these flatter it.")
    return said


def charts(answers: Answers | LabelAnswers) -> dict[str, Any]:
    """Numbers for the charts of how sure it is; of labels, each decision counts."""
    several = isinstance(answers, LabelAnswers)
    return {
        "axis": "predicted probability" if several else "probability of the first class",
        "share": "fraction of positives" if several else "share right",
        "word": "positive" if several else "right",
        "sure": "mean probability" if several else "sure",
        "middles": [(place + 0.5) / BINS for place in range(BINS)],
        "images": [each.images for each in answers.bins],
        "right": [each.right for each in answers.bins],
        "mean": [each.mean if each.images else None for each in answers.bins],
        "accuracy": [each.right / each.images if each.images else None for each in answers.bins],
    }


def listed_wrong(answers: Answers) -> list[Answer]:
    """The errors that the page lists, the surest first."""
    return list(answers.wrong[:WRONG_LISTED])


def listed_labels(answers: LabelAnswers) -> list[LabelErrors]:
    """The images with errors that the page lists, the worst first."""
    return list(answers.wrong[:WRONG_LISTED])


def curves(training: TrainingRecord) -> dict[str, Any]:
    """Numbers for the charts of loss and accuracy."""
    history = training.history
    return {
        "epochs": [each.number for each in history],
        "loss": [each.loss for each in history],
        "accuracy": [each.accuracy for each in history],
        "validation_loss": [each.validation_loss for each in history],
        "validation_accuracy": [each.validation_accuracy for each in history],
        "best": training.best,
    }


def film_name(film: int, method: str, epoch: int) -> str:
    """What the picture of a film's frame is called."""
    return f"film-{film}-{method}-{epoch}"


def film_pictures(run: StoredRun) -> Pictures:
    """The frames of all films, and the pictures that they are of."""
    if not run.record.films:
        return
    maps = run.inside(FILMS)
    for number, film in enumerate(run.record.films):
        picture = run.arrays(film.image)["picture"]
        yield f"film-{number}", thumbnail(picture)
        for method, epoch in _frames(film):
            values = maps.get(film_key(film.image, method, epoch))
            if values is not None:
                card = run.record.card(method)
                yield film_name(number, method, epoch), still(picture, card.shown(values), card)


def film_methods(run: RunRecord) -> list[tuple[str, str]]:
    """Names and titles of the methods that the films can show."""
    names = dict.fromkeys(name for film in run.films for name in film.methods)
    return [(name, run.card(name).title) for name in names]


def _frames(film: Film) -> Iterator[tuple[str, int]]:
    return ((method, frame.epoch) for method in film.methods for frame in film.frames)
