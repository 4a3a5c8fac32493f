"""PNG, SVG and PDF: their size, their letters, and the same bytes every time."""

import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.report.figure.caption import caption
from cnnvis_report.report.figure.fonts import AnyFont, PillowFont, pillow_font
from cnnvis_report.report.figure.layout import lay_out
from cnnvis_report.report.figure.pdf import DejaVu, pdf
from cnnvis_report.report.figure.png import paint, png
from cnnvis_report.report.figure.save import PAGE
from cnnvis_report.report.figure.sheet import Raster, Text
from cnnvis_report.report.figure.style import DARK, Style
from cnnvis_report.report.figure.svg import svg
from tests.report.figure.made import METHODS, figure, image, row

SVG = "{http://www.w3.org/2000/svg}"


def test_a_png_says_its_size_in_print_and_holds_the_cells_pixel_by_pixel() -> None:
    sheet = lay_out(figure(), Style(), PillowFont())
    with Image.open(io.BytesIO(png(sheet))) as file:
        pixels, dpi, size = np.asarray(file), file.info["dpi"], file.size
        assert "cnnvis-report" in file.info["Software"]
    assert dpi == pytest.approx((300, 300), abs=0.1)
    assert size[0] / 300 * 25.4 == pytest.approx(178, abs=0.1)
    for raster in [element for element in sheet.elements if isinstance(element, Raster)]:
        cell = sheet.drawn(raster)
        top, left = round(raster.box.y * 300 / 72), round(raster.box.x * 300 / 72)
        inner = (slice(3, -3), slice(3, -3))  # the frame lies on the edge
        covered = raster.box.y < 100  # the first row has outlines
        if not covered:
            stored = pixels[top : top + cell.shape[0], left : left + cell.shape[1]]
            np.testing.assert_array_equal(stored[inner], cell[inner])


def test_letters_that_pixels_widen_stay_on_the_sheet() -> None:
    """At the resolution of a page each letter is as wide as whole pixels, which adds up along a line."""
    reason = "highest share of the largest region"
    sheet = lay_out(figure([row(image("a.png"), METHODS, reason=reason)]), PAGE, PillowFont(PAGE.dpi))
    lines = [text for text in sheet.elements if isinstance(text, Text) and text.text[:11] == reason[:11]]
    assert len(lines) == 1 and reason.startswith(lines[0].text) and lines[0].text != reason, (
        "it has no room in one line"
    )
    for text in lines:
        drawn = pillow_font(text.size * PAGE.dpi / 72).getlength(text.text)
        assert drawn <= text.x * PAGE.dpi / 72, f"{text.text!r} begins left of the sheet"


def test_a_dark_figure_has_the_same_maps() -> None:
    light, dark = (lay_out(figure(), Style(theme=theme), PillowFont()) for theme in (Style().theme, DARK))
    assert [cell.box for cell in light.cells] == [cell.box for cell in dark.cells]
    assert tuple(paint(dark)[0, 0]) == DARK.background and tuple(paint(light)[0, 0]) == (255, 255, 255)


def hostile() -> Any:
    return figure(
        [row(image("<script>alert(1)</script>\x00\x1b & 猫 \udcff.png", "]]>& $\\no_such$"), METHODS, masked=True)]
    )


@pytest.mark.parametrize("drawn", [figure(), hostile()], ids=["plain", "hostile"])
def test_an_svg_is_one_whose_letters_are_text(drawn: Any) -> None:
    sheet = lay_out(drawn, Style(), AnyFont())
    root = ElementTree.fromstring(svg(sheet, caption(drawn)))
    assert root.attrib["width"] == f"{sheet.width * 25.4 / 72:.4f}mm"
    assert float(root.attrib["width"].removesuffix("mm")) == pytest.approx(178, abs=0.1)
    texts = [element for element in sheet.elements if isinstance(element, Text)]
    assert [node.text for node in root.iter(f"{SVG}text")] == [text.text for text in texts]
    assert {node.attrib["font-size"] for node in root.iter(f"{SVG}text")} == {"8"}
    pictures = [node.attrib["href"] for node in root.iter(f"{SVG}image")]
    assert len(pictures) == sum(isinstance(element, Raster) for element in sheet.elements)
    assert all(address.startswith("data:image/png;base64,") for address in pictures)
    assert not list(root.iter(f"{SVG}script")) and {node.tag.removeprefix(SVG) for node in root.iter()} <= {
        "svg", "desc", "rect", "image", "text", "polygon", "polyline"
    }  # fmt: skip
    assert next(root.iter(f"{SVG}desc")).text == caption(drawn)


@pytest.mark.parametrize("drawn", [figure(), hostile()], ids=["plain", "hostile"])
def test_a_pdf_is_178_mm_wide_and_embeds_its_letters_as_truetype(drawn: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib isn't installed (extra 'figures')")
    content = pdf(lay_out(drawn, Style(), DejaVu()), caption(drawn))
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", content)
    assert box is not None and float(box[1]) * 25.4 / 72 == pytest.approx(178, abs=0.1)
    assert re.search(rb"/BaseFont /[A-Z]{6}\+DejaVuSans|/BaseFont /DejaVuSans", content)
    assert b"/FontFile2" in content and b"/Type3" not in content, "publishers refuse Type 3 fonts"
    assert content.count(b"/Subtype /Image") == sum(
        isinstance(element, Raster) for element in lay_out(drawn, Style(), DejaVu()).elements
    )
    assert b"CreationDate" not in content and b"cnnvis-report" in content


def test_a_pdf_follows_no_settings_of_the_user_and_leaves_them() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib isn't installed (extra 'figures')")
    plain = pdf(lay_out(figure(), Style(), DejaVu()), "x")
    with matplotlib.rc_context({"font.size": 40, "savefig.bbox": "tight", "pdf.fonttype": 3, "figure.dpi": 30}):
        assert pdf(lay_out(figure(), Style(), DejaVu()), "x") == plain
        assert matplotlib.rcParams["font.size"] == 40


@pytest.mark.parametrize("name", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_bytes(name: str) -> None:
    if name == "pdf":
        pytest.importorskip("matplotlib", reason="matplotlib isn't installed (extra 'figures')")

    def made() -> bytes:
        if name == "png":
            return png(lay_out(figure(), Style(), PillowFont()))
        if name == "svg":
            return svg(lay_out(figure(), Style(), AnyFont()), "x")
        return pdf(lay_out(figure(), Style(), DejaVu()), "x")

    assert made() == made()
