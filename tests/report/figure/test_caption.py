"""The caption says what is shown, and LaTeX takes it as it stands."""

from dataclasses import replace

import pytest

from cnnvis_report.records.images import ClassScore
from cnnvis_report.records.scores import ScoreKind
from cnnvis_report.report.figure.caption import caption, latex
from cnnvis_report.report.figure.content import HeadLine
from cnnvis_report.report.figure.heads import head
from cnnvis_report.report.pictures.drawing import Look
from tests.evidence import records
from tests.report.figure.made import METHODS, figure, image, row


def test_it_says_model_class_rows_columns_scales_and_marks() -> None:
    drawn = figure(rule="the most confident correct image and the most confident error")
    assert caption(drawn) == (
        "Attribution maps of petnet for the predicted class."
        " Rows, of 9 images: the most confident correct image and the most confident error."
        " Columns: the input; Grad_Cam; Occlusion; Gradient; Saliency."
        " Each map is scaled to its largest absolute value (over the input, 50% opacity)"
        " or the 99th percentile of its absolute values (pixels alone);"
        " where values are signed, red speaks for the class and blue against it."
        " Outlines: ground-truth masks."
        " ✓ correct, ✗ error, with the probability of the predicted class."
    )


def test_columns_say_why_they_are_there() -> None:
    first, second, third, fourth = figure().columns
    columns = (
        replace(first, best=True),
        second,
        replace(third, warning="failed"),
        replace(fourth, method=replace(fourth.method, baseline=True)),
    )
    text = caption(figure(columns=columns))
    assert "Columns: the input; Grad_Cam; Occlusion; ⚠ Gradient (failed); a random map for comparison." in text


def test_the_colors_are_named_as_they_are() -> None:
    assert "orange speaks for the class and purple against it" in caption(figure(look=Look(signed="PuOr")))


def test_equal_maps_that_were_asked_for_are_said() -> None:
    assert "CAM and Grad-CAM give the same maps." in caption(figure(same=(("CAM", "Grad-CAM"),)))


def test_latex_is_told_nothing_by_a_name() -> None:
    drawn = figure([row(image("50%_&_$x^2$_#{a}~\\end{figure}.png"), METHODS, name="50%_&_$x^2$_#{a}~\\end{figure}")])
    text = latex(caption(drawn), 178, "fig.pdf")
    assert r"50\%\_\&\_\$x\textasciicircum{}2\$\_\#\{a\}\textasciitilde{}\textbackslash{}end\{figure\}" in text
    assert text.count(r"\end{figure*}") == 1 and r"\includegraphics[width=178mm]{fig.pdf}" in text
    assert latex("x", 88).startswith("% cnnvis-report figure\n\\begin{figure}\n"), "one column of a page"


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        pytest.param(
            image(label="cat"),
            [
                HeadLine("name", "ink", instead="image 7"),
                HeadLine("cat (87.5%)", "correct", "correct", "class 0 (87.5%)"),
            ],
            id="correct",
        ),
        pytest.param(
            image(label="dog"),
            [
                HeadLine("name", "ink", instead="image 7"),
                HeadLine("cat (87.5%)", "misclassified", "misclassified", "class 0 (87.5%)"),
                HeadLine("label: dog", "muted", instead="label: class 1"),
            ],
            id="error",
        ),
        pytest.param(
            image(label="zebra"),
            [
                HeadLine("name", "ink", instead="image 7"),
                HeadLine("cat (87.5%)", "ink", "", "class 0 (87.5%)"),
                HeadLine("label: zebra", "muted", instead="label unknown"),
            ],
            id="unknown label",
        ),
        pytest.param(
            image(label=""),
            [HeadLine("name", "ink", instead="image 7"), HeadLine("cat (87.5%)", "ink", "", "class 0 (87.5%)")],
            id="no label",
        ),
        pytest.param(
            replace(image(label=""), kind=ScoreKind.VALUE, top=(ClassScore(0, "age", 41.25, None),)),
            [HeadLine("name", "ink", instead="image 7"), HeadLine("age = 41.25", "ink", "", "output 0 = 41.25")],
            id="value",
        ),
        pytest.param(
            replace(image(label="cat"), kind=ScoreKind.SIGMOID, predicted=()),
            [
                HeadLine("name", "ink", instead="image 7"),
                HeadLine("no label above 50%", "misclassified", "misclassified"),
                HeadLine("label: cat", "muted", instead="label: label 0"),
            ],
            id="several labels, none predicted",
        ),
    ],
)
def test_the_head_of_a_row(shown: object, lines: list[HeadLine]) -> None:
    assert head(row(shown, METHODS, name="name")) == lines  # type: ignore[arg-type] # an image
    assert head(row(shown, METHODS, name="name", reason="why"))[-1] == HeadLine("why", "muted")  # type: ignore[arg-type]


def test_a_regression_is_told_by_its_output() -> None:
    network = replace(records.NETWORK, kind=ScoreKind.VALUE)
    drawn = figure()
    assert "maps of net for cat." in caption(replace(drawn, run=replace(drawn.run, network=network)))
