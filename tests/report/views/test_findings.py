"""The findings say what made records hold: figures from closed forms, singular and plural, and what isn't known."""

from dataclasses import replace
from typing import Any

import pytest

from cnnvis_report.records.evidence import Evidence, Interval, MeasureOfMethod, MethodEvidence, Standing
from cnnvis_report.records.labels import LabelCounts, LabelPredictions
from cnnvis_report.records.metrics import ImageMetrics, MapMetrics
from cnnvis_report.records.predictions import Bin, Predictions
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views.links import SiteLinks
from cnnvis_report.report.views.overview.findings import Finding, accuracy, findings, pointing_sentence, precision
from cnnvis_report.report.views.overview.gallery_measures import agreement, image_measures
from cnnvis_report.report.views.report import Report
from cnnvis_report.store import load_run
from cnnvis_report.store.run_folder import StoredRun
from tests.fixtures.make_run import FOLDER

NONE = Bin(0, 0, 0.0)


def predictions(correct: int, images: int, mean: float = 0.95) -> Predictions:
    """So many of so many correct, all in one bin."""
    bins = (*[NONE] * 9, Bin(images, correct, mean))
    return Predictions(images, correct, images, (), bins, (), mean)


def report(evidence: Evidence | None = None, kind: ScoreKind = ScoreKind.SOFTMAX, **changes: Any) -> Report:
    """The small stored run with another record, summed up as if it had 20 images."""
    stored = load_run(FOLDER)
    network = replace(stored.record.network, kind=kind, names=("age",) if kind is ScoreKind.VALUE else ())
    record = replace(stored.record, network=network, evidence=evidence, **changes)
    if evidence is None:
        record = replace(record, evaluation=None)
    made = Report(StoredRun(stored.folder, record), QUALITIES[0])
    made.summary.images = 20
    return made


def found(made: Report) -> dict[str, Finding]:
    return {finding.topic: finding for finding in findings(made, SiteLinks())}


def test_accuracy_has_its_interval_and_calibration() -> None:
    """Wilson's interval of 34 of 36 is 81.86% to 98.46%; one bin is off by what its mean differs from its share."""
    assert accuracy(predictions(34, 36)) == (
        "94.4%, 34 of 36 images (95% interval 81.9% to 98.5%). Calibration error (ECE) 0.6%, n\u00a0=\u00a036."
    )
    assert accuracy(predictions(1000, 1000, 1.0)).startswith("100%, 1,000 of 1,000 images (95% interval 99.6% to 100%)")


@pytest.mark.parametrize(
    ("images", "ending"),
    [(1, " 1 image tells little."), (9, " 9 images tell little."), (10, "=\u00a010.")],
)
def test_few_images_are_said_to_tell_little(images: int, ending: str) -> None:
    assert accuracy(predictions(1, images)).endswith(ending)


def test_several_labels_have_precision_instead() -> None:
    labels = (LabelCounts("a", 4, 5, 3, 0.75), LabelCounts("b", 6, 5, 4, 0.25), LabelCounts("c", 0, 0, 0, None))
    counted = LabelPredictions(10, 3, labels, (Bin(30, 15, 0.5), *[NONE] * 9), ())
    assert precision(counted) == (
        "Mean average precision 50.0% over 2 labels; precision 70.0% and recall 70.0% above 50%; "
        "all labels correct on 3 of 10 images; calibration error (ECE) 0%."
    )
    nothing = LabelPredictions(1, 0, labels[2:], (Bin(1, 0, 0.25), *[NONE] * 9), ())
    assert precision(nothing) == (
        "All labels correct on 0 of 1 image; calibration error (ECE) 25.0%. 1 image tells little."
    )


def test_an_accuracy_on_training_images_is_said_to_be_too_good() -> None:
    made = report(in_training_set=1)
    made.summary.predictions = predictions(18, 20)
    finding = found(made)["Accuracy"]
    assert finding.text.endswith("1 of the 2 images is from the training set, so this is too good.")
    assert finding.link == "performance.html"


def test_without_labels_confidence_is_told_and_accuracy_isnt() -> None:
    made = report()
    summary = made.summary
    summary.predictions = None
    summary.confidence, summary.least_confident, summary.most_confident, summary.unknown = 10.0, 0.155, 0.999, 0
    assert found(made)["Confidence"].text == (
        "Mean confidence 50.0% over 20 images, from 15.5% to 99.9%. Accuracy isn't known: no image has a label."
    )
    summary.unknown = 1
    assert found(made)["Confidence"].text.endswith("known: 1 image with a label that the network doesn't know.")
    assert "sort=lowest" in found(made)["Confidence"].link


def test_values_are_told_by_their_range() -> None:
    made = report(kind=ScoreKind.VALUE)
    made.summary.predictions = None
    made.summary.lowest, made.summary.highest = -1.5, 41.25
    assert found(made)["Values"].text == "age ranges from −1.5 to 41.25 over 20 images."


@pytest.mark.parametrize("images", [0, 1])
def test_one_image_has_no_accuracy(images: int) -> None:
    made = report()
    made.summary.images = images
    assert "Accuracy" not in found(made) and "Confidence" not in found(made)


def method(name: str, mean: float, standing: Standing, **measures: MeasureOfMethod) -> MethodEvidence:
    gain = MeasureOfMethod(Interval(mean + 0.02, 0.4, 0.7, 16), Interval(mean, mean - 0.125, mean + 0.125, 16))
    return MethodEvidence(name, "", standing, {"gain": gain, **measures})


