"""Maps drawn over pictures, their color bars, arrays grown and shrunk, and outlines of masks."""

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.records.methods import Kind, MethodInfo, Reduction, Sign
from cnnvis_report.report.pictures.drawing import GROUND, Look, bar_colors, draw_map, draw_picture
from cnnvis_report.report.pictures.outline import Mask, Polygon, outline
from cnnvis_report.report.pictures.palettes import POSITIVE, SIGNED, limit, stops, table
from cnnvis_report.report.pictures.resample import Growth, resize


def method(kind: Kind, sign: Sign) -> MethodInfo:
    return MethodInfo("m", "M", "f", "s", sign, kind, Reduction.SUM, False, "quick", "", "", {})


GRAY = np.full((8, 8, 3), GROUND, np.uint8)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("sign", Sign)
@pytest.mark.parametrize("opacity", [0.3, 0.5, 1.0])
def test_a_bar_has_the_very_colors_of_the_map(kind: Kind, sign: Sign, opacity: float) -> None:
    look = Look(opacity=opacity, smooth=False)
    values = np.linspace(-1 if sign is Sign.SIGNED else 0, 1, 8, dtype=np.float32)
    drawn = draw_map(GRAY, np.tile(values, (8, 1)), method(kind, sign), (8, 8), look, end=1.0)
    np.testing.assert_allclose(drawn[3].astype(int), bar_colors(sign, kind, look, 8), atol=1)


