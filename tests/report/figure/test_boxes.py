"""Predicted boxes upon the cells of a figure: where they are, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest

from cnnvis_report.records.images import ClassScore
from cnnvis_report.report.figure.caption import caption
from cnnvis_report.report.figure.content import Corners, Figure, corners_of
from cnnvis_report.report.figure.fonts import AnyFont
from cnnvis_report.report.figure.layout import lay_out
from cnnvis_report.report.figure.marks import CASING, DARK, LIGHT, YELLOW
from cnnvis_report.report.figure.sheet import Line, Raster, Sheet, Text
from cnnvis_report.report.figure.style import Style
from tests.report.figure.made import METHODS, figure, image, row

BOXES = np.array(
    [[1, 2, 3, 4, 1, 0.9], [5, 6, 7, 8, 0, 0.8], [2, 2, 9, 9, 1, 0.7], [0, 0, 1, 1, 1, 0.2]], dtype=np.float32
)


def with_box(corners: Corners | None, size: tuple[int, int] = (16, 16), *, masked: bool = False) -> Figure:
    return figure([replace(row(image(size=size), METHODS, masked=masked), boxes=(corners,) * (1 + len(METHODS)))])


def outlines(sheet: Sheet) -> list[Line]:
    return [line for line in sheet.elements if isinstance(line, Line) and line.color == YELLOW and line.closed]


@pytest.mark.parametrize("size", [(16, 16), (8, 24)], ids=["square", "wide"])
def test_a_box_lies_in_every_cell_where_it_lies_in_the_picture(size: tuple[int, int]) -> None:
    sheet = lay_out(with_box((2.0, 3.0, 10.5, 6.0), size), Style(), AnyFont())
    cells = [raster.box for raster in sheet.elements if isinstance(raster, Raster)][: 1 + len(METHODS)]
    assert len(outlines(sheet)) == len(cells)
    for line, cell in zip(outlines(sheet), cells, strict=True):
        across = [(x - cell.x) / cell.width * size[1] for x, _ in line.points]
        down = [(y - cell.y) / cell.height * size[0] for _, y in line.points]
        assert across == pytest.approx([2, 10.5, 10.5, 2]) and down == pytest.approx([3, 3, 6, 6])


def test_the_whole_line_of_a_box_at_the_edge_lies_in_the_cell() -> None:
    sheet = lay_out(with_box((0.0, 3.0, 16.0, 16.0)), Style(), AnyFont())
    cell = next(raster.box for raster in sheet.elements if isinstance(raster, Raster))
    half = CASING * Style().font_size / 2
    right, bottom = cell.x + cell.width, cell.y + cell.height
    assert outlines(sheet)[0].points[0][0] == pytest.approx(cell.x + half)
    assert outlines(sheet)[0].points[2] == pytest.approx((right - half, bottom - half))


@pytest.mark.parametrize(("masked", "boxed"), [(True, True), (True, False), (False, True), (False, False)])
def test_outlines_are_explained_where_there_are_some(masked: bool, boxed: bool) -> None:
    drawn = with_box((2.0, 3.0, 10.0, 6.0) if boxed else None, masked=masked)
    sheet = lay_out(drawn, Style(), AnyFont())
    names = [text.text for text in sheet.elements if isinstance(text, Text)]
    keys = [line.color for line in sheet.elements if isinstance(line, Line) and not line.closed and line.color != DARK]
    assert (names.count("mask"), names.count("box")) == (masked, boxed)
    assert [color for color in keys if color in (LIGHT, YELLOW)] == [LIGHT] * masked + [YELLOW] * boxed
    assert ("Yellow: the box whose score is explained." in caption(drawn)) is boxed


@pytest.mark.parametrize(
    ("index", "corners"),
    [(1, (1, 2, 3, 4)), (0, (5, 6, 7, 8)), (1 + 3, (2, 2, 9, 9)), (1 + 6, (0, 0, 1, 1)), (0 + 3, None), (2, None)],
)
def test_second_and_third_boxes_of_a_class_are_counted_within_the_class(index: int, corners: Corners | None) -> None:
    assert corners_of(ClassScore(index, "a", 1.0, 0.5), BOXES, 3, (16, 16)) == corners


@pytest.mark.parametrize(
    ("box", "within"),
    [
        ((-4, 3, 40, 90), (0, 3, 24, 8)),
        ((30, 1, 40, 5), None),
        ((-9, 1, 0, 5), None),
        ((2, -7, 5, -1), None),
        ((5, 2, 5, 6), None),
        ((9, 2, 3, 6), None),
    ],
    ids=["beyond", "right of it", "left of it", "above it", "no width", "turned round"],
)
def test_of_a_box_the_part_within_the_picture_is_drawn(box: Corners, within: Corners | None) -> None:
    boxes = np.array([[*box, 0, 0.9]], dtype=np.float32)
    assert corners_of(ClassScore(0, "a", 1.0, 0.5), boxes, 3, (8, 24, 3)) == within
