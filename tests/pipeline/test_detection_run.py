"""Runs on a detector that finds nothing in some images, or in none: pages, figures and what is said."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torch import Tensor, nn

from cnnvis_report.store import load_run
from tests.conftest import command
from tests.engine.outputs.detectors import Detector

WORDS = ("--size", "32", "-m", "grad_cam,eigen_cam", "--metrics", "full", "--inspect", "none", "--device", "cpu")


class Bright(nn.Module):
    """A detector that finds nothing in dark images."""

    def __init__(self, least: float = 0.0) -> None:
        super().__init__()
        self.detector, self.least = Detector(), least
        self.num_classes = self.detector.num_classes
        self.class_names = ("background", "one", "two", "three")

    def forward(self, images: Tensor) -> list[dict[str, Tensor]]:
        results: list[dict[str, Tensor]] = self.detector(images)
        return [
            result if float(image.mean()) > self.least else {name: values[:0] for name, values in result.items()}
            for image, result in zip(images, results, strict=True)
        ]


def build() -> nn.Module:
    return Bright()


def blind() -> nn.Module:
    return Bright(100.0)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    noise = np.random.default_rng(0).integers(0, 128, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "dark.png")
    Image.fromarray(noise + np.uint8(127)).save(folder / "light.png")
    return folder


def test_an_image_without_boxes_is_shown_and_nothing_is_explained_of_it(pictures: Path, tmp_path: Path) -> None:
    result: Any = command("run", f"{__name__}:build", pictures, "-o", tmp_path / "r", *WORDS)
    assert result.exit_code == 0, result.output
    dark, light = load_run(tmp_path / "r").images()
    assert (dark.top, dark.maps, dark.first_score) == ((), (), 0.0) and light.top and light.maps
    assert [gap.reason for gap in dark.not_applicable] == ["no box to explain: the detector finds nothing"]
    index = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert "No box in 1 image." in index and "(1 image). Its score is" in index
    page = (tmp_path / "r" / "images" / f"{dark.id}.html").read_text(encoding="utf-8")
    assert "<b>no box</b>" in page and "there is nothing to explain" in page
    assert "not one map has a value" not in index, "insertion by probability isn't measured of boxes"
    lit = (tmp_path / "r" / "images" / f"{light.id}.html").read_text(encoding="utf-8")
    assert "Curves: Insertion (" in lit and "log-odds" not in lit
    figure: Any = command("figure", tmp_path / "r", "-o", tmp_path / "f.svg")
    assert figure.exit_code == 0, figure.output
    assert (tmp_path / "f.svg").read_text(encoding="utf-8").count("#ffd600") == 3, "the input, its map, the key"


def test_a_detector_that_finds_nothing_anywhere_says_so(pictures: Path, tmp_path: Path) -> None:
    result: Any = command("run", f"{__name__}:blind", pictures, "-o", tmp_path / "r", *WORDS)
    assert result.exit_code == 0, result.output
    index = (tmp_path / "r" / "index.html").read_text(encoding="utf-8")
    assert "No box in 2 images: there is nothing to explain." in index
    assert "score is" not in index
