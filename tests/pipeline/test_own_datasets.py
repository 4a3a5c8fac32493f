"""IMAGES that name a dataset in a module: its samples are explained as `create_report` explains them."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from cnnvis_report import load_report
from cnnvis_report.cli.main import cli
from tests.live.small import pictures

FILE = """
import torch
from torch.utils.data import DataLoader
from tests.live.small import Samples, network, transform

pictures = Samples()
inputs = Samples(transform=transform)
loader = DataLoader(inputs, batch_size=2)


def dataset(split="val"):
    return Samples(2 if split == "val" else 3, transform=transform)


def needs(root):
    return pictures


def fails():
    raise OSError("no disk")


class Failing(Samples):
    def __getitem__(self, index):
        if index == 1:
            raise ValueError("row one")
        return super().__getitem__(index)


failing = Failing
empty = []
number = 3
"""
SETTINGS = ["--methods", "gradient", "--metrics", "none", "--inspect", "none", "--device", "cpu", "-q"]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / f"data_{abs(hash(tmp_path))}.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return f"data_{abs(hash(tmp_path))}.py"


def run(own: str, name: str, *options: str) -> Result:
    images = [f"{own}:{name}"]
    return CliRunner().invoke(cli, ["run", f"{own}:network", *images, "-o", "report", *SETTINGS, *options])


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("inputs", (), 3),
        ("loader", (), 3),
        ("dataset", (), 2),
        ("dataset", ("--split", "train"), 3),
        ("pictures", ("--size", "16", "--mean", "0.4,0.5,0.6", "--std", "0.2,0.3,0.4"), 3),
    ],
    ids=["dataset", "loader", "function", "split", "pictures"],
)
def test_its_samples_are_the_images(own: str, name: str, options: tuple[str, ...], count: int) -> None:
    result = run(own, name, *options)
    assert result.exit_code == 0, result.stderr
    report = load_report(Path("report"))
    assert [image.record.label.name for image in report if image.record.label] == ["ant", "bee", "cat"][:count]
    for number, image in enumerate(report):
        assert np.array_equal(image.picture, np.asarray(pictures()[number])), "un-normalized by its own transform"


def test_a_sample_that_raises_costs_that_sample(own: str) -> None:
    assert run(own, "failing").exit_code in (0, 3)
    (skipped,) = load_report(Path("report")).record.skipped
    assert skipped.reason.startswith("the dataset fails (ValueError: row one")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("needs", (), "can't be called without root; give a function of no arguments that calls it"),
        ("fails", (), "OSError: no disk"),
        ("empty", (), "There are no images: what was handed over is empty"),
        ("number", (), "images are an int; a Dataset, a DataLoader"),
        ("nothing", (), "has no function 'nothing'"),
        ("inputs", ("--split", "val"), "is no function that takes a split"),
        ("fails", ("--split", "val"), "has no parameter split"),
        ("inputs", ("--masks", "m"), "--masks: "),
        ("inputs", ("--size", "8"), "the images are tensors and keep the size"),
    ],
)
def test_what_is_no_dataset_is_one_line(own: str, name: str, options: tuple[str, ...], message: str) -> None:
    result = run(own, name, *options)
    assert result.exit_code == 2 and message in result.stderr and result.stderr.count("\n") == 1
    assert not Path("report").exists()


def test_it_stands_alone(own: str) -> None:
    result = run(own, "inputs", "other")
    assert result.exit_code == 2 and "is given alone" in result.stderr
