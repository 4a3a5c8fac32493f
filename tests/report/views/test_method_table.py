"""The table of methods: its cells are what the evidence says, and sources lead to where they say."""

from dataclasses import replace

import pytest

from cnnvis_report.report.bibtex import linked
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.views.methods.measure_tables import measures_tables
from cnnvis_report.report.views.methods.method_rows import method_rows
from cnnvis_report.report.views.methods.method_table import MethodTable, method_table
from cnnvis_report.report.views.report import Report
from cnnvis_report.store import load_run
from tests.fixtures.make_run import FOLDER
from tests.narrow import present


@pytest.fixture(scope="module")
def report() -> Report:
    return Report(load_run(FOLDER), QUALITIES[0])


@pytest.fixture(scope="module")
def table(report: Report) -> MethodTable:
    return method_table(report.run, report.evidence, method_rows(report))


def test_every_method_has_a_cell_in_every_column(report: Report, table: MethodTable) -> None:
    assert {entry.row.method.name for entry in table.rows} == {method.name for method in report.run.methods}
    assert all(len(entry.cells) == len(table.columns) for entry in table.rows)


def test_rows_are_in_the_order_of_the_evidence(report: Report, table: MethodTable) -> None:
    assert report.evidence is not None
    order = list(dict.fromkeys(verdict.method for verdict in report.evidence.methods))
    assert [entry.row.method.name for entry in table.rows] == order


def test_passes_are_sorted_by_their_number(report: Report, table: MethodTable) -> None:
    assert report.evidence is not None
    column = [column.name for column in table.columns].index("passes")
    orders = {entry.row.method.name: entry.cells[column].order for entry in table.rows}
    for verdict in report.evidence.methods:
        assert float(orders[verdict.method]) == (verdict.forward or 0) + (verdict.backward or 0)


def test_without_evidence_methods_stand_by_family(report: Report) -> None:
    rows = method_rows(report)
    table = method_table(report.run, None, rows)
    assert [column.name for column in table.columns] == ["family", "passes"]
    assert [entry.row for entry in table.rows] == rows


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("no source: noise", [("no source: noise", "")]),
        (
            "Fu et al. 2020, arXiv:2008.02312, eq. 8",
            [
                ("Fu et al. 2020, ", ""),
                ("arXiv:2008.02312", "https://arxiv.org/abs/2008.02312"),
                (", eq. 8", ""),
            ],
        ),
        (
            "A 2019, doi:10.1/x; B 2020, arXiv:1.2",
            [
                ("A 2019, ", ""),
                ("doi:10.1/x", "https://doi.org/10.1/x"),
                ("; B 2020, ", ""),
                ("arXiv:1.2", "https://arxiv.org/abs/1.2"),
            ],
        ),
        ("javascript:alert(1)", [("javascript:alert(1)", "")]),
    ],
    ids=["none", "arXiv", "two works", "an address of another kind"],
)
def test_identifiers_are_links(source: str, expected: list[tuple[str, str]]) -> None:
    assert linked(source) == expected


def test_a_measure_on_which_no_image_counts_has_no_column(report: Report) -> None:
    """Of scores that are no probabilities two measures have one title, and one of them is never defined."""
    evidence = present(report.evidence)
    counts = [measure.images for measure in evidence.measures]
    shown = [column.images for table in measures_tables(report.run, evidence) for column in table.columns]
    assert 0 in counts and sorted(shown) == sorted(filter(None, counts))
    nothing = replace(evidence, measures=tuple(replace(measure, images=0) for measure in evidence.measures))
    assert measures_tables(report.run, nothing) == []