def pointing(mean: float, chance: float, images: int, *, low: float | None = 0.1) -> MeasureOfMethod:
    difference = Interval(mean - chance, low, None if low is None else 1.0, images)
    return MeasureOfMethod(Interval(mean, None, None, images), difference)


@pytest.mark.parametrize(
    ("measure", "sentence"),
    [
        (
            pointing(1.0, 0.125, 36),
            "The peak of CAM lies in the object's mask on 36 of 36 images; that of a random map on 12.5%.",
        ),
        (
            pointing(0.75, 0.5, 1, low=None),
            "The peak of CAM lies in the object's mask on 0.8 of 1 image (of equal peaks, the share that does); "
            "that of a random map on 50.0%. 1 image tells little.",
        ),
        (
            pointing(0.25, 0.2, 12, low=-0.3),
            "The peak of CAM lies in the object's mask on 3 of 12 images; that of a random map on 20.0%. "
            "That isn't distinguishable from chance.",
        ),
    ],
    ids=["all", "one image", "chance"],
)
def test_peaks_are_compared_with_chance(measure: MeasureOfMethod, sentence: str) -> None:
    assert pointing_sentence("CAM", method("cam", 0.5, Standing.BEST, pointing_game=measure)) == sentence


def evidence(*methods: MethodEvidence, **changes: Any) -> Evidence:
    made = Evidence(16, "gain", "", (), methods, recommended=("cam",), text=("Use it.",), limits=("Few images.",))
    return replace(made, **changes)


def test_the_best_recommended_method_with_masks_says_where_the_network_looks() -> None:
    methods = (
        method("gradient", 0.9, Standing.BETTER, pointing_game=pointing(1.0, 0.1, 20)),
        method("cam", 0.5, Standing.BEST, pointing_game=pointing(0.5, 0.1, 20)),
    )
    assert found(report(evidence(*methods)))["Where it looks"].text.startswith("The peak of CAM lies")
    without = replace(evidence(*methods), recommended=())
    assert found(report(without))["Where it looks"].text.startswith("The peak of Gradient lies")


def test_trust_names_what_to_use_and_to_avoid_with_numbers() -> None:
    methods = (method("cam", 0.5, Standing.BEST), method("gradient", -0.01, Standing.CHANCE))
    finding = found(report(evidence(*methods, avoid=("gradient",))))["Trust"]
    assert finding.text == (
        "Use CAM: it orders pixels by what the network uses better than a random map does (gain 0.50 [0.38, 0.62] "
        "above it, n\u00a0=\u00a016). "
        "Avoid Gradient: no better than a random map."
    )
    assert finding.link == "methods.html#all-measures"


@pytest.mark.parametrize(
    ("standings", "reason"),
    [
        ([Standing.WORSE], "no better than a random map."),
        ([Standing.FAILED], "failed a check."),
        ([Standing.CHANCE, Standing.FAILED], "no better than a random map, or failed a check."),
    ],
    ids=["worse", "failed", "both"],
)
def test_what_is_avoided_has_its_reason(standings: list[Standing], reason: str) -> None:
    names = ("gradient", "random")[: len(standings)]
    methods = [method(name, -0.01, standing) for name, standing in zip(names, standings, strict=True)]
    text = found(report(evidence(method("cam", 0.5, Standing.BEST), *methods, avoid=names)))["Trust"].text
    assert text.endswith(reason)


def test_without_a_ranking_the_reason_is_told() -> None:
    assert found(report(evidence(faithfulness="", recommended=(), text=())))["Trust"].text == "Few images."
    nothing = evidence(recommended=(), text=("No method is recommended: none is better.",))
    assert found(report(nothing))["Trust"].text == "No method is recommended: none is better."


def test_without_measurements_the_option_is_named() -> None:
    findings_of_run = found(report())
    assert findings_of_run["Trust"].text == ("Which methods to trust wasn't measured in this run: add --metrics quick.")


def test_agreement_is_the_median_over_pairs_of_the_methods_that_are_compared() -> None:
    names = ("cam", "twin", "gradient", "random", "lrp")
    maps = tuple(MapMetrics(name, "", 0, {}) for name in names)
    matrix: list[list[float | None]] = [
        [1.0, 1.0, 0.2, 0.0, 0.6],
        [1.0, 1.0, 0.2, 0.0, 0.6],
        [0.2, 0.2, 1.0, 0.0, None],
        [0.0, 0.0, 0.0, 1.0, 0.0],
        [0.6, 0.6, None, 0.0, 1.0],
    ]
    metrics = ImageMetrics(maps, tuple(tuple(row) for row in matrix))
    assert agreement(metrics, frozenset({"cam", "gradient", "lrp"})) == pytest.approx(0.4), "the median of 0.2 and 0.6"
    assert agreement(metrics, frozenset({"gradient", "lrp"})) is None and agreement(None, frozenset(names)) is None


def test_the_recommended_methods_are_compared_where_there_are_two() -> None:
    methods = (method("cam", 0.5, Standing.BEST), method("gradient", 0.4, Standing.COMPARABLE))
    both = evidence(*methods, recommended=("cam", "gradient"))
    assert image_measures(report(both)).compared == {"cam", "gradient"}
    assert "the 2 recommended methods" in found(report(both))["Where it looks"].text
    twin = replace(methods[1], same_as="cam")
    assert image_measures(report(evidence(methods[0], twin))).compared == {"cam"}, "no random map, and no twin"
