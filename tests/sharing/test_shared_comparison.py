"""A comparison handed on: zip, single file, size, minimal, without names."""

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cnnvis_report.comparison.read import write_compared
from cnnvis_report.progress import Progress
from cnnvis_report.records.methods import Kind
from cnnvis_report.report.comparison.report import ComparedReport
from cnnvis_report.report.comparison.single_file import _ComparisonPage
from cnnvis_report.report.pictures.encode import QUALITIES
from cnnvis_report.report.single_file.size_limit import SizeNotices
from cnnvis_report.store.comparison.comparison_file import load_comparison
from cnnvis_report.store.run_folder import load_run
from tests.comparison.runs import Planted, planted_run
from tests.conftest import command
from tests.evidence.records import info

CLASSES = ("SECRETCAT", "SECRETDOG", "SECRETOWL")
NAMES = [f"SECRET<b>{number}.png" for number in range(6)]
METHODS = [info("cam", prominence=1), info("noisy", kind=Kind.PIXEL)]
SIDE = 96


def one_run(folder: Path, seed: int, names: list[str]) -> None:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[20:60, 20:60] = True
    generators = {name: np.random.default_rng([seed, number]) for number, name in enumerate(sorted(names))}
    images = [
        Planted(
            name,
            int(seed > 0 and name == NAMES[2]),
            0,
            maps={
                ("cam", "SECRETLAYER.conv", 0): generators[name].normal(size=(4, 4)).astype(np.float32),
                ("noisy", "", 0): generators[name].normal(size=(1, SIDE, SIDE)).astype(np.float32),
            },
            mask=mask,
        )
        for name in names
    ]
    planted_run(folder, images, classes=CLASSES, methods=METHODS)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The second run has the images in another order; the image of one class is broken there."""
    top = tmp_path_factory.mktemp("SECRETFOLDER")
    one_run(top / "SECRETOLD", 0, NAMES)
    one_run(top / "SECRETNEW", 1, NAMES[::-1])
    return [top / "SECRETOLD", top / "SECRETNEW"]


def test_a_minimal_zip_holds_the_pages_alone_and_has_the_same_bytes(runs: list[Path], tmp_path: Path) -> None:
    words = ("compare", *runs, "-o", tmp_path / "diff", "--zip")
    command(*words, "--share", "minimal", "-q")
    with zipfile.ZipFile(tmp_path / "diff-share.zip") as archive:
        names = archive.namelist()
    assert "diff-share/index.html" in names and not [name for name in names if name.endswith("comparison.json")]
    command(*words, "-q")
    before = (tmp_path / "diff.zip").read_bytes()
    assert "diff/comparison.json" in zipfile.ZipFile(tmp_path / "diff.zip").namelist()
    command(*words, "-q")
    assert (tmp_path / "diff.zip").read_bytes() == before


def test_a_single_file_holds_all_of_it_and_keeps_to_its_size(runs: list[Path], tmp_path: Path) -> None:
    words, page = ("compare", *runs, "-o", tmp_path / "diff", "-q"), tmp_path / "diff" / "index.html"
    command(*words, "--single-file")
    assert sorted(path.name for path in page.parent.iterdir() if path.name[0] != ".") == [
        "comparison.json",
        "index.html",
        "pages.json",
    ]
    text, whole = page.read_text("utf-8"), page.stat().st_size
    assert text.count('data-package="stills-') == len(NAMES) and "<b>0.png" not in text
    command(*words, "--max-size", str(whole - 30_000))
    assert page.stat().st_size <= whole - 30_000 and "This file is kept within" not in page.read_text("utf-8")


def test_methods_left_out_of_a_single_file_are_named_and_keep_their_figures(runs: list[Path], tmp_path: Path) -> None:
    stored = [load_run(run) for run in runs]
    pages = _ComparisonPage(
        ComparedReport(write_compared(stored, tmp_path), stored), tmp_path / "page.html", Progress()
    )
    assert list(pages.methods) == ["cam", "noisy"]
    _, weights = pages.write(replace(QUALITIES[-1], left_out=("noisy",)), SizeNotices(("Noisy is left out.",)))
    text = (tmp_path / "page.html").read_text("utf-8")
    assert set(weights) == {"cam"} and "<li>Noisy is left out.</li>" in text and "moved" in text
    assert 'data-method="noisy"' not in text and '<th scope="row"' in text and text.count("Noisy") >= 2


@pytest.mark.parametrize("size", ["50KB", "1.4MB"])
def test_a_size_that_nothing_fits_is_refused(size: str, runs: list[Path], tmp_path: Path) -> None:
    result = command("compare", *runs, "-o", tmp_path / "diff", "--max-size", size, code=2)
    assert result.stderr.splitlines()[-1].startswith("Error: --max-size")


def test_without_names_images_keep_their_numbers_in_every_run(runs: list[Path], tmp_path: Path) -> None:
    command("compare", *runs, "-o", tmp_path / "diff", "--anonymous", "--zip", "-q")
    copy = tmp_path / "anonymous-comparison"
    for path in (path for path in copy.rglob("*") if path.is_file()):
        assert b"SECRET" not in path.read_bytes() and "SECRET" not in path.name, path
    named, anonymous = load_comparison(tmp_path / "diff"), load_comparison(copy)
    assert [run.name for run in anonymous.runs] == ["run 1", "run 2"]
    assert anonymous.paired == named.paired and anonymous.movement == named.movement
    assert [image.name for image in anonymous.images] == [f"image {number}" for number in range(1, 7)]
    assert [image.flips for image in anonymous.images] == [image.flips for image in named.images]
    assert b"SECRET" not in (tmp_path / "anonymous-comparison.zip").read_bytes()


def test_what_cannot_be_handed_on_is_refused_before_any_work(runs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "diff.zip").write_text("mine", "utf-8")
    result = command("compare", *runs, "-o", tmp_path / "diff", "--zip", code=2)
    assert "isn't a zip file that this program has written" in result.stderr and not (tmp_path / "diff").exists()
