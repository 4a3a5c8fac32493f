"""What the enlarged view lets a reader take away, read back."""

import io
import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.report.pictures.drawing import bar_colors, draw_map
from cnnvis_report.report.views.formatting import named_score
from cnnvis_report.store import load_arrays, load_run
from tests.exhaustive import represented
from tests.pages.browser import Visit, until
from tests.pages.enlarged import CONTENT, copying, hostile, opened, plain, record_of, saved, shared, told
from tests.pages.image_page import PAGE

__all__ = ["copying", "shared"]
pytestmark = pytest.mark.browser
LAYOUT = f"""() => CnnVis.figureLayout({CONTENT}, CnnVis.measureText).items.filter((item) => item.draw)
  .map(({{ draw, x, y, width, height }}) => (
    [draw, [x, y, x + width, y + height].map((edge) => Math.round(2 * edge))]))"""
SAFE = re.compile(r"[a-z0-9][a-z0-9_-]*\.(png|svg|csv|npy)")


def method_of(report: Path, name: str) -> Any:
    return load_run(report).record.method(name)


def test_a_png_has_the_map_and_the_color_bar_as_python_draws_them(
    shared: Visit, moved: Path, report: Path, tmp_path: Path
) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "grad_cam", "&marks=off")
    boxes = dict(tab.evaluate(LAYOUT))
    path = saved(tab, "png", tmp_path)
    assert path.name.startswith("circle-plain_grad-cam_") and SAFE.fullmatch(path.name)
    picture = Image.open(path)
    assert picture.mode in ("RGB", "RGBA")
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    assert (pixels[:8] == 255).all() and (pixels[:, -8:] == 255).all(), "on white"
    arrays, info = load_arrays(report, image.id), method_of(report, "grad_cam")
    values = info.shown(arrays[record_of(image, "grad_cam", image.targets[0].index).key])
    left, top, right, bottom = boxes["map"]
    expected = draw_map(arrays["picture"], values, info, (bottom - top, right - left)).astype(int)
    assert np.abs(pixels[top:bottom, left:right] - expected).max() <= 3
    left, top, right, bottom = boxes["bar"]
    bar = pixels[(top + bottom) // 2, left:right]
    colors = bar_colors(info.shown_sign, info.kind, steps=256).astype(int)
    assert np.abs(bar[[2, -3]] - colors[[0, -1]]).max() <= 6, "from end to end"
    assert np.abs(bar[len(bar) // 2] - colors[128]).max() <= 6
    shared.is_quiet()


@pytest.mark.parametrize("kind", ["csv", "npy"])
def test_values_of_a_coarse_map_are_those_of_the_run(
    kind: str, shared: Visit, moved: Path, report: Path, tmp_path: Path
) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "grad_cam")
    path = saved(tab, kind, tmp_path)
    values = np.loadtxt(path, delimiter=",", dtype=np.float32) if kind == "csv" else np.load(path)
    record = record_of(image, "grad_cam", image.targets[0].index)
    np.testing.assert_array_equal(values, load_arrays(report, image.id)[record.key].astype(np.float32), strict=True)
    assert "exact values" in told(tab) and record.key in told(tab) and f"arrays/{image.id}.npz" in told(tab)
    shared.is_quiet()


def test_an_npy_is_aligned_and_says_what_it_holds(shared: Visit, moved: Path, report: Path, tmp_path: Path) -> None:
    tab = opened(shared, moved, plain(report), "occlusion")
    content = saved(tab, "npy", tmp_path).read_bytes()
    assert content[:8] == b"\x93NUMPY\x01\x00"
    length = int.from_bytes(content[8:10], "little")
    assert (10 + length) % 64 == 0 and content[9 + length : 10 + length] == b"\n"
    header = content[10 : 10 + length].decode("ascii").strip()
    assert header.startswith("{'descr': '<f4', 'fortran_order': False, 'shape': (")
    shared.is_quiet()


def test_a_csv_of_rounded_values_says_so_and_keeps_its_word(
    shared: Visit, moved: Path, report: Path, tmp_path: Path
) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "gradient")
    path = saved(tab, "csv", tmp_path)
    comments = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#")]
    assert comments[0].startswith("# Gradient · circle/plain.png · class ")
    bound = re.search(r"rounded to within ([\d.e−]+); the exact values are in arrays/", comments[-1])
    assert bound is not None
    record = record_of(image, "gradient", image.targets[0].index)
    exact = method_of(report, "gradient").shown(load_arrays(report, image.id)[record.key].astype(np.float32))
    values = np.loadtxt(path, delimiter=",")
    error = np.abs(values - exact).max()
    assert 0 < error <= float(bound[1].replace("−", "-")) * 1.0001
    shared.is_quiet()


def test_a_difference_is_saved_as_one(shared: Visit, moved: Path, report: Path, tmp_path: Path) -> None:
    image = plain(report)
    first, second = image.targets[:2]
    tab = opened(shared, moved, image, "cam", f"&minus={second.index}")
    path = saved(tab, "npy", tmp_path)
    assert "-minus-" in path.name and SAFE.fullmatch(path.name)
    arrays = load_arrays(report, image.id)
    maps = [arrays[record_of(image, "cam", target.index).key] for target in (first, second)]
    np.testing.assert_allclose(np.load(path), maps[0] - maps[1], rtol=0, atol=1e-6)
    assert "the difference of two maps" in told(tab)
    shared.is_quiet()


def test_a_link_brings_back_the_whole_state(shared: Visit, moved: Path, report: Path) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "cam", f"&class={image.targets[1].index}&zoom=9.5_29.5_4.5_24.5&positive=magma")
    tab.locator("[data-export='link']").click()
    assert told(tab) == "Copied the link"
    link = tab.evaluate("navigator.clipboard.readText()")
    tab.page.goto("about:blank")
    tab.page.goto(link)
    tab.locator("dialog.enlarged h2").wait_for()
    state = tab.evaluate(f"{PAGE}.state")
    assert state["class"] == str(image.targets[1].index) and state["positive"] == "magma"
    assert state["zoom"] == {"x": [9.5, 29.5], "y": [4.5, 24.5]}
    assert tab.locator("dialog h2").inner_text().startswith("CAM · ")
    shared.is_quiet()


