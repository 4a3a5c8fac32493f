"""The maps of single bands in the browser: cut from one picture, wrapped on a phone, printed, without scripts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report.store import load_run
from tests.conftest import command
from tests.exhaustive import represented

CELLS = """() => [...document.querySelectorAll(".band > span")].map((cell) => {
  const box = cell.getBoundingClientRect(), style = getComputedStyle(cell);
  const { width, height, top } = box;
  return { width, height, top, at: style.backgroundPositionX, image: style.backgroundImage };
})"""
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def page_of_bands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bands")
    (folder / "tiles").mkdir()
    for number in range(2):
        values = np.random.default_rng(number).integers(0, 4096, (7, 30, 26), "u2")
        np.save(folder / "tiles" / f"{number}.npy", values)
    options = ("--device", "cpu", "--metrics", "none", "--inspect", "none", "-m", "gradient,saliency")
    command("run", "tests.factories:seven_bands", folder / "tiles", *options, "-o", folder / "r")
    return folder / "r" / "images" / f"{next(load_run(folder / 'r').images()).id}.html"


@pytest.mark.parametrize("width", represented([390, 1440], by=(390,)))
def test_bands_are_cut_from_one_picture_without_scripts(chromium: Any, page_of_bands: Path, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page_of_bands.as_uri())
    cells = tab.evaluate(CELLS)
    assert len(cells) == 16 and len({cell["image"] for cell in cells}) == 2
    positions = [float(cell["at"].removesuffix("%")) for cell in cells[:8]]
    assert positions == pytest.approx([100 * index / 7 for index in range(8)], abs=0.1)
    assert all(cell["width"] >= 60 and abs(cell["width"] / cell["height"] - 1) < 0.05 for cell in cells)
    assert (len({cell["top"] for cell in cells[:8]}) > 1) == (width == 390), "they wrap on a phone alone"
    assert tab.evaluate(WIDER) <= 0
    context.close()
