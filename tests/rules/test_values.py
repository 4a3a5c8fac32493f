"""The numbers that rules read: those of the pages, by names that the documentation has."""

from pathlib import Path

import pytest

from cnnvis_report.report.job_results import results_of_run
from cnnvis_report.report.loaded_report import load_report
from cnnvis_report.report.views.summary import summarize
from cnnvis_report.rules.names import CHANGES, RUN_VALUES, named
from cnnvis_report.rules.value import Value
from cnnvis_report.store.run_folder import load_run


@pytest.fixture(scope="module")
def values(report: Path) -> dict[str, Value]:
    return {value.label: value for value in results_of_run(load_run(report)).values}


def test_every_value_of_a_run_has_a_documented_name(report: Path, values: dict[str, Value]) -> None:
    measures = results_of_run(load_run(report)).measures
    known = named(RUN_VALUES, measures)
    assert {value.name for value in values.values()} <= set(known)
    for value in values.values():
        assert bool(value.key) == bool(known[value.name].key), value.label
    assert not set(known) & set(named(CHANGES, measures))


def test_predictions_are_counted_as_the_pages_count_them(report: Path, values: dict[str, Value]) -> None:
    predictions = summarize(load_run(report)).predictions
    assert predictions is not None
    assert values["accuracy"].interval.mean == predictions.accuracy
    assert values["misclassified"].interval.mean == predictions.images - predictions.correct
    assert values["calibration_error"].interval.mean == predictions.calibration_error
    recalls = [value.interval for value in values.values() if value.name == "recall"]
    correct = sum(round(interval.mean * interval.images) for interval in recalls)
    assert (correct, sum(interval.images for interval in recalls)) == (predictions.correct, predictions.images)


def test_measures_are_those_of_the_evidence(report: Path, values: dict[str, Value]) -> None:
    for method, measures in load_report(report).metrics.items():
        for name, mean in measures.items():
            if method != "random":
                assert values[f"{name}[{method}]"].interval.mean == mean
    assert not any(value.key == "random" for value in values.values())
