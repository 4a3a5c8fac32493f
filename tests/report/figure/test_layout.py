"""Everything on a sheet lies within it, fits, and is what `draw_map` draws."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from cnnvis_report.errors import BadRequest
from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.report.figure.content import Figure
from cnnvis_report.report.figure.fonts import AnyFont, Font, PillowFont, shortened, spelled, wrapped
from cnnvis_report.report.figure.layout import lay_out
from cnnvis_report.report.figure.sheet import Box, Line, Raster, Sheet, Text
from cnnvis_report.report.figure.style import Style
from cnnvis_report.report.pictures.drawing import bar_colors, draw_map
from tests.report.figure.made import METHODS, figure, image, row

FONTS = [pytest.param(PillowFont(), id="pillow"), pytest.param(AnyFont(), id="any")]
LONG = "a_very_long_folder/" + "x" * 120 + "/картинка 猫 <b>&\u202e$x_1$.png"


def difficult() -> Figure:
    """Long names, letters of other alphabets, a wide picture, a high one, and a map that is missing."""
    rows = [
        row(image(LONG, "dog"), METHODS, reason="2nd most confident error", masked=True),
        row(image("wide.png", size=(8, 32)), METHODS, reason="lowest agreement of methods"),
        row(image("high.png", "猫", size=(64, 8)), METHODS),
    ]
    rows[1] = replace(rows[1], maps=(None, *rows[1].maps[1:]))
    titles = ["Supercalifragilisticexpialidocious maps", "Integrated gradients", "Input × gradient", "猫"]
    columns = [replace(c, title=title, warning="x") for c, title in zip(figure().columns, titles, strict=True)]
    return figure(rows, columns=tuple(columns))


def extent(text: Text) -> Box:
    left = text.x - text.width * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor]
    return Box(left, text.y - 0.75 * text.size, text.width, 0.95 * text.size)


def texts(sheet: Sheet) -> list[Text]:
    return [element for element in sheet.elements if isinstance(element, Text)]


@pytest.mark.parametrize("font", FONTS)
@pytest.mark.parametrize(
    "style",
    [
        pytest.param(Style(), id="178 mm"),
        pytest.param(Style(width_mm=120), id="120 mm"),
        pytest.param(Style(width_mm=300, font_size=12, dpi=192), id="300 mm, 12 points"),
    ],
)
def test_all_text_lies_within_the_sheet_and_none_over_another_or_a_picture(font: Font, style: Style) -> None:
    for drawn in (figure(), difficult()):
        sheet = lay_out(drawn, style, font)
        boxes = [extent(text) for text in texts(sheet)]
        for text, box in zip(texts(sheet), boxes, strict=True):
            assert box.x >= -1e-6 and box.x + box.width <= sheet.width + 1e-6, text
            assert box.y >= -1e-6 and box.y + box.height <= sheet.height + 1e-6, text
            assert text.size == style.font_size
            assert font.width(text.text, text.size) == pytest.approx(text.width)
        for line in [element for element in sheet.elements if isinstance(element, Line)]:
            assert all(-1e-6 <= x <= sheet.width + 1e-6 and -1e-6 <= y <= sheet.height + 1e-6 for x, y in line.points)
        pictures = [element.box for element in sheet.elements if isinstance(element, Raster)]
        for one, other in combinations([*boxes, *pictures], 2):
            assert not overlap(one, other), (one, other)


def overlap(one: Box, other: Box) -> bool:
    slack = 1e-6
    return (
        one.x + one.width > other.x + slack
        and other.x + other.width > one.x + slack
        and one.y + one.height > other.y + slack
        and other.y + other.height > one.y + slack
    )


def test_cells_are_the_very_pixels_of_draw_map() -> None:
    drawn = figure()
    sheet = lay_out(drawn, Style(), PillowFont())
    rasters = [element for element in sheet.elements if isinstance(element, Raster)]
    shown = drawn.rows[1]
    for column, method in enumerate(METHODS):
        raster = rasters[len(METHODS) + 1 + 1 + column]  # behind the first row, and the second one's input
        size = (sheet.pixels(raster.box.height), sheet.pixels(raster.box.width))
        values = shown.maps[column]
        assert values is not None
        np.testing.assert_array_equal(sheet.drawn(raster), draw_map(shown.picture, values, method, size))


def test_there_is_a_bar_for_each_kind_of_scale_in_its_very_colors() -> None:
    sheet = lay_out(figure(), Style(), PillowFont())
    bars = [element for element in sheet.elements if isinstance(element, Raster)][-4:]
    kinds = [
        (Sign.POSITIVE, Kind.LAYER), (Sign.SIGNED, Kind.AREA), (Sign.SIGNED, Kind.PIXEL), (Sign.POSITIVE, Kind.PIXEL)
    ]  # fmt: skip
    for bar, (sign, kind) in zip(bars, kinds, strict=True):
        pixels, ends = sheet.drawn(bar)[0], bar_colors(sign, kind, figure().look, 512)
        np.testing.assert_array_equal(pixels[[0, -1]], ends[[0, -1]])
    words = [text.text for text in texts(sheet)]
    assert words.count("against") == words.count("for") == 2 and words.count("high") == words.count("0") - 2 == 2


def test_boxes_lie_on_the_grid_of_the_pixels() -> None:
    sheet = lay_out(difficult(), Style(), PillowFont())
    for element in sheet.elements:
        if isinstance(element, Raster):
            for length in (element.box.x, element.box.y, element.box.width, element.box.height):
                assert length * 300 / 72 == pytest.approx(round(length * 300 / 72), abs=1e-6)


def test_a_mask_is_outlined_in_every_cell_of_its_row() -> None:
    def loops(drawn: Figure) -> list[Line]:
        elements = lay_out(drawn, Style(), PillowFont()).elements
        return [line for line in elements if isinstance(line, Line) and line.closed and line.color == (255, 255, 255)]

    assert len(loops(figure())) == len(METHODS) + 1
    unmasked = tuple(replace(shown, mask=None) for shown in figure().rows)
    assert not loops(figure(rows=unmasked))
    assert "mask" not in [text.text for text in texts(lay_out(figure(rows=unmasked), Style(), PillowFont()))]


def test_a_width_that_cannot_hold_the_columns_says_which_would() -> None:
    with pytest.raises(BadRequest) as refusal:
        lay_out(figure(), Style(width_mm=60), PillowFont())
    message = str(refusal.value)
    assert message.startswith("A figure 60 mm wide holds 2 of its 4 methods beside the input")
    needed = float(message.partition("--width ")[2].partition("mm")[0])
    assert lay_out(figure(), Style(width_mm=needed), PillowFont()).width == pytest.approx(needed * 72 / 25.4, abs=1)
    assert needed < 120


def test_cells_lead_where_they_are_drawn() -> None:
    sheet = lay_out(figure(), Style(), PillowFont())
    titles = [cell for cell in sheet.cells if cell.row is None]
    cells = [cell for cell in sheet.cells if cell.row is not None and cell.column is not None]
    assert [cell.column for cell in titles] == [0, 1, 2, 3, 4] and len(cells) == 10
    rasters = [element.box for element in sheet.elements if isinstance(element, Raster)][:10]
    assert [cell.box for cell in cells] == rasters


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param("Grad-CAM", ["Grad-CAM"], id="fits"),
        pytest.param("Integrated gradients", ["Integrated", "gradients"], id="two words"),
        pytest.param("Backpropagation", ["Backprop-", "agation"], id="one long word"),
        pytest.param("Integral-CAM", ["Integral-", "CAM"], id="at its hyphen"),
        pytest.param("SmoothGradient", ["Smooth-", "Gradient"], id="before its capital"),
        pytest.param("x1" * 20, None, id="no word: shortened"),
    ],
)
def test_titles_wrap(text: str, lines: list[str] | None) -> None:
    font, room = PillowFont(), PillowFont().width("Integrated", 8) + 1
    made = wrapped(text, room, 8, font, 3)
    assert all(font.width(line, 8) <= room for line in made)
    assert made == lines if lines else "…" in made[0]


def test_what_is_too_long_loses_its_middle() -> None:
    font = PillowFont()
    room = font.width("abc…xyz", 8)
    assert shortened("abcdefghijklmnopqrstuvwxyz", room + 0.01, 8, font) == "abc…xyz"
    assert shortened("abc", room, 8, font) == "abc"
    assert shortened("abc", 0.1, 8, font) == ""


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("crème brûlée", "creme brulee", id="accents"),
        pytest.param("Input × gradient − 1", "Input x gradient - 1", id="signs"),
        pytest.param("猫.png", "image 7", id="another alphabet"),
        pytest.param("a\n\tb\u202ec", "a b c", id="control characters"),
    ],
)
def test_a_font_without_a_letter_says_something_else(text: str, plain: str) -> None:
    assert spelled(text, PillowFont(), "image 7") == plain
    kept = spelled(text, AnyFont(), "image 7")
    assert kept == " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
