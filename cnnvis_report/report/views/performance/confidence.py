"""The confidence of all predictions, as a histogram."""

from markupsafe import Markup

from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.charts.axes import shares_axis
from cnnvis_report.report.charts.histogram import Layer, histogram
from cnnvis_report.report.charts.svg import Words
from cnnvis_report.report.views import formatting as fmt
from cnnvis_report.report.views.performance.calibration import EDGES
from cnnvis_report.report.views.report import Report

FEWEST = 5  # images


def confidence_histogram(report: Report) -> Markup | None:
    """How many images are predicted with which probability, right and wrong apart; None of values and of few images."""
    predictions, kind = report.summary.predictions, report.network.kind
    images = predictions.images if predictions else report.summary.images
    if not kind.judged or images < FEWEST:
        return None
    title = "highest probability" if kind is ScoreKind.SIGMOID else "confidence"
    if predictions:
        correct = [interval.correct for interval in predictions.bins]
        wrong = [interval.images - interval.correct for interval in predictions.bins]
        layers = [Layer("correct", "✓ correct", correct), Layer("misclassified", "✗ misclassified", wrong)]
        counts = f"{fmt.number(sum(correct))} correct and {fmt.number(sum(wrong))} misclassified images."
    else:
        layers = [Layer("accent", "images", report.summary.confidences)]
        counts = f"{fmt.count(images, 'image')}, {fmt.number(report.summary.confidences[-1])} of them at 90% or more."
    words = Words(f"Images by {title}, the probability of what is predicted", counts)
    return histogram(words, layers, EDGES, shares_axis(title), "images")