def test_latex_cites_the_method_and_escapes_names(shared: Visit, moved: Path, report: Path) -> None:
    image = plain(report)
    tab = opened(shared, moved, image, "grad_cam")
    tab.locator("[data-export='latex']").click()
    assert told(tab) == "Copied LaTeX for the PNG"
    text = tab.evaluate("navigator.clipboard.readText()")
    name = tab.evaluate(f"{CONTENT}.file")
    assert f"\\includegraphics[width=\\linewidth]{{{name}.png}}" in text and "~\\cite{selvaraju2017}" in text
    assert text.count("\\begin{figure}") == text.count("\\end{figure}") == 1 and f"\\label{{fig:{name}}}" in text
    assert named_score(image.targets[0]).replace("%", "\\%") in text
    shared.is_quiet()


def test_a_picture_is_copied_or_the_reader_is_told(copying: Visit, moved: Path, report: Path) -> None:
    tab = opened(copying, moved, plain(report), "grad_cam")
    tab.locator("[data-export='picture']").click()
    assert told(tab) == "Copied the picture"
    assert tab.evaluate("navigator.clipboard.read().then((items) => items[0].types)") == ["image/png"]
    tab.evaluate("() => { delete globalThis.ClipboardItem; return 0 }")
    tab.locator("[data-export='picture']").click()
    until(tab, "document.querySelector('dialog [role=status]').textContent.includes('save the PNG instead')")
    copying.is_quiet()


def test_an_svg_has_texts_and_pictures_and_no_more(shared: Visit, moved: Path, report: Path, tmp_path: Path) -> None:
    image = hostile(report)
    tab = opened(shared, moved, image, "saliency")
    path = saved(tab, "svg", tmp_path)
    root = ElementTree.parse(path).getroot()
    names = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert set(names) == {"svg", "title", "rect", "image", "text"} and names.count("image") == 3
    text = " ".join(element.text or "" for element in root.iter() if element.tag.endswith("}text"))
    title = tab.locator("dialog h2").inner_text()
    assert title.replace(" ", "") in text.replace(" ", ""), "lines may break within long names"
    assert image.name in title
    links = [value for element in root.iter() for name, value in element.items() if "href" in name]
    assert all(link.startswith("data:image/png;base64,") for link in links)
    decoded = Image.open(io.BytesIO(b64decode(links[1].partition(",")[2])))
    assert min(decoded.size) >= 600, "twice the size of 360 pixels, less where a picture isn't square"
    shared.is_quiet()


@pytest.mark.parametrize("kind", represented(["png", "svg", "csv", "npy"], by=("png", "npy")))
def test_the_single_file_gives_the_same_files(
    kind: str, shared: Visit, alone: Path, report: Path, tmp_path: Path
) -> None:
    image = hostile(report)
    tab = shared.open(alone, f"#page=image-{image.id}&open=grad_cam")
    tab.locator("dialog.enlarged .nsewdrag").nth(1).wait_for(state="attached")
    path = saved(tab, kind, tmp_path)
    assert SAFE.fullmatch(path.name) and path.stat().st_size > 200
    if kind == "npy":
        record = record_of(image, "grad_cam", image.targets[0].index)
        np.testing.assert_array_equal(np.load(path), load_arrays(report, image.id)[record.key])
    shared.is_quiet()
