"""A package with a method of its own: built, installed and used as its users would."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report import plugin
from cnnvis_report.store.run_folder import load_run

ROOT = Path(__file__).parents[1]
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "their-attributions"
version = "1.0"

[project.entry-points."cnnvis_report.methods"]
halves = "their_attributions.halves"
doubles = "their_attributions.halves:doubles"
"""
MODULE = '''
"""Methods that halve and double."""

from cnnvis_report.plugin import Between, Family, Kind, Sign, method


@method(
    title="Half of it",
    family=Family.GRADIENT,
    source="no source: a test",
    sign=Sign.SIGNED,
    kind=Kind.PIXEL,
    bounds={"share": Between(0, 1)},
    notes={"share": "{%} of it"},
)
def halves(tape, targets, *, share: float = 0.5):
    """A share of input times gradient."""
    tape.note(share=share)
    return share * tape.images * tape.gradients(targets).pixels


@method(title="Twice", family="theirs", source="no source: a test", sign=Sign.SIGNED, kind=Kind.PIXEL)
def doubles(tape, targets):
    """Twice the gradient."""
    return 2 * tape.gradients(targets).pixels
'''


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed, from its source."""
    for tool in ("pip", "hatchling"):
        pytest.importorskip(tool, reason=f"{tool} isn't installed")
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    (source / "their_attributions").mkdir()
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "their_attributions" / "__init__.py").write_text("")
    (source / "their_attributions" / "halves.py").write_text(MODULE)
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    words = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(source)]
    subprocess.run(words, check=True, capture_output=True)
    return target


def installed_command(site: Path, *words: object, beside: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The command as a user with that package has it."""
    path = os.pathsep.join(str(folder) for folder in (site, beside, ROOT) if folder)
    return subprocess.run(
        [sys.executable, "-m", "cnnvis_report", *map(str, words)],
        env={**os.environ, "PYTHONPATH": path},
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_methods_are_listed_and_a_package_that_breaks_is_named(site: Any, tmp_path: Path) -> None:
    broken = tmp_path / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[cnnvis_report.methods]\nbad = there_is_no_such_module\n")
    listed = installed_command(site, "methods", beside=tmp_path)
    assert listed.returncode == 0 and "A share of input times gradient." in listed.stdout
    assert "doubles" in listed.stdout and "grad_cam" in listed.stdout
    (line,) = listed.stderr.splitlines()
    assert line.startswith("Warning: ") and "'broken'" in line and "there_is_no_such_module" in line


def test_its_maps_are_right_and_stand_on_the_page(site: Any, drawn: Path, tmp_path: Path) -> None:
    words = (
        "run",
        "tests.factories:tiny",
        drawn,
        "-o",
        tmp_path / "r",
        "-m",
        "gradient,input_x_gradient,halves,doubles",
    )
    result = installed_command(site, *words, "-O", "halves.share=0.25", "--device", "cpu", "-q")
    assert result.returncode == 0, result.stderr
    run = load_run(tmp_path / "r")
    assert run.record.method("halves").options == {"share": 0.25}
    for image in run.images():
        arrays = run.maps(image)
        maps = {
            each.method: arrays[each.key].astype(np.float32)
            for each in image.maps
            if each.target == image.maps[0].target
        }
        np.testing.assert_allclose(maps["halves"], maps["input_x_gradient"] / 4, rtol=2e-3, atol=1e-7)
        np.testing.assert_allclose(maps["doubles"], maps["gradient"] * 2, rtol=2e-3, atol=1e-7)
    page = next((tmp_path / "r").rglob("methods.html")).read_text(encoding="utf-8")
    assert "Half of it" in page and "Twice the gradient." in page
    images = "".join(path.read_text(encoding="utf-8") for path in (tmp_path / "r").rglob("*.html"))
    assert " of it" in images


def test_whatever_is_promised_is_there() -> None:
    assert all(hasattr(plugin, name) for name in plugin.__all__)
    assert all(f"{name}" in (plugin.__doc__ or "") for name in plugin.__all__)
