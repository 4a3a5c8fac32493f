"""What the page's scripts draw is what Python draws, and readings and bars belong to it."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.records.methods import Kind, Sign
from cnnvis_report.report.pictures.drawing import Look, bar_colors, draw_map, draw_picture
from cnnvis_report.store import load_arrays, load_run
from tests.pages.browser import Visit
from tests.pages.image_page import PAGE, images, settled

pytestmark = pytest.mark.browser

PIXELS = """({ canvas }) => { const context = canvas.getContext("2d");
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.height, canvas.width, btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join(""))] }"""
TILE = f"{PAGE}.tiles.find((t) => t.method === method && !t.class && !t.lead)"


def pixels(tab: Any, method: str | None) -> np.ndarray:
    height, width, values = tab.evaluate(f"(method) => ({PIXELS})({TILE})", method)
    return np.frombuffer(b64decode(values), np.uint8).reshape(height, width, 4)[..., :3].astype(int)


@pytest.mark.parametrize(
    ("size", "ratio"),
    [
        pytest.param("S", 1, id="grown"),
        pytest.param("S", 0.2, id="averaged"),
        pytest.param("M", 2, id="fine screen", marks=pytest.mark.exhaustive),
    ],
)
def test_canvases_show_what_python_draws(chromium: Any, moved: Path, report: Path, size: str, ratio: float) -> None:
    visit = Visit(chromium, device_scale_factor=ratio)
    image, run = images(report)[0], load_run(report).record
    picture = load_arrays(report, image.id)["picture"]
    tab = visit.open(moved / "images" / f"{image.id}.html", f"#marks=off&size={size}")
    settled(tab)
    kinds = set()
    for name in tab.evaluate(f"{PAGE}.tiles.filter((t) => t.method && !t.class && !t.lead).map((t) => t.method)"):
        method = run.method(name)
        height, width, values, end = tab.evaluate(
            f"(method) => {{ const {{ cells, style }} = {TILE}.drawn;"
            " return [cells.height, cells.width, [...cells.values], style.end] }",
            name,
        )
        seen = pixels(tab, name)
        expected = draw_map(
            picture, np.array(values, np.float32).reshape(height, width), method, seen.shape[:2], end=end
        )
        assert np.abs(seen - expected).max() <= 2, name
        kinds.add((method.kind, method.shown_sign))
    assert len(kinds) > 4, "or this shows little"
    seen = pixels(tab, None)
    assert np.abs(seen - draw_picture(picture, seen.shape[:2])).max() <= 1
    visit.is_quiet()
    visit.close()


@pytest.mark.parametrize("opacity", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("sign", Sign)
def test_bars_have_the_colors_of_python_s(scripts: Any, sign: Sign, kind: Kind, opacity: float) -> None:
    alone, signed = kind is Kind.PIXEL, sign is Sign.SIGNED
    style = {"signed": signed, "overlay": not alone, "opacity": opacity, "threshold": 0}
    bar = scripts.evaluate(
        "(style) => CnnVis.barColors({ ...style, stops: CnnVis.stopsOf(style.signed, '', !style.overlay) }, 41)", style
    )
    expected = bar_colors(sign, kind, Look(opacity=opacity), 41)
    assert np.abs(np.array([color[4:-1].split() for color in bar], int) - expected).max() <= 1
