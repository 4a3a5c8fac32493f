"""The page of methods of a comparison: what two runs have is compared, and what one has is only named."""

from dataclasses import replace
from pathlib import Path

from cnnvis_report.records.evidence import Interval
from cnnvis_report.records.methods import Family
from cnnvis_report.report.comparison.methods import comparison_methods
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.views.links import SiteLinks
from tests.evidence.records import RANK, SCORE
from tests.report.comparison.planted import compared


def with_measures(report: ComparedReport, *names: tuple[str, ...]) -> ComparedReport:
    """The report where each run has measured what it is said to, of all methods."""
    value = Interval(0.5, 0.4, 0.6, 9)
    runs = tuple(
        replace(run, measures={name: {method.key: value for method in report.methods} for name in measured})
        for run, measured in zip(report.comparison.runs, names, strict=True)
    )
    comparison = replace(report.comparison, runs=runs, metrics=(SCORE, RANK))
    return ComparedReport(comparison, report.runs, 10)


def test_a_measure_of_one_run_alone_is_named_and_has_no_table(tmp_path: Path) -> None:
    report = with_measures(compared(tmp_path, count=3), ("gain", RANK.name), ("gain",), ())
    page = comparison_methods(report, SiteLinks())
    assert [table.anchor for table in page.tables if table.anchor in ("gain", RANK.name)] == ["gain"]
    assert page.alone == ["Measured in old <i> alone, and so not compared: Relevance rank."]


def test_methods_stand_by_family_the_best_known_first_and_random_maps_last(tmp_path: Path) -> None:
    report = compared(tmp_path)
    by_name = {method.info.name: method for method in report.comparison.methods}
    cam = by_name["cam"]
    named = [
        replace(cam, key=name, info=replace(cam.info, name=name, family=family, prominence=prominence))
        for name, family, prominence in (
            ("a_random", Family.BASELINE, 0),
            ("b_gradient", Family.GRADIENT, 9),
            ("c_cam", Family.CAM, 1),
            ("d_cam", Family.CAM, 5),
        )
    ]
    report = ComparedReport(replace(report.comparison, methods=tuple(named)), report.runs, 10)
    assert [method.key for method in report.methods] == ["d_cam", "c_cam", "b_gradient", "a_random"]
