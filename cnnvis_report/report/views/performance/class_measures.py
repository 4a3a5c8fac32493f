"""How well a network classifies, in a few figures with intervals, as bars and in a sentence."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cnnvis_report.evidence import words
from cnnvis_report.evidence.f1 import macro_f1
from cnnvis_report.evidence.statistics import wilson
from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.predictions import TOP, Predictions
from cnnvis_report.report.charts.axes import shares_axis
from cnnvis_report.report.charts.bars import Bar, bars
from cnnvis_report.report.charts.svg import Words
from cnnvis_report.report.views import formatting as fmt


@dataclass(frozen=True)
class Figure:
    """A measure of predictions, from 0 to 1.

    counted: such as "34 of 36"; empty where it is no counted share. low, high: the ends of its 95% interval; None
    where it has none.
    """

    name: str
    value: float
    counted: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def text(self) -> str:
        """Such as "94.4% [81.9, 98.5]"."""
        ends = () if self.low is None or self.high is None else (self.low, self.high)
        shown = ", ".join(fmt.percent(end).removesuffix("%") for end in ends)
        return fmt.percent(self.value) + (f" [{shown}]" if ends else "")


def class_figures(predictions: Predictions, classes: int) -> list[Figure]:
    """Accuracy, top-5 accuracy where there are more than five classes, and macro-F1."""
    figures = [_counted("Accuracy", predictions.correct, predictions.images)]
    if classes > TOP:
        figures.append(_counted("Top-5 accuracy", predictions.top5, predictions.images))
    f1 = macro_f1(predictions.confusion)
    ends = () if f1.low == f1.high else (f1.low, f1.high)  # without an error resampled images tell of none
    return [*figures, Figure("Macro-F1", f1.mean, "", *ends)]


def label_figures(predictions: LabelPredictions) -> list[Figure]:
    """The share of exact matches, and what is averaged over labels or over all of their decisions."""
    shares = {
        "Mean average precision": predictions.mean_average_precision,
        "Precision": predictions.precision,
        "Recall": predictions.recall,
    }
    measured = [Figure(name, share) for name, share in shares.items() if share is not None]
    return [*measured, _counted("Exact match", predictions.exact, predictions.images)]


def figures_chart(figures: Sequence[Figure]) -> Markup:
    """The figures as bars with their intervals."""
    rows = [Bar(figure.name, figure.value, figure.text, figure.low, figure.high) for figure in figures]
    description = "; ".join(f"{figure.name} {figure.text}" for figure in figures)
    return bars(Words("How well the network predicts, with 95% intervals", description), rows, shares_axis(""))


def in_a_sentence(figures: Sequence[Figure], images: int) -> str:
    """Such as "On 36 labeled images: accuracy 94.4% [81.9, 98.5] (34 of 36), macro-F1 94.3% [85.2, 100]."."""
    parts = [
        f"{words.within_sentence(figure.name)} {figure.text}{f' ({figure.counted})' if figure.counted else ''}"
        for figure in figures
    ]
    return f"On {fmt.count(images, 'labeled image')}: {', '.join(parts)}."


def most_frequent(predictions: Predictions) -> float:
    """The accuracy of always predicting the most frequent label."""
    images: Counter[str] = Counter()
    for label, _, count in predictions.confusion:
        images[label] += count
    return max(images.values(), default=0) / max(1, predictions.images)


def _counted(name: str, amount: int, images: int) -> Figure:
    low, high = wilson(amount, images)
    return Figure(name, amount / max(1, images), f"{fmt.number(amount)} of {fmt.number(images)}", low, high)
