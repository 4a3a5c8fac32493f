"""The colors of the pages: text can be read in both schemes, and right and wrong differ for everybody."""

import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

CSS = Path(__file__).parents[2] / "static" / "css"
SCHEMES = ("light", "dark", "print")
TEXT = ("ink", "muted", "accent", "correct", "misclassified")
GROUNDS = ("ground", "surface", "sunken", "accent-soft")

# Machado, Oliveira and Fernandes 2009, doi:10.1109/TVCG.2009.113: how linear RGB is seen without the cones for green
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def colors(scheme: str) -> dict[str, str]:
    """The colors that a scheme sets, by the names of their variables; print sets some of the light ones anew."""
    base = (CSS / "1-base.css").read_text(encoding="utf-8")
    paper = (CSS / "4-narrow-and-print.css").read_text(encoding="utf-8").partition("@media print")[2]
    block = {"light": base.partition("}")[0], "dark": base.partition('[data-theme="dark"]')[2].partition("}")[0]}
    text = block.get(scheme, block["light"] + paper.partition("}")[0])
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", text))


def long(color: str) -> str:
    """The six digits of "#rrggbb" or "#rgb"."""
    return color[1:] if len(color) == 7 else "".join(digit * 2 for digit in color[1:])


def linear(color: str) -> NDArray[np.float64]:
    """The linear RGB of "#rrggbb" or "#rgb"."""
    values = np.array(bytearray.fromhex(long(color))) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """The ratio of WCAG 2, from 1 to 21."""
    darker, lighter = sorted((float(LUMINANCE @ one), float(LUMINANCE @ other)))
    return (lighter + 0.05) / (darker + 0.05)


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB of linear RGB."""
    xyz = TO_XYZ @ np.clip(rgb, 0, 1) / (TO_XYZ @ np.ones(3))
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def test_the_measures_are_right_where_they_are_known() -> None:
    assert contrast(linear("#000"), linear("#fff")) == pytest.approx(21)
    assert contrast(linear("#777777"), linear("#ffffff")) == pytest.approx(4.48, abs=0.005)
    assert lab(linear("#fff")) == pytest.approx([100, 0, 0], abs=0.01)
    assert DEUTERANOPIA.sum(axis=1) == pytest.approx(1, abs=1e-5), "gray is seen as gray"
    red, green = (DEUTERANOPIA @ linear(color) for color in ("#c0392b", "#7d7a1f"))
    assert np.linalg.norm(lab(red) - lab(green)) < 20, "what looks alike without these cones"


@pytest.mark.parametrize(("scheme", "text", "ground"), list(product(SCHEMES, TEXT, GROUNDS)))
def test_text_can_be_read(scheme: str, text: str, ground: str) -> None:
    palette = colors(scheme)
    assert contrast(linear(palette[text]), linear(palette[ground])) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_on_the_accent_can_be_read(scheme: str) -> None:
    palette = colors(scheme)
    assert contrast(linear(palette["accent-ink"]), linear(palette["accent"])) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("sight", [np.eye(3), DEUTERANOPIA], ids=["trichromatic", "deuteranopia"])
def test_correct_and_misclassified_differ(scheme: str, sight: NDArray[np.float64]) -> None:
    palette = colors(scheme)
    correct, misclassified = (lab(sight @ linear(palette[name])) for name in ("correct", "misclassified"))
    assert np.linalg.norm(correct - misclassified) >= 40


@pytest.mark.parametrize("sheet", sorted(CSS.glob("*.css")), ids=lambda sheet: sheet.stem)
def test_no_text_is_smaller_than_12_pixels(sheet: Path) -> None:
    for size, unit in re.findall(
        r"font(?:-size)?:[^;}]*?(?<![\d.])([\d.]+)(rem|em|px)\b", sheet.read_text(encoding="utf-8")
    ):
        pixels = float(size) * (1 if unit == "px" else 15)
        assert pixels >= 12 - 1e-9, f"{size}{unit}"


MIXED = re.compile(
    r"color-mix\(in srgb, var\(--(\w+)\) calc\((?:(\d+)% \+ )?var\(--share\) \* (\d+)%\), var\(--surface\)\)"
)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_numbers_in_colored_cells_can_be_read(scheme: str) -> None:
    palette = colors(scheme)
    ink, surface = linear(palette["ink"]), np.array(bytearray.fromhex(long(palette["surface"])))
    cells = MIXED.findall("".join(sheet.read_text(encoding="utf-8") for sheet in CSS.glob("*.css")))
    assert len(cells) >= 4, "the confusion matrices, and the agreement of methods"
    for name, least, more in cells:
        full = palette["misclassified" if name == "problem" else name]
        part = (int(least or 0) + int(more)) / 100
        mixed = part * np.array(bytearray.fromhex(long(full))) + (1 - part) * surface
        assert contrast(ink, linear("#" + bytes(np.round(mixed).astype(np.uint8)).hex())) >= 4.5, (name, least, more)
