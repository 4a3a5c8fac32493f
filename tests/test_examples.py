"""The examples do what they say."""

import importlib.util
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.store import load_arrays, load_run
from cnnvis_report.store.comparison.comparison_file import load_comparison
from tests.conftest import command
from tests.narrow import present
from tests.pages.browser import chromium_path

EXAMPLES = Path(__file__).parents[1] / "examples"


Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run an example as `python NAME WORDS` does, in this process, where PyTorch is loaded; what it prints."""

    def run(name: str, *words: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, words)])
        monkeypatch.syspath_prepend(EXAMPLES)
        capfd.readouterr()
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capfd.readouterr().out

    return run


def test_there_is_no_example_that_nobody_runs() -> None:
    tested = {
        "python_call.py",
        "python_report.py",
        "own_network.py",
        "own_method.py",
        "make_pictures.py",
        "shortcut.py",
    }
    assert {path.name for path in EXAMPLES.glob("*.py")} == tested


def test_the_python_call(run: Run) -> None:
    lines = run("python_call.py").splitlines()
    assert lines[0].startswith("grad_cam: 2×2×7×7, ") and lines[1].startswith("guided_backprop: 2×2×3×224×224, ")
    assert lines[-1] == "efficientnet_b0 has grad_cam"


def test_the_report_from_python(run: Run, tmp_path: Path) -> None:
    lines = run("python_report.py", tmp_path).splitlines()
    assert lines[0].startswith("Accuracy: 100%, 8 of 8 images"), "stripes are learned in a few steps"
    assert lines[-2].startswith("The strongest slope of 'vertical' in image 0 is ")
    assert (tmp_path / "figure.png").is_file() and lines[-1].endswith("index.html")


@pytest.mark.exhaustive
def test_the_notebook_goes_from_a_module_to_a_figure(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat isn't installed (extra 'test')")
    nbclient = pytest.importorskip("nbclient", reason="nbclient isn't installed (extra 'test')")
    pytest.importorskip("ipykernel", reason="ipykernel isn't installed (extra 'test')")
    notebook = nbformat.read(EXAMPLES / "report.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "it is kept without its outputs"
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    report, figure, numbers = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"][-3:]
    shown = report[-1]["data"]["text/html"]
    assert "100%, 8 of 8 images" in shown and "data:image/png;base64," in shown and 'href="report/index.html"' in shown
    assert "http" not in shown and "<script" not in shown
    assert 'value="1.000"' in report[0]["data"]["text/html"], "the progress came to its end"
    assert figure[0]["text"].startswith("Attribution maps of Sequential") and "image/png" in figure[-1]["data"]
    assert (tmp_path / "figure.svg").is_file() and (tmp_path / "report" / "index.html").is_file()
    assert "'saliency': (32, 32)" in numbers[0]["text"]


@pytest.fixture
def commands_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that an example starts run in this process, where PyTorch is loaded and figures are coarse."""

    def here(words: list[str], *, check: bool, cwd: Path) -> None:
        assert words[:3] == [sys.executable, "-m", "cnnvis_report"] and check
        monkeypatch.chdir(cwd)
        print(command(*words[3:]).output, end="")

    monkeypatch.setattr(subprocess, "run", here)


@pytest.mark.usefixtures("commands_here")
def test_a_network_of_ones_own(run: Run, tmp_path: Path) -> None:
    assert run("own_network.py", tmp_path).endswith("index.html\n")
    for image in load_run(tmp_path / "report").images():
        assert image.correct and present(image.label).name == Path(image.name).parts[0]
        arrays = load_arrays(tmp_path / "report", image.id)
        red, blue = (arrays[f"grad_cam/filters/{index}"] for index in (0, 1))
        assert red[40, 30] > 0 == red[60, 70] and blue[60, 70] > 0 == blue[40, 30], "each class at its own disc"


def test_a_method_of_ones_own(run: Run, tmp_path: Path) -> None:
    run("own_method.py", tmp_path)
    stored = load_run(tmp_path / "report")
    assert stored.record.passes_per_image == {"forward": 1, "backward": 2}, "nothing is computed twice"
    for image in stored.images():
        arrays = load_arrays(tmp_path / "report", image.id)
        plain = {index: arrays[f"input_x_gradient/{index}"] for index in (0, 1)}
        largest = max(float(np.abs(values).max()) for values in plain.values())
        np.testing.assert_allclose(arrays["contrast/0"], plain[0] - plain[1], atol=largest / 500)
        assert not arrays["contrast/1"].any()
    assert "What speaks for the class rather than" in (tmp_path / "report" / "methods.html").read_text(encoding="utf-8")


@pytest.mark.browser
def test_the_pictures_of_the_readme(run: Run, report: Path, tmp_path: Path) -> None:
    pytest.importorskip("playwright", reason="Playwright isn't installed (extra 'test')")
    if chromium_path(whole=True) is None:
        pytest.skip("there is no Chromium on this system")
    run("make_pictures.py", report, tmp_path)
    for name in ("overview.jpg", "performance.jpg", "image-page.jpg"):
        with Image.open(tmp_path / name) as picture:
            assert picture.size == (1280, 800) and np.asarray(picture.convert("L")).max() > 200


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_they_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 80


@pytest.mark.exhaustive
def test_a_shortcut_that_a_comparison_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, where figures are coarse and PyTorch is there already, with fewer images."""
    spec = importlib.util.spec_from_file_location("shortcut", EXAMPLES / "shortcut.py")
    example = importlib.util.module_from_spec(present(spec))
    present(present(spec).loader).exec_module(example)
    monkeypatch.setattr(example, "IMAGES", 300)
    monkeypatch.setattr(example, "TEST_IMAGES", 40)
    assert example.main(tmp_path) == 4, "the rule stops it"
    comparison = load_comparison(tmp_path / "diff")
    difference = present(comparison.paired[0].difference)
    assert present(difference.low) < 0 < present(difference.high), "chance explains the difference of accuracy"
    assert min(present(run.accuracy).mean for run in comparison.runs) > 0.85
    old, new = comparison.method("grad_cam").mask_energy
    assert present(new).mean > 5 * present(old).mean and present(present(new).low) > present(present(old).high)
    text = (tmp_path / "diff" / "index.html").read_text(encoding="utf-8")
    assert "of the positive relevance of Grad-CAM lies in" in text and "Guided Grad-CAM: new" in text
