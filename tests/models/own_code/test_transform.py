"""`--transform`: what it gives is what is explained; the picture is un-normalized from it, or that is said."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image

from cnnvis_report import load_report
from cnnvis_report.cli.main import cli

FILE = """
import functools
import numpy as np
import torch
from torch import nn
from torchvision.transforms import v2

MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)


def build():
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 8, 3, padding=1), nn.ReLU()
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))


normalized = v2.Compose([
    v2.ToImage(), v2.CenterCrop(12), v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)
])


def factory(side=12):
    return normalized


def function(picture):
    return normalized(picture)


partial = functools.partial(factory, side=12)


def squared(picture):
    return normalized(picture) ** 2


def nan(picture):
    return normalized(picture) * (np.nan if picture.size == (16, 16) else 1)


def raises(picture):
    if picture.size == (16, 16):
        raise KeyError("sixteen")
    return normalized(picture)


def own_size(picture):
    return v2.functional.normalize(v2.functional.to_image(picture) / 255, MEAN, STD)


flip = v2.Compose([v2.RandomHorizontalFlip(), normalized])
number = 3


class Needs:
    def __init__(self, side):
        pass
"""
SETTINGS = ["--methods", "gradient", "--metrics", "none", "--inspect", "none", "--device", "cpu", "-q"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "photos").mkdir()
    for number, side in enumerate((20, 16)):
        values = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
        Image.fromarray(values).save(tmp_path / "photos" / f"{number}.png")
    name = f"own_{re.sub(r'[^a-z0-9]', '_', tmp_path.name.lower())}.py"  # one is imported once
    (tmp_path / name).write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own(folder: Path) -> str:
    return next(path.name for path in folder.glob("own_*.py"))


def run(folder: Path, name: str, *options: str) -> Result:
    arguments = ["run", f"{own(folder)}:build", "photos", "-o", "report", "--transform", f"{own(folder)}:{name}"]
    return CliRunner().invoke(cli, [*arguments, *SETTINGS, *options])


@pytest.mark.parametrize("name", ["normalized", "factory", "function", "partial"])
def test_what_it_gives_is_explained_and_shown_as_the_picture_that_it_was(folder: Path, name: str) -> None:
    result = run(folder, name)
    assert result.exit_code == 0, result.stderr
    report = load_report(folder / "report")
    for number, image in enumerate(report):
        picture = np.asarray(Image.open(folder / "photos" / f"{number}.png"))
        edge = (len(picture) - 12) // 2
        assert np.array_equal(image.picture, picture[edge : edge + 12, edge : edge + 12])
        assert image.maps["gradient"].shape[-2:] == (12, 12)
    assert "mean 0.4 0.5 0.6, std 0.2 0.3 0.4" in report.record.network.preprocessing


def test_a_normalization_that_is_not_known_is_said(folder: Path) -> None:
    assert run(folder, "squared").exit_code == 0
    assert "its normalization isn't known" in load_report(folder / "report").record.network.preprocessing


def test_more_than_8_bits_are_given_in_256_steps_and_it_is_said(folder: Path) -> None:
    words = "Pictures of more than 8 bits are given to the transform in 256 steps of their range."
    assert run(folder, "normalized").exit_code == 0
    assert words not in load_report(folder / "report").record.notices
    values = np.random.default_rng(0).integers(0, 65536, (20, 20)).astype(np.uint16)
    Image.fromarray(values).save(folder / "photos" / "0.png")
    assert run(folder, "normalized").exit_code == 0
    report = load_report(folder / "report")
    assert words in report.record.notices
    shown = np.rint(values[4:16, 4:16] * (255 / 65535))
    assert np.array_equal(report["0.png"].picture, shown[..., None].repeat(3, axis=2))


def test_each_result_may_have_its_size(folder: Path) -> None:
    assert run(folder, "own_size").exit_code == 0
    sides = [image.picture.shape[:2] for image in load_report(folder / "report")]
    assert sides == [(20, 20), (16, 16)]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("nan", "the transform gives values that aren't finite"), ("raises", "the transform fails (KeyError: 'sixteen'")],
)
def test_a_picture_that_it_fails_on_is_skipped(folder: Path, name: str, reason: str) -> None:
    assert run(folder, name).exit_code in (0, 4, 5)
    (skipped,) = load_report(folder / "report").record.skipped
    assert skipped.name == "1.png" and skipped.reason.startswith(reason)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("flip", (), "gives another result each time for the same picture"),
        ("number", (), "is of type int; a function of a picture is needed"),
        ("Needs", (), "is the class Needs; a function of a picture is needed"),
        ("norm", (), "has no function 'norm'"),
        ("normalized", ("--size", "64"), "--size 64: a transform makes what the network reads"),
    ],
    ids=["random", "number", "class", "name", "size"],
)
def test_what_cannot_be_meant_is_one_line(folder: Path, name: str, options: tuple[str, ...], message: str) -> None:
    result = run(folder, name, *options)
    assert result.exit_code == 2 and message in result.stderr and result.stderr.count("\n") == 1
    assert not (folder / "report").exists()


def test_another_transform_starts_over(folder: Path) -> None:
    run(folder, "normalized")
    before = json.loads((folder / "report" / "run.json").read_text())
    assert run(folder, "squared").exit_code == 0
    after = json.loads((folder / "report" / "run.json").read_text())
    assert before != after and torch.tensor(load_report(folder / "report")[0].maps["gradient"]).isfinite().all()