@pytest.mark.parametrize("palette", SIGNED)
def test_zero_of_a_signed_map_is_the_picture_itself_and_alone_the_background(palette: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    zeros = np.zeros((4, 4), np.float32)
    look = Look(signed=palette, background=(250, 240, 230))
    over = draw_map(picture, zeros, method(Kind.LAYER, Sign.SIGNED), (16, 16), look)
    assert np.array_equal(over, picture)
    alone = draw_map(picture, zeros, method(Kind.PIXEL, Sign.SIGNED), (16, 16), look)
    assert np.abs(alone.astype(int) - look.background).max() <= 2, "the middle lies between two steps"


@pytest.mark.parametrize("palette", POSITIVE)
def test_a_positive_map_lies_over_the_picture_with_one_opacity(palette: str) -> None:
    values = np.array([[0.0, 1.0]], np.float32)
    card = method(Kind.LAYER, Sign.POSITIVE)
    drawn = draw_map(GRAY, values, card, (8, 8), Look(positive=palette, opacity=0.25, smooth=False))
    for column, color in ((0, table(palette)[0]), (7, table(palette)[-1])):
        assert np.abs(drawn[0, column] - (0.75 * GROUND + 0.25 * color)).max() <= 0.5


def test_for_the_class_is_red_and_against_it_is_blue() -> None:
    bar = bar_colors(Sign.SIGNED, Kind.PIXEL).astype(int)
    assert bar[0, 2] > bar[0, 0] and bar[-1, 0] > bar[-1, 2]
    assert bar[30, 2] - bar[30, 0] > 100 and bar[-30, 0] - bar[-30, 2] > 100


@pytest.mark.parametrize("palette", [*POSITIVE, *SIGNED])
def test_a_table_goes_through_its_stops(palette: str) -> None:
    colors = stops(palette)
    assert (palette in POSITIVE) or len(colors) % 2, "a signed palette has a middle"
    assert tuple(table(palette)[0]) == colors[0] and tuple(table(palette)[-1]) == colors[-1]
    assert tuple(table(palette, (1, 2, 3))[0]) == colors[0]


def test_ends_are_those_of_the_map_unless_they_are_given() -> None:
    values = np.linspace(0, 1, 10_000, dtype=np.float32).reshape(100, 100)
    pixel, layer = method(Kind.PIXEL, Sign.POSITIVE), method(Kind.LAYER, Sign.POSITIVE)
    for card, clipped in ((pixel, True), (layer, False)):
        own = draw_map(GRAY, values, card, (8, 8))
        assert np.array_equal(own, draw_map(GRAY, values, card, (8, 8), end=limit(values, clipped=clipped)))
        assert not np.array_equal(own, draw_map(GRAY, values, card, (8, 8), end=2.0))


def test_more_places_than_pixels_are_averaged_as_colors() -> None:
    values = np.indices((16, 16)).sum(0).astype(np.float32) % 2 * 2 - 1
    drawn = draw_map(GRAY, values, method(Kind.PIXEL, Sign.SIGNED), (8, 8))
    ends = (table("RdBu", (255, 255, 255))[[0, -1]]).mean(axis=0)
    assert np.abs(drawn - ends).max() <= 0.5, "red beside blue is no zero"


def test_pictures_of_one_channel_are_gray() -> None:
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert np.array_equal(draw_picture(picture, (8, 8)), np.repeat(picture[..., None], 3, axis=2))


def test_a_cubic_goes_through_the_values_and_keeps_straight_lines_straight() -> None:
    ramp = np.arange(12, dtype=np.float64)[None]
    grown = resize(ramp, (1, 36))
    np.testing.assert_allclose(grown[0, 1::3], ramp[0], atol=1e-5)
    np.testing.assert_allclose(grown[0, 6:30], (np.arange(36)[6:30] + 0.5) / 3 - 0.5, atol=1e-5)


@pytest.mark.parametrize("size", [(31, 40), (12, 12), (97, 21)], ids=str)
def test_away_from_the_edge_it_is_pillow_s_bicubic(size: tuple[int, int]) -> None:
    values = np.random.default_rng(1).normal(size=(12, 12)).astype(np.float32)
    expected = np.asarray(Image.fromarray(values).resize(size[::-1], Image.Resampling.BICUBIC))
    inner = tuple(slice(-(-3 * after // 12), after - -(-3 * after // 12)) for after in size)
    np.testing.assert_allclose(resize(values, size)[inner], expected[inner], atol=1e-5)


@pytest.mark.parametrize("growth", Growth)
@pytest.mark.parametrize("size", [(3, 5), (8, 8), (20, 31), (7, 40)], ids=str)
def test_a_constant_stays_one(growth: Growth, size: tuple[int, int]) -> None:
    np.testing.assert_allclose(resize(np.full((8, 8, 2), 3.5), size, growth), 3.5, rtol=1e-6)


def test_fewer_places_are_means_over_areas() -> None:
    values = np.random.default_rng(2).normal(size=(9, 5))
    slow = np.kron(values, np.ones((2, 2))).reshape(2, 9, 2, 5).mean(axis=(1, 3))
    np.testing.assert_allclose(resize(values, (2, 2)), slow, rtol=1e-6)


def test_squares_stay_squares() -> None:
    values = np.array([[1.0, 2.0]])
    assert resize(values, (2, 6), Growth.NEAREST).tolist() == [[1, 1, 1, 2, 2, 2]] * 2


def area(polygon: Polygon) -> float:
    following = [*polygon[1:], polygon[0]]
    return sum(a[0] * b[1] - a[1] * b[0] for a, b in zip(polygon, following, strict=True)) / 2


def drawn_mask(*rows: str) -> Mask:
    return np.array([[letter == "#" for letter in row] for row in rows])


@pytest.mark.parametrize(
    ("mask", "areas"),
    [
        (drawn_mask("....", "....", "...."), []),
        (drawn_mask("....", ".#..", "...."), [0.5]),
        (drawn_mask("##", "##"), [3.5]),
        (drawn_mask("#.", ".#"), [0.5, 0.5]),
        (drawn_mask("####", "#..#", "####"), [11.5, -1.5]),
    ],
    ids=["nothing", "one pixel", "all of it", "two at a corner", "a hole"],
)
def test_outlines(mask: Mask, areas: list[float]) -> None:
    assert sorted(map(area, outline(mask)), reverse=True) == areas, "half a pixel is cut off at every corner"


def test_an_outline_keeps_what_is_inside_apart_from_what_is_not() -> None:
    rows, columns = np.indices((40, 40))
    mask = ((rows - 20) ** 2 + (columns - 17) ** 2 < 150) & ((rows - 20) ** 2 + (columns - 17) ** 2 > 20)
    polygons = outline(mask)
    assert len(polygons) == 2

    def crossings(row: int, column: int) -> int:  # a ray to the right, a little off the middle of the pixel
        x, y, count = column + 0.5, row + 0.51, 0
        for polygon in polygons:
            for (x0, y0), (x1, y1) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
                count += (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        return count

    for row in range(0, 40, 3):
        for column in range(0, 40, 3):
            assert (crossings(row, column) % 2 == 1) == mask[row, column]


@pytest.mark.parametrize("strength", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("opacity", [0.4, 0.9])
def test_a_signed_map_covers_the_picture_in_proportion_to_its_values(strength: float, opacity: float) -> None:
    values = np.full((8, 8), -strength, np.float32)
    look = Look(opacity=opacity)
    drawn = draw_map(GRAY, values, method(Kind.LAYER, Sign.SIGNED), (8, 8), look, end=1.0)
    alpha = min(1.0, 1.5 * opacity) * strength
    color = table("RdBu")[round((1 - strength) / 2 * (len(table("RdBu")) - 1))]
    assert np.abs(drawn - (GROUND * (1 - alpha) + color * alpha)).max() <= 1
