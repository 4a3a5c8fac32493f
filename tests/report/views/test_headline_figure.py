"""The figure of the overview: one picture, links over its parts, and a file of the folder."""

import io
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report import load_report
from cnnvis_report.report.figure.config import FigureConfig
from cnnvis_report.report.figure.content import make_figure
from cnnvis_report.report.figure.save import page_sheet
from tests.conftest import command
from tests.figures import full_figures
from tests.fixtures.make_run import FOLDER


class Figure(HTMLParser):
    """The headline figure of a page: its pictures, links and text; and all pictures of the page in their order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.pictures: list[dict[str, str | None]] = []
        self.links: list[dict[str, str | None]] = []
        self.all_pictures: list[dict[str, str | None]] = []
        self.text = ""
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self._inside |= str(attributes.get("class")).startswith("headline-figure")
        if tag == "img":
            self.all_pictures.append(attributes)
        if self._inside and tag in ("img", "a"):
            (self.pictures if tag == "img" else self.links).append(attributes)

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "figure"

    def handle_data(self, data: str) -> None:
        self.text += data if self._inside else ""


@pytest.fixture(scope="module", autouse=True)
def as_users_get_it() -> Iterator[None]:
    with full_figures():
        yield


@pytest.fixture(scope="module")
def shown(report: Path) -> Figure:
    return Figure((report / "index.html").read_text(encoding="utf-8"))


def test_one_picture_for_light_pages_and_one_for_dark_ones(report: Path, shown: Figure) -> None:
    light, dark = shown.pictures
    assert light["src"] == "stills/pages/index/figure.webp" and dark["loading"] == "lazy"
    for picture in (light, dark):
        with Image.open(report / str(picture["src"])) as file:
            width, height = file.size
            assert width == pytest.approx(2 * int(str(picture["width"])), abs=2), "two pixels for one of the page"
            assert height == pytest.approx(2 * int(str(picture["height"])), abs=2)
    drawn = make_figure(load_report(report), FigureConfig())
    for word in (*(row.image.name for row in drawn.rows), *(column.title for column in drawn.columns)):
        assert word in str(light["alt"])


def test_every_part_leads_to_what_it_shows(report: Path, shown: Figure) -> None:
    drawn = make_figure(load_report(report), FigureConfig())
    addresses = [str(link["href"]) for link in shown.links if "download" not in link]
    expected = [f"methods.html#{column.method.name}" for column in drawn.columns]
    for row in drawn.rows:
        page = (report / "images" / f"{row.image.id}.html").read_text(encoding="utf-8")
        expected += 2 * [f"images/{row.image.id}.html"]
        for column in drawn.columns:
            expected.append(f"images/{row.image.id}.html#{column.method.name}")
            assert f' id="{column.method.name}"' in page
    assert addresses == expected
    stops = [link for link in shown.links if link.get("tabindex") != "-1" and "download" not in link]
    assert len(stops) == len(drawn.columns) + len(drawn.rows), "the tab key stops at methods and images"
    assert all(link["aria-label"] == link["title"] for link in shown.links if "download" not in link)


def test_links_lie_over_the_cells_they_are_for(report: Path, shown: Figure) -> None:
    sheet = page_sheet(make_figure(load_report(report), FigureConfig()))
    cells = [cell for cell in sheet.cells if cell.row is not None or cell.column]
    for link, cell in zip(shown.links, cells, strict=False):
        left, top, width, height = (float(part) for part in re.findall(r"([\d.]+)%", str(link["style"])))
        assert left / 100 * sheet.width == pytest.approx(cell.box.x, abs=0.02)
        assert top / 100 * sheet.height == pytest.approx(cell.box.y, abs=0.02)
        assert width / 100 * sheet.width == pytest.approx(cell.box.width, abs=0.02)
        assert height / 100 * sheet.height == pytest.approx(cell.box.height, abs=0.02)


def test_the_file_for_print_is_the_figure_of_the_command(report: Path, shown: Figure) -> None:
    assert [link["href"] for link in shown.links if "download" in link] == ["figure.png"]
    with Image.open(report / "figure.png") as file:
        assert file.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert np.asarray(file).std() > 20
    assert "cnnvis-report figure RUN -o figure.pdf" in shown.text and "\\caption{" in shown.text


def test_the_single_file_has_it_as_its_first_picture(report: Path, tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "run")
    command("render", tmp_path / "run", "--single-file")
    page = Figure((tmp_path / "run" / "index.html").read_text(encoding="utf-8"))
    assert page.all_pictures[0] == page.pictures[0]
    assert str(page.pictures[0]["src"]).startswith("data:image/webp;base64,")
    assert all(str(link["href"]).startswith("#page=") for link in page.links)
    assert not (tmp_path / "run" / "figure.png").exists()


@pytest.fixture
def rendered(tmp_path: Path) -> Path:
    shutil.copytree(FOLDER, tmp_path / "run")
    command("render", tmp_path / "run")
    return tmp_path / "run"


def strangers() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4)).save(file, "PNG")
    return file.getvalue()


def test_rendering_again_replaces_the_figure(rendered: Path) -> None:
    before = (rendered / "figure.png").read_bytes()
    (rendered / "pages.json").unlink()  # the list may be lost: the figure says itself whose it is
    command("render", rendered)
    assert (rendered / "figure.png").read_bytes() == before
    command("render", rendered, "--single-file")
    assert not (rendered / "figure.png").exists()


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "not listed"])
def test_a_strangers_picture_of_that_name_stays(rendered: Path, listed: bool) -> None:
    (rendered / "figure.png").write_bytes(strangers())
    if not listed:
        (rendered / "pages.json").unlink()
    said: Any = command("render", rendered, code=2)
    assert "figure.png: isn't a file that this program has written" in said.output
    assert (rendered / "figure.png").read_bytes() == strangers()


def test_a_run_without_maps_has_no_figure(tmp_path: Path, drawn: Path) -> None:
    words = ("--inspect", "standard", "--methods", "", "--metrics", "none", "-q")
    command("run", "tests.factories:tiny", drawn / "circle" / "plain.png", "-o", tmp_path, *words)
    assert "headline-figure" not in (tmp_path / "index.html").read_text(encoding="utf-8").partition("<body>")[2]
    assert not (tmp_path / "figure.png").exists()
