"""A small run full of names, and what is handed on of it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import command
from tests.fixtures.make_run import FOLDER

NETWORK = """
from torch import nn

class SecretBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.secret_path = nn.Conv2d(3, 4, 3, padding=1)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.secret_path(x))

class SecretNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.secretlab = SecretBlock()
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))

    def forward(self, x):
        return self.head(self.secretlab(x))

def build():
    return SecretNet().eval()
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A copy of the run that is kept among the tests."""
    return Path(shutil.copytree(FOLDER, tmp_path / "report"))


@pytest.fixture(scope="session")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose network, layers, files, folders, classes and title all have "secret" in their names.

    Beside it lies the anonymous copy, "anonymous-report", and its zip file.
    """
    folder = tmp_path_factory.mktemp("work")
    (folder / "secretnet.py").write_text(NETWORK, encoding="utf-8")
    for number, name in enumerate(("secret_cat", "secret_dog")):
        path = folder / "secretphotos" / name / f"secret{number}.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(path)
    (folder / "secretphotos" / "secret_empty.jpg").write_bytes(b"")
    (folder / "secretnames.txt").write_text("secret_cat\nsecret_dog\nsecret_bird\n", encoding="utf-8")
    words: list[object] = ["--class-names", folder / "secretnames.txt", "--size", 16, "-m", "grad_cam,gradient"]
    words += ["--inspect", "standard", "--metrics", "quick", "--title", "The secret title", "--device", "cpu"]
    output = folder / "secret-report"
    command(
        "run",
        f"{folder / 'secretnet.py'}:build",
        folder / "secretphotos",
        "-o",
        output,
        *words,
        "-q",
        "--anonymous",
        "--zip",
    )
    return output
