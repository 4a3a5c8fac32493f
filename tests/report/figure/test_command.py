"""`cnnvis-report figure` and `Run.figure`: what they write, and what they refuse in one line."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnvis_report import load_report
from cnnvis_report.errors import BadRequest
from cnnvis_report.records.methods import Array
from cnnvis_report.report.figure.config import FigureConfig, Length
from cnnvis_report.report.figure.content import make_figure, without_twins
from tests.conftest import HOSTILE, command, rewritten
from tests.fixtures.make_run import FOLDER


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The small stored run: two images, CAM, gradient and random maps."""
    shutil.copytree(FOLDER, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("suffix", ["png", "svg", "PDF"])
def test_the_command_writes_a_figure_and_says_its_caption(run: Path, tmp_path: Path, suffix: str) -> None:
    if suffix == "PDF":
        pytest.importorskip("matplotlib", reason="matplotlib isn't installed (extra 'figures')")
    path = tmp_path / "new folder" / f"fig.{suffix}"
    said = command("figure", run, "-o", path, "--width", "17cm", "--methods", "gradient,random").output
    assert said.startswith(f"Wrote {path}\nAttribution maps of ")
    assert path.read_bytes()[:5] in (b"\x89PNG\r", b"<?xml", b"%PDF-")
    first = path.read_bytes()
    command("figure", run, "-o", path, "--width", "170", "--methods", "gradient,random")
    assert path.read_bytes() == first, "a figure of ours is written over, with the same"


def test_python_writes_the_same_figure(run: Path, tmp_path: Path) -> None:
    command("figure", run, "-o", tmp_path / "a.png", "--methods", "gradient", "--palette", "viridis,PuOr")
    text = load_report(run).figure(methods="gradient", palette=["viridis", "PuOr"]).save(tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert "orange speaks for" in text


def test_the_caption_goes_to_a_file_or_to_the_terminal_as_latex(run: Path, tmp_path: Path) -> None:
    words = ("figure", run, "-o", tmp_path / "fig.png", "--caption")
    said = command(*words, "-").output
    assert "\\includegraphics[width=178mm]{fig.png}" in said and "Attribution maps of tiny" in said
    command(*words, tmp_path / "fig.tex")
    command(*words, tmp_path / "fig.tex")
    assert (tmp_path / "fig.tex").read_text(encoding="utf-8") == said.partition("\n")[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["--images", "ring"], "No image of this run is called 'ring'.", id="image"),
        pytest.param(["--methods", "gradien"], "Did you mean 'gradient'?", id="method"),
        pytest.param(["--methods", "gradient@conv"], "No layer of the maps of gradient is called 'conv'.", id="layer"),
        pytest.param(["--width", "30mm"], "of its 3 methods beside the input", id="narrow"),
        pytest.param(["--width", "wide"], "'wide' isn't a width such as 178mm", id="no width"),
        pytest.param(["--width", "9999"], "of at most 600mm", id="too wide"),
        pytest.param(["--font-size", "0"], "a number above 1 and at most 72", id="no size"),
        pytest.param(["--rows", "0"], "a whole number from 1 to 100", id="no rows"),
        pytest.param(["--palette", "jet"], "No palette is called 'jet'.", id="palette"),
        pytest.param(["--class", "truth"], "'truth' is not one of 'prediction', 'label'.", id="class"),
        pytest.param(["-o", "{folder}/fig.jpg"], "names the format of a figure, .png, .svg, .pdf.", id="suffix"),
        pytest.param(["-o", "{folder}/foreign.png"], "isn't a figure that this program has written", id="not ours"),
        pytest.param(["-o", "{folder}/link.png"], "is a link", id="link"),
        pytest.param(["-o", "{folder}/run.png"], "is a folder; give the name of a file", id="folder"),
        pytest.param(["-o", "{folder}/foreign.png/fig.png"], "is a file, and no folder can", id="no folder"),
        pytest.param(["--caption", "{folder}/foreign.png"], "isn't a figure that this program", id="caption"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_line_and_nothing_is_written(
    run: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    (tmp_path / "foreign.png").write_bytes(b"\x89PNG of somebody else's")
    (tmp_path / "link.png").symlink_to(tmp_path / "foreign.png")
    (tmp_path / "run.png").mkdir()
    before = contents(tmp_path)
    words = [word.format(folder=tmp_path) for word in words]
    said = command("figure", run, "-o", tmp_path / "fig.png", *words, code=2)
    assert message in said.output and said.output.count("\n") == 1, said.output
    assert contents(tmp_path) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def test_a_pdf_without_matplotlib_says_what_to_install(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = command("figure", run, "-o", tmp_path / "fig.pdf", code=2).output
    assert said == (
        "Error: A PDF needs matplotlib, which isn't installed: pip install 'cnnvis-report[figures]'."
        " PNG and SVG need nothing.\n"
    )
    assert not (tmp_path / "fig.pdf").exists()
    command("figure", run, "-o", tmp_path / "fig.svg")


def test_a_run_without_maps_and_a_folder_without_a_run(run: Path, tmp_path: Path) -> None:
    rewritten(run, lambda record, images: (record, [replace(image, maps=()) for image in images]))
    with pytest.raises(BadRequest):
        load_report(tmp_path)
    said = command("figure", tmp_path, "-o", tmp_path / "fig.png", code=2).output
    assert said == f"Error: {tmp_path}: holds no run.\n"


def test_equal_maps_never_stand_side_by_side_unless_asked_for(report: Path) -> None:
    stored = load_report(report)
    drawn = make_figure(stored, FigureConfig())
    shown = [[values for values in row.maps if values is not None] for row in drawn.rows]
    for one, other in combinations(range(len(drawn.columns)), 2):
        assert not all(alike(maps[one], maps[other]) for maps in shown), (drawn.columns[one], drawn.columns[other])
    twins = make_figure(stored, FigureConfig(methods=("cam", "hires_cam", "gradient")))
    assert [column.method.name for column in twins.columns] == ["cam", "hires_cam", "gradient"]
    assert twins.same == (("HiResCAM", "CAM"),)


def alike(one: Array, other: Array) -> bool:
    first, second = (values / (np.abs(values).max() or 1) for values in (one, other))
    return one.shape == other.shape and bool(np.allclose(first, second, atol=1e-3))


def test_of_equal_maps_the_first_is_shown(run: Path) -> None:
    """Where nothing was measured, only the maps themselves can tell."""
    stored = load_report(run)
    drawn = make_figure(stored, FigureConfig(methods=("cam", "gradient")))
    doubled = replace(
        drawn,
        automatic=True,
        columns=(drawn.columns[0], drawn.columns[0], drawn.columns[1]),
        rows=tuple(
            replace(row, maps=(row.maps[0], None if row.maps[0] is None else 2 * row.maps[0], row.maps[1]))
            for row in drawn.rows
        ),
    )
    assert without_twins(doubled).columns == drawn.columns
    assert len(without_twins(replace(doubled, automatic=False)).columns) == 3


def test_images_may_have_any_names(report: Path, tmp_path: Path) -> None:
    run = load_report(report)
    ids = [image.id for image in run.images()]
    for suffix in ("png", "svg"):
        text = run.figure(images=ids, methods=["grad_cam"], width_mm=50).save(tmp_path / f"fig.{suffix}")
        assert len(text.splitlines()) == 1
    assert "猫 {{7*7}}" in run.figure(images=HOSTILE[3], methods=["cam"], width_mm=50).save(tmp_path / "fig.png")
    with Image.open(tmp_path / "fig.png") as picture:
        assert picture.size[0] == 590


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(lambda config: replace(config, target="label"), "Explain it with --classes label", id="label"),
        pytest.param(lambda config: replace(config, methods=("pattern_net",)), "No method of this run", id="method"),
    ],
)
def test_maps_that_were_not_computed_are_missed_in_words(
    run: Path, change: Callable[[FigureConfig], FigureConfig], message: str
) -> None:
    rewritten(run, lambda record, images: (record, [replace(image, label=None, labels=()) for image in images]))
    with pytest.raises(BadRequest, match=message):
        make_figure(load_report(run), change(FigureConfig()))


@pytest.mark.parametrize(
    ("value", "length"), [("178mm", 178), ("17.8 cm", 178), (" 7in", 177.8), ("72pt", 25.4), (88, 88), ("88.5", 88.5)]
)
def test_widths_have_units(value: object, length: float) -> None:
    assert Length(600).parse(value) == pytest.approx(length)
