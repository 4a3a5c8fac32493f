"""Charts: what is drawn is what was given, read back from the SVG, and no text of a stranger's becomes markup."""

from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from markupsafe import Markup

from cnnvis_report.report.charts.axes import amounts_axis, counting_axis, round_step, shares_axis
from cnnvis_report.report.charts.bars import Bar, Layer, bars, histogram
from cnnvis_report.report.charts.lines import Line, Moment, Point, calibration, lines
from cnnvis_report.report.charts.svg import Words

HOSTILE = "<script>alert('x')</script>&\"'"


def parsed(chart: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(chart)


def of_class(chart: Markup, *names: str) -> list[ElementTree.Element]:
    wanted = set(names)
    return [element for element in parsed(chart).iter() if wanted <= set(element.get("class", "").split())]


def percentages(elements: Sequence[ElementTree.Element], name: str) -> list[float]:
    return [float(element.attrib[name].removesuffix("%")) for element in elements]


def test_columns_are_as_high_as_their_counts() -> None:
    layers = [Layer("correct", "correct", [0, 3, 10]), Layer("misclassified", "misclassified", [4, 1, 0])]
    chart = histogram(Words("title"), layers, [0, 0.25, 0.5, 1], shares_axis("x"), "images")
    correct, misclassified = of_class(chart, "mark", "correct"), of_class(chart, "mark", "misclassified")
    assert percentages(correct, "height") == pytest.approx([30, 100]), (
        "of an axis that ends at 10; none where nothing is"
    )
    assert percentages(misclassified, "height") == pytest.approx([40, 10])
    assert percentages(misclassified, "y") == pytest.approx([60, 60]), "stacked on the correct ones"
    assert percentages(correct, "width") == pytest.approx([25 * 0.94, 50 * 0.94], abs=1e-3)
    assert [column.findtext("title") for column in misclassified] == [
        "4 misclassified: 0% to 25%",
        "1 misclassified: 25% to 50%",
    ]


def test_points_and_their_intervals_lie_where_the_shares_are() -> None:
    chart = calibration(Words("title"), [Point(0.25, 0.5, 0.3, 0.75, "half of 8")], "confidence", "accuracy")
    (point,) = [element for element in of_class(chart, "point") if element.tag == "circle"]
    assert percentages([point], "cx") == [25] and percentages([point], "cy") == [50]
    (interval,) = of_class(chart, "interval")
    assert percentages([interval], "y1") == [70] and percentages([interval], "y2") == [25]
    assert point.findtext("title") == "half of 8"


def test_lines_go_through_their_values() -> None:
    axes = counting_axis("epoch", 1, 4), amounts_axis("loss", 2.0)
    chart = lines(Words("title"), [Line("training", "training", [2.0, 1.0, float("nan"), 0.5])], [1, 2, 3, 4], axes)
    (line,) = [element for element in of_class(chart, "line", "training") if element.tag == "polyline"]
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert points == [(12.5, 0), (37.5, 50), (87.5, 75)], "a value that isn't finite is left out"
    assert len([element for element in of_class(chart, "dot") if element.tag == "circle"]) == 3


def test_a_moment_is_marked_where_it_was() -> None:
    axes = counting_axis("epoch", 1, 4), shares_axis("accuracy")
    chart = lines(Words("title"), [Line("training", "training", [0.1] * 4)], [1, 2, 3, 4], axes, [Moment(2, "kept")])
    (moment,) = of_class(chart, "moment")
    assert percentages([moment], "x1") == [37.5]


def test_bars_and_their_intervals_are_as_long_as_the_values() -> None:
    chart = bars(Words("title"), [Bar("accuracy", 0.8, "80%", 0.7, 0.9), Bar("f1", 0.5, "50%")], shares_axis(""))
    assert percentages(of_class(chart, "mark"), "width") == [80, 50]
    whisker, *_ = of_class(chart, "interval")
    assert (percentages([whisker], "x1"), percentages([whisker], "x2")) == ([70], [90])
    assert len(of_class(chart, "interval")) == 3, "a line with two ends; none where there is no interval"


CHARTS = {
    "bars": bars(Words(HOSTILE, HOSTILE), [Bar(HOSTILE, 0.5, HOSTILE, 0.4, 0.6)], shares_axis(HOSTILE)),
    "histogram": histogram(Words(HOSTILE), [Layer("a", HOSTILE, [1])] * 2, [0, 1], shares_axis(HOSTILE), HOSTILE),
    "calibration": calibration(Words(HOSTILE), [Point(0.5, 0.5, 0, 1, HOSTILE)], HOSTILE, HOSTILE),
    "lines": lines(
        Words(HOSTILE),
        [Line("a", HOSTILE, [1.0, 2.0])],
        [1, 2],
        (counting_axis(HOSTILE, 1, 2), amounts_axis(HOSTILE, 2)),
        [Moment(1, HOSTILE)],
    ),
}


@pytest.mark.parametrize("chart", CHARTS.values(), ids=CHARTS)
def test_every_chart_is_xml_with_a_name_and_nothing_of_a_stranger_in_it(chart: Markup) -> None:
    tree = parsed(chart)
    (drawn,) = [element for element in tree.iter("svg") if element.get("role") == "img"]
    assert drawn[0].tag == "title" and drawn[0].text == HOSTILE
    assert not list(tree.iter("script"))
    assert "<script" not in chart


def test_a_chart_without_values_is_still_a_chart() -> None:
    empty = [Layer("correct", "correct", [0, 0])]
    assert not of_class(histogram(Words("t"), empty, [0, 0.5, 1], shares_axis("x"), "images"), "mark")
    assert parsed(lines(Words("t"), [Line("a", "a", [])], [], (counting_axis("e", 1, 1), amounts_axis("", 0.0))))


@pytest.mark.parametrize(("least", "step"), [(0.3, 0.5), (1, 1), (1.01, 2), (2.1, 5), (7, 10), (0.011, 0.02)])
def test_steps_are_round(least: float, step: float) -> None:
    assert round_step(least) == pytest.approx(step)


@pytest.mark.parametrize(("highest", "end"), [(0.0, 1.0), (7, 8), (10, 10), (0.37, 0.4), (1944, 2000)])
def test_an_axis_ends_at_a_round_number_that_holds_everything(highest: float, end: float) -> None:
    axis = amounts_axis("", highest)
    assert axis.high == pytest.approx(end) and axis.ticks[0] == 0 and axis.ticks[-1] == pytest.approx(end)


def test_counts_have_whole_ticks() -> None:
    assert amounts_axis("", 2, whole=True).ticks == (0, 1, 2)
