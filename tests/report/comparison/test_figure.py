"""The figure of a comparison has a column a run."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.errors import UnknownName
from cnnvis_report.records.methods import Sign
from cnnvis_report.report.comparison.figure import comparison_caption, comparison_figure
from cnnvis_report.report.figure.config import FigureConfig
from cnnvis_report.report.pictures.drawing import draw_map
from tests.conftest import command
from tests.fixtures.make_run import FOLDER
from tests.report.comparison.planted import HOSTILE, compared, runs


def test_two_runs_have_a_column_each_and_their_difference(tmp_path: Path) -> None:
    report = compared(tmp_path)
    figure = comparison_figure(report)
    assert figure is not None
    cam = ["Cam: old <i>", "Cam: new 1", "Cam: difference"]
    assert [column.title for column in figure.columns] == [*cam, *(title.replace("Cam", "Gradient") for title in cam)]
    assert [row.image.name for row in figure.rows[:2]] == ["c.png", HOSTILE]
    head = [(line.text, line.tone) for line in figure.rows[0].head]
    assert head[1:] == [
        ("old <i>: cat (75.0%)", "correct"),
        ("new 1: owl (75.0%)", "misclassified"),
        ("broken", "muted"),
    ]
    old, new, difference, *_ = figure.rows[0].maps
    assert old is not None and new is not None and difference is not None
    np.testing.assert_array_equal(difference, new - old)
    cell, method = figure.cell(0, 2), figure.columns[2].method
    assert cell is not None and method.shown_sign is Sign.SIGNED
    np.testing.assert_array_equal(cell((16, 16)), draw_map(figure.rows[0].picture, difference, method, (16, 16)))
    text = comparison_caption(report, figure)
    assert "Rows, of 5 images: 1 broken, 1 fixed and 3 whose relevance in the mask changed" in text
    assert "red where the map of new 1 is larger, blue where that of old <i> is" in text


def test_of_more_runs_the_columns_are_the_runs_alone(tmp_path: Path) -> None:
    figure = comparison_figure(compared(tmp_path, count=4))
    assert figure is not None and [column.title for column in figure.columns] == ["old <i>", "new 1", "new 2", "new 3"]


def test_images_methods_and_rows_can_be_named(tmp_path: Path) -> None:
    report = compared(tmp_path)
    figure = comparison_figure(report, FigureConfig(images=("e.png", "a.png"), methods=("gradient",)))
    assert figure is not None and [row.image.name for row in figure.rows] == ["e.png", "a.png"]
    assert [column.title for column in figure.columns] == ["old <i>", "new 1", "difference"]
    assert "Rows, of" not in comparison_caption(report, figure)
    short = comparison_figure(report, FigureConfig(rows=1))
    assert short is not None and len(short.rows) == 1
    with pytest.raises(UnknownName, match="gradient"):
        comparison_figure(report, FigureConfig(methods=("gradients",)))


def test_the_class_of_a_figure_is_no_choice_of_several_runs_and_its_variable_stops_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders, output = [run.folder for run in runs(tmp_path)], tmp_path / "f.png"
    assert "the comparison chooses" in command("figure", *folders, "-o", output, "--class", "label", code=2).stderr
    monkeypatch.setenv("CNNVIS_REPORT_FIGURE_CLASS", "label")
    command("figure", *folders, "-o", output, "--rows", "1")
    assert output.is_file()


def test_runs_that_are_the_same_are_not_said_to_have_moved_most(tmp_path: Path) -> None:
    folders = [Path(shutil.copytree(FOLDER, tmp_path / name)) for name in ("a", "b")]
    said = command("figure", *folders, "-o", tmp_path / "same.png").output
    assert "whose maps didn't move" in said and "moved most" not in said


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_command_draws_runs_as_columns(tmp_path: Path, suffix: str) -> None:
    folders = [run.folder for run in runs(tmp_path)]
    output = tmp_path / f"changed.{suffix}"
    result = command("figure", *folders, "-o", output, "--rows", 2)
    assert output.is_file() and "Cam and Gradient of old <i> and new 1" in result.output
    if suffix == "svg":
        text = output.read_text(encoding="utf-8")
        assert "<i>" not in text.replace("&lt;i&gt;", "") and "<script" not in text
    assert "no run" in command("figure", folders[0], tmp_path, "-o", output, code=2).output


def test_what_the_command_cannot_draw_is_one_line(tmp_path: Path) -> None:
    folders = [run.folder for run in runs(tmp_path)]
    output = tmp_path / "changed.png"
    refused = command("figure", *folders, "-o", output, "--class", "label", code=2).output
    assert refused.startswith("Error: --class label: maps of several runs") and not output.exists()
    (tmp_path / "diff").mkdir()
    (tmp_path / "diff" / "comparison.json").write_text("{}", "utf-8")
    assert "Give the runs that were compared" in command("figure", tmp_path / "diff", "-o", output, code=2).output
