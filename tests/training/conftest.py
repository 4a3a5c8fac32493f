"""A set to train on, and where the model goes."""

from pathlib import Path

import pytest

from tests.training.trainings import class_folders


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of four pictures."""
    return class_folders(tmp_path_factory.mktemp("good") / "good", {"a": 4, "b": 4})


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "model.pt"
