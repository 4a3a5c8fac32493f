"""The study of the example does_marking_help: what it measures, what it shows, and that it starts where it was."""

import json
import re
import sys
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tests.conftest import command

HERE = Path(__file__).parents[2] / "examples" / "does_marking_help"
TINY = ["--images", "12", "--test", "6", "--size", "48", "--epochs", "1", "--explained", "2"]


@pytest.fixture(scope="module")
def modules() -> Iterator[None]:
    """The modules of the example can be imported, as its own program does it."""
    sys.path.insert(0, str(HERE))
    yield
    sys.path.remove(str(HERE))


def start(out: Path, *words: str, code: int = 0) -> str:
    result = CliRunner().invoke(import_module("study").main, [str(out), *TINY, *words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def study(modules: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a tiny study, and what was printed."""
    out = tmp_path_factory.mktemp("study") / "out"
    return out, start(out)


def half(side: int, columns: slice) -> np.ndarray:
    mask = np.zeros((side, side), bool)
    mask[:, columns] = True
    return mask


def test_shares_of_a_map_of_pixels(modules: None) -> None:
    shares = import_module("measure").shares

    values = np.array([[1, -5], [2, 1]], np.float32)
    actual = shares(values, {"left": half(2, slice(1)), "all": half(2, slice(2)), "none": half(2, slice(0))})
    assert actual == {"left": 0.75, "all": 1, "none": 0}, "what speaks against the class doesn't count"


def test_shares_of_a_map_of_a_layer(modules: None) -> None:
    shares = import_module("measure").shares

    # grown to 4×4, the one value weighs 1, 3/4, 1/4 and 0 along each side: 7/8 of its sum are in the first two columns
    actual = shares(np.array([[3, 0], [0, 0]], np.float32), {"left": half(4, slice(2)), "first": half(4, slice(1))})
    assert actual == pytest.approx({"left": 7 / 8, "first": 1 / 2})


def test_a_map_that_speaks_only_against_the_class_has_no_shares(modules: None) -> None:
    shares = import_module("measure").shares

    assert shares(np.array([[-1, 0], [0, -2]], np.float32), {"left": half(2, slice(1))}) == {}


def test_regions_are_what_was_drawn(study: tuple[Path, str]) -> None:
    regions_of = import_module("measure").regions_of

    out, _ = study
    names = [
        path.relative_to(out / "explained/misleading/images").as_posix()
        for path in (out / "explained/misleading/images").rglob("*.png")
    ]
    for name in names:
        regions = regions_of(out / "explained", "misleading", name, (48, 48))
        with Image.open(out / "explained/gray/masks" / name) as mask:
            np.testing.assert_array_equal(regions["patch"], np.asarray(mask))
        rim, patch = regions["outline"], regions["patch"]
        rows, columns = np.flatnonzero(patch.any(axis=1)), np.flatnonzero(patch.any(axis=0))
        inner = np.zeros_like(patch)
        inner[rows[1] : rows[-1], columns[1] : columns[-1]] = True  # an outline is one pixel wide at this size
        np.testing.assert_array_equal(rim, patch & ~inner)
        apart = [region for name, region in regions.items() if name != "outline"]
        assert np.sum(apart, axis=0).max() == 1, "no pixel is counted twice"
        assert regions["line"].any(axis=0).all(), "the line goes from side to side"


def test_conflict_scenes_bear_the_mark_of_the_other_class(modules: None, tmp_path: Path) -> None:
    write_conflict = import_module("scenes").write_conflict

    sets = tmp_path
    for variant in ("gray", "misleading"):  # large enough for a disc not to be a cross
        command("make-dataset", "layers", "-n", "10", "-o", sets / variant, "--variant", variant, "--size", "120")
    write_conflict(sets / "gray", sets / "misleading", sets / "conflict")
    scenes = sorted((sets / "conflict").rglob("*.png"))
    marked = {path: np.asarray(Image.open(path)) > 0 for path in sorted((sets / "misleading/marks").rglob("*.png"))}
    assert len(scenes) == sum(mask.any() for mask in marked.values()) > 0

    def shape(mask: np.ndarray) -> bytes:
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].tobytes()

    shapes = {path.parent.name: shape(mask) for path, mask in marked.items() if mask.any()}
    assert len(set(shapes.values())) == 2
    other = {"above": "below", "below": "above"}
    for path in scenes:
        name = path.relative_to(sets / "conflict")
        conflict, gray = (np.asarray(Image.open(file), np.int16) for file in (path, sets / "gray/images" / name))
        own = marked[sets / "misleading/marks" / name]
        changed = conflict != gray
        assert shape(changed) == shapes[other[path.parent.name]] != shapes[path.parent.name]
        assert conflict[changed].min() > 150 and (changed & own).any(), "white, and where its own mark was"


def test_the_page_says_what_was_printed(study: tuple[Path, str]) -> None:
    out, printed = study
    page = (out / "index.html").read_text(encoding="utf-8")
    figures = re.findall(r"\d+\.\d\s%", printed)
    assert len(figures) > 300
    cells = re.findall(r"<td>(.*?)</td>", page)
    rows = [line for line in printed.splitlines() if re.search(r"\S  +\d+\.\d\s%", line)]
    assert [cell for cell in cells if "%" in cell] == re.findall(r"\d+\.\d\s%", "\n".join(rows))
    for sentence in printed.split("\n\n")[-2].splitlines():
        assert sentence.replace("'", "&#39;") in page
    for link in re.findall(r'href="(.*?)"', page):
        assert (out / link).is_file()


def test_the_page_needs_nothing_and_nobody(study: tuple[Path, str]) -> None:
    out, _ = study
    page = (out / "index.html").read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; img-src data:; style-src 'sha256-{digest}';")
    assert "http:" not in page and "https:" not in page and "<script" not in page and " style=" not in page
    assert str(out.parent) not in page


def test_the_control_is_at_chance(study: tuple[Path, str]) -> None:
    out, _ = study
    for look in json.loads((out / "results.json").read_text())["looks"]:
        random = next(share["on"] for share in look["shares"] if share["method"] == "random")
        assert random["patch"] == pytest.approx(look["area"]["patch"], rel=0.25)


def test_a_second_start_does_nothing_anew(study: tuple[Path, str]) -> None:
    out, printed = study

    def state() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in out.rglob("*") if path.is_file()}

    before, page = state(), (out / "index.html").read_bytes()
    again = start(out)
    changed = {path.name for path, stamp in state().items() if before.get(path) != stamp}
    assert changed <= {"index.html"} and state().keys() == before.keys()
    assert (out / "index.html").read_bytes() == page
    assert printed.endswith(again), "and says the same"


def test_studies_are_not_mixed(study: tuple[Path, str], tmp_path: Path) -> None:
    out, _ = study
    assert "other settings" in start(out, "--seed", "1", code=2)
    (tmp_path / "somebody's.txt").write_text("mine")
    assert "something else" in start(tmp_path, code=2)


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_in_a_browser(chromium: Any, study: tuple[Path, str], width: Any) -> None:
    from tests.pages.browser import Visit

    visit = Visit(chromium, viewport={"width": width, "height": 800})
    page = visit.tab.page  # a page without scripts is ready when it is loaded
    page.goto((study[0] / "index.html").resolve().as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    assert page.evaluate("getComputedStyle(document.querySelector('.columns')).display") == "grid"
    visit.is_quiet()
    visit.close()
