"""The numbers of a run that rules can read."""

from collections.abc import Iterable, Iterator

from cnnvis_report.evidence import words
from cnnvis_report.evidence.f1 import class_counts, macro_f1
from cnnvis_report.evidence.statistics import wilson
from cnnvis_report.records.evidence import Evidence, Interval, Standing
from cnnvis_report.records.labels import LabelPredictions
from cnnvis_report.records.predictions import TOP, Predictions
from cnnvis_report.records.run import RunRecord
from cnnvis_report.rules.names import ABOVE_RANDOM
from cnnvis_report.rules.value import Value


def run_values(
    run: RunRecord, predictions: Predictions | None, labels: LabelPredictions | None, evidence: Evidence | None
) -> tuple[Value, ...]:
    """Gather the numbers of a run.

    Args:
        predictions, labels: counts over its labeled images; None where there are none.
        evidence: the verdict on its methods; None where nothing was measured.
    """
    values = [_number("images", run.images), _number("skipped", len(run.skipped))]
    if predictions is not None:
        values += _predictions(predictions, run.network.classes)
    if labels is not None:
        values += _labels(labels)
    if evidence is not None:
        values += _evidence(evidence)
    return tuple(values)


def _predictions(predictions: Predictions, classes: int) -> Iterator[Value]:
    images = predictions.images
    yield _number("labeled", images)
    yield _number("misclassified", images - predictions.correct)
    yield Value("accuracy", share(predictions.correct, images))
    if classes > TOP:
        yield Value("top5_accuracy", share(predictions.top5, images))
    yield Value("macro_f1", macro_f1(predictions.confusion))
    yield Value("calibration_error", Interval(predictions.calibration_error, None, None, images))
    for name, counts in class_counts(predictions.confusion).items():
        yield from _class(name, counts.images, counts.predicted, counts.correct)


def _labels(labels: LabelPredictions) -> Iterator[Value]:
    yield _number("labeled", labels.images)
    yield _number("misclassified", labels.images - labels.exact)
    yield Value("exact_match", share(labels.exact, labels.images))
    if labels.mean_average_precision is not None:
        yield Value("mean_average_precision", Interval(labels.mean_average_precision, None, None, labels.images))
    yield Value("calibration_error", Interval(labels.calibration_error, None, None, labels.images))
    for label in labels.labels:
        yield from _class(label.name, label.images, label.predicted, label.correct)


def _class(name: str, images: int, predicted: int, correct: int) -> Iterator[Value]:
    if images:
        yield Value("recall", share(correct, images), name)
    if predicted:
        yield Value("precision", share(correct, predicted), name)


def _evidence(evidence: Evidence) -> Iterator[Value]:
    yield _number("recommended", len(evidence.recommended))
    yield _number("avoid", len(evidence.avoid))
    for method in evidence.methods:
        if method.standing is Standing.REFERENCE:
            continue
        key = words.label(method, evidence)
        for name, measured in method.measures.items():
            yield Value(name, measured.value, key)
            if measured.difference is not None:
                yield Value(f"{name}{ABOVE_RANDOM}", measured.difference, key)


def measure_names(run: RunRecord) -> Iterable[str]:
    """The measures that a run has, of maps and of tests that explain images again."""
    evaluation = run.evaluation
    return [info.name for info in (*evaluation.metrics, *evaluation.tests_info)] if evaluation else ()


def share(successes: int, trials: int) -> Interval:
    """A counted share with its 95% interval."""
    return Interval(successes / max(1, trials), *wilson(successes, trials), trials)


def _number(name: str, amount: int) -> Value:
    return Value(name, Interval(float(amount), None, None, amount))
