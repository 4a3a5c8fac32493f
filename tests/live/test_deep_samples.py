"""Samples of more than 8 bits a channel, in memory or by their paths: all bits, and all of a set read alike."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cnnvis_report import create_report
from cnnvis_report.errors import CnnVisError
from tests.data.deep_files import png
from tests.live.small import QUICK, network

PLAIN: dict[str, Any] = {**QUICK, "size": "original", "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}

VALUES = np.random.default_rng(0).integers(0, 900, (3, 16, 16)).astype(np.uint16)
VALUES[1, 2, 3] = 4095  # of the three, one alone tells that they have 12 bits


def by_path(folder: Path) -> list[Path]:
    paths = [folder / f"{number}.png" for number in range(len(VALUES))]
    for path, values in zip(paths, VALUES, strict=True):
        path.write_bytes(png(values))
    return paths


FORMS: dict[str, Any] = {
    "Pillow's, of 16 bits": lambda _: [Image.fromarray(values) for values in VALUES],
    "Pillow's, of 32 bits": lambda _: [Image.fromarray(values.astype(np.int32)) for values in VALUES],
    "Pillow's, floating point": lambda _: [Image.fromarray(values / np.float32(4095)) for values in VALUES],
    "arrays": lambda _: list(VALUES),
    "arrays of colors": lambda _: [values[..., None].repeat(3, axis=2) for values in VALUES],
    "paths": by_path,
}


def probabilities(report: Any) -> list[float]:
    return [image.record.top[0].probability for image in report]


def expected(shares: Any) -> list[float]:
    pixels = torch.from_numpy(np.asarray(shares)).float()[:, None].expand(-1, 3, -1, -1)
    with torch.no_grad():
        return [float(row.max()) for row in network().eval()(pixels).softmax(1)]


@pytest.mark.parametrize("form", FORMS)
def test_samples_are_read_by_the_bits_of_the_set(form: str, tmp_path: Path) -> None:
    report = create_report(network(), FORMS[form](tmp_path), output=tmp_path / "report", **PLAIN)
    assert probabilities(report) == pytest.approx(expected(VALUES / 4095), abs=1e-6)


def test_a_range_is_that_of_samples_too(tmp_path: Path) -> None:
    report = create_report(network(), by_path(tmp_path), output=tmp_path / "report", range="100,800", **PLAIN)
    shares = np.clip((VALUES.astype(float) - 100) / 700, 0, 1)
    assert probabilities(report) == pytest.approx(expected(shares), abs=1e-6)
    assert "more than 8 bits: 100 to 800" in report.record.network.preprocessing


def test_numbers_that_no_picture_has_are_refused_with_what_is_taken(tmp_path: Path) -> None:
    with pytest.raises(CnnVisError, match=r"float64 16×16; a PIL picture, a path, whole numbers \(uint8, uint16\)"):
        create_report(network(), [VALUES[0] / 4095], output=tmp_path / "report", **PLAIN)


@pytest.mark.parametrize("picture", [Image.fromarray(VALUES[0]), Image.new("RGB", (16, 16))], ids=["deep", "bytes"])
def test_gray_and_color_are_no_input_of_other_bands(picture: Image.Image, tmp_path: Path) -> None:
    four = nn.Sequential(nn.Conv2d(4, 3, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    with pytest.raises(CnnVisError, match="it is a picture of gray or color, and the network reads 4 bands"):
        create_report(four, [picture], output=tmp_path / "report", **QUICK)
