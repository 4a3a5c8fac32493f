"""A small run, and a copy of it to damage."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.synthetic.shapes import draw
from tests.conftest import command
from tests.store.damaged.runs import BARE, FEW


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(4):
        draw(number, 0, 40).picture.save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def original(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original") / "r"
    command("run", "tests.factories:tiny", pictures, "-o", folder, *FEW, *BARE)
    return folder


@pytest.fixture
def report(original: Path, tmp_path: Path) -> Any:
    return shutil.copytree(original, tmp_path / "r")


@pytest.fixture
def again(pictures: Path, report: Path) -> Any:
    """The command that made the run, given again."""
    run = ("run", "tests.factories:tiny", pictures, "-o", report, *FEW, *BARE)
    return lambda *more, code=0: command(*run, *more, code=code)
