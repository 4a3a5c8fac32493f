"""Pictures that several files of tests read."""

from pathlib import Path

import pytest
from PIL import Image

from tests.data.several_labels import PICTURES, SIDE


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name, (color, _) in PICTURES.items():
        Image.new("RGB", (SIDE, SIDE), color).save(folder / f"{name}.png")
    return folder
