"""What is installed works: from a wheel, from an sdist's wheel, and from a checkout."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def build(kind: str, source: Path, target: Path) -> Path:
    """A distribution, built with what is installed: no network is needed."""
    pytest.importorskip("hatchling", reason="hatchling isn't installed (extra 'test')")
    pytest.importorskip("build", reason="build isn't installed (extra 'test')")
    words = [sys.executable, "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(target), str(source)]
    subprocess.run(words, check=True, capture_output=True)
    (made,) = target.iterdir()
    return made


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))


def unpacked(wheel: Path, target: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def rendered_by(installed: Path, run: Path, tmp_path: Path) -> bytes:
    """The first page of a stored run, as an installation elsewhere writes it."""
    import shutil

    shutil.copytree(run, tmp_path / "run")
    code = (
        f"import sys; sys.path.insert(0, {str(installed)!r})\n"
        f"import cnnvis_report; assert cnnvis_report.__file__.startswith({str(installed)!r}), cnnvis_report.__file__\n"
        f"from cnnvis_report.cli.main import cli; cli(['render', {str(tmp_path / 'run')!r}])"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, cwd=tmp_path)
    return (tmp_path / "run" / "index.html").read_bytes()


def test_a_wheel_brings_templates_and_scripts(report: Path, tmp_path: Path) -> None:
    wheel = build("wheel", ROOT, tmp_path / "wheel")
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("templates", "static"):
        for path in (ROOT / folder).rglob("*.*"):
            assert f"cnnvis_report/{path.relative_to(ROOT).as_posix()}" in names
    assert "cnnvis_report/py.typed" in names, "its types are for those who call it, too"
    assert not [name for name in names if name.startswith(("tests", "examples", "templates", "static"))]
    installed = unpacked(wheel, tmp_path / "site")
    assert rendered_by(installed, report, tmp_path) == (report / "index.html").read_bytes()
    entry = next(installed.glob("*.dist-info")) / "entry_points.txt"
    assert "cnnvis-report = cnnvis_report.cli.main:cli" in entry.read_text()


@pytest.mark.exhaustive
def test_an_sdist_can_be_built_and_tested(sdist: Any, report: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tmp_path / "source", filter="data")
    wanted = {"README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff", "SECURITY.md", "constraints.txt"}
    assert wanted | {"docs/index.md", "docs/tables.py", "tests/conftest.py", "examples/own_method.py"} <= names
    (source,) = (tmp_path / "source").iterdir()
    wheel = build("wheel", source, tmp_path / "wheel")
    assert rendered_by(unpacked(wheel, tmp_path / "site"), report, tmp_path) == (report / "index.html").read_bytes()


def test_a_checkout_works_as_it_stands(report: Path, tmp_path: Path) -> None:
    assert rendered_by(ROOT, report, tmp_path) == (report / "index.html").read_bytes()


def test_the_constraints_pin_what_the_project_asks_for() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    assert {each.split(">=")[0] for each in wanted} == pinned
