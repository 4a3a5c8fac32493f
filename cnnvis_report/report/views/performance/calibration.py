"""Probabilities of predictions: how many have which, and how well they fit what is correct."""

from dataclasses import dataclass

from markupsafe import Markup

from cnnvis_report.evidence.statistics import wilson
from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.predictions import BINS, Bin, Predictions
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.charts.axes import shares_axis
from cnnvis_report.report.charts.bars import Layer, histogram
from cnnvis_report.report.charts.lines import Point
from cnnvis_report.report.charts.lines import calibration as calibration_chart
from cnnvis_report.report.charts.svg import Words
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.report import Report

EDGES = tuple(index / BINS for index in range(BINS + 1))
FEWEST = 5  # images


@dataclass(frozen=True)
class BinRow:
    """Predictions whose probability lies between two tenths, and the interval of how many are right."""

    range: str
    bin: Bin
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Calibration:
    """How well probabilities fit what is correct.

    error: the expected calibration error. chart: points with intervals. histogram: how many predictions have which
    probability; None of labels, where nearly all are close to 0. rows: a table.
    """

    error: float
    chart: Markup
    histogram: Markup | None
    rows: list[BinRow]


def calibration(counted: Predictions | LabelPredictions) -> Calibration:
    """Of classes, images by the probability of the prediction; of labels, each image counts once for each label."""
    rows = [_row(index, bin) for index, bin in enumerate(counted.bins) if bin.images]
    multilabel = isinstance(counted, LabelPredictions)
    x_title, y_title = ("predicted probability", "fraction of positives") if multilabel else ("confidence", "accuracy")
    noun = "prediction" if multilabel else "image"
    points = [
        Point(
            row.bin.mean,
            row.share,
            *row.interval,
            hint=f"{y_title} {fmt.percent(row.share)} of {fmt.count(row.bin.images, noun)}, "
            f"mean {x_title} {fmt.percent(row.bin.mean)}",
        )
        for row in rows
    ]
    words = Words(
        f"Calibration: {y_title} by {x_title}",
        f"Expected calibration error {fmt.percent(counted.calibration_error)}; the table below has the figures.",
    )
    return Calibration(
        error=counted.calibration_error,
        chart=calibration_chart(words, points, x_title, y_title),
        histogram=None if multilabel else _histogram(counted.bins),
        rows=rows,
    )


def _row(index: int, bin: Bin) -> BinRow:
    low, high = EDGES[index], EDGES[index + 1]
    return BinRow(
        f"{fmt.level(low)} to {fmt.level(high)}", bin, bin.correct / bin.images, wilson(bin.correct, bin.images)
    )


def _histogram(bins: tuple[Bin, ...]) -> Markup:
    correct, misclassified = layers = _judged(bins)
    words = Words(
        "Images by confidence, the probability of the predicted class",
        f"{fmt.number(sum(correct.counts))} correct, {fmt.number(sum(misclassified.counts))} misclassified; "
        "the table beside it has the figures.",
    )
    return histogram(words, layers, EDGES, shares_axis("confidence"), "images")


def _judged(bins: tuple[Bin, ...]) -> tuple[Layer, Layer]:
    """How many predictions are right in each bin, and how many wrong."""
    wrong = [bin.images - bin.correct for bin in bins]
    return (
        Layer("correct", "✓ correct", [bin.correct for bin in bins]),
        Layer("misclassified", "✗ misclassified", wrong),
    )


def confidence_histogram(report: Report) -> Markup | None:
    """How many images are predicted with which probability, right and wrong apart; None of values and of few images."""
    predictions, kind = report.summary.predictions, report.network.kind
    images = predictions.images if predictions else report.summary.images
    if not kind.judged or images < FEWEST:
        return None
    title = "highest probability" if kind is ScoreKind.SIGMOID else "confidence"
    layers: tuple[Layer, ...]
    if predictions:
        correct, wrong = layers = _judged(predictions.bins)
        counts = f"{fmt.number(sum(correct.counts))} correct and {fmt.number(sum(wrong.counts))} misclassified images."
    else:
        layers = (Layer("accent", "images", report.summary.confidences),)
        counts = f"{fmt.count(images, 'image')}, {fmt.number(report.summary.confidences[-1])} of them at 90% or more."
    words = Words(f"Images by {title}, the probability of what is predicted", counts)
    return histogram(words, layers, EDGES, shares_axis(title), "images")
