"""A training on drawn shapes, and its report."""

import shutil
from pathlib import Path

import pytest

from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.pipeline.stages.trained.numbers import EPOCHS, IMAGES


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training on drawn shapes, with a class of a stranger's name, its snapshots and its report."""
    top = tmp_path_factory.mktemp("trained")
    command("make-dataset", "shapes", "-n", str(IMAGES), "--size", "32", "-o", top / "drawn", "-q")
    images = top / "images"
    shutil.copytree(top / "drawn" / "images", images)
    (images / "ring").rename(images / "<b>ring & 'co'")
    command(
        *("train", images, "-o", top / "model.pt", "--epochs", str(EPOCHS), "--checkpoint-epochs", "1,2,3"),
        *("--device", "cpu", "--test", images, "--report", top / "report", "-m", "quick", "-q"),
    )
    return top


@pytest.fixture(scope="session")
def record(trained: Path) -> RunRecord:
    return load_run(trained / "report").record
