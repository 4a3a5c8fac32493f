"""Pictures that are replaced while a run goes on, and code that comes by no name that stands in a file."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from cnnvis_report.data.content.content_hash import FileContent, Replaced
from cnnvis_report.models.load import load_model
from cnnvis_report.pipeline import run
from cnnvis_report.pipeline.identity.network import identify_network
from cnnvis_report.pipeline.identity.source_code import network_files
from cnnvis_report.pipeline.stages.explain import explain_images
from cnnvis_report.store import load_run
from tests.conftest import command

RUN = ("run", "tests.odd_networks:Odd", "pictures", "-o", "report", "-m", "grad_cam", "--device", "cpu")


def save(path: Path, seed: int) -> None:
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (32, 32, 3), np.uint8)).save(path)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    for number in range(4):
        save(tmp_path / "pictures" / f"{number}.png", number)
    return tmp_path / "pictures"


def test_a_picture_that_is_replaced_before_its_maps_is_skipped_with_the_reason(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hinders(*given: Any) -> None:
        save(pictures / "0.png", 99)  # the network has been tried on it
        explain_images(*given)

    monkeypatch.setattr(run, "explain_images", hinders)
    printed = command(*RUN, "--inspect", "none").stderr
    record = load_run(Path("report")).record
    assert [file.name for file in record.skipped] == ["0.png"] and record.images == 3
    assert "replaced by another file while the run went on" in record.skipped[0].reason and "0.png" in printed


def after_the_maps(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    def hinders(*given: Any) -> None:
        explain_images(*given)
        change()

    monkeypatch.setattr(run, "explain_images", hinders)


@pytest.mark.parametrize("inside", ["none", "standard"])
def test_a_picture_that_is_replaced_after_its_maps_is_said_and_mixed_with_nothing(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    after_the_maps(monkeypatch, lambda: save(pictures / "2.png", 99))
    printed = command(*RUN, "--inspect", inside).stderr
    record = load_run(Path("report")).record
    notice = "2.png was replaced while the run went on; its maps are of what it held at first."
    assert notice in record.notices and f"Warning: {notice}" in printed and record.images == 4
    if record.inspection is not None:
        assert record.inspection.image_count == 3 and "2-" not in [
            image.image[:2] for image in record.inspection.images
        ]
    monkeypatch.undo()
    monkeypatch.chdir(pictures.parent)
    if record.inspection is None:
        assert "1 image with another content" in command(*RUN, "--inspect", "none").stderr, (
            "the next start sees it, too"
        )


def test_a_picture_that_is_touched_or_gone_is_not_replaced(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def change() -> None:
        (pictures / "1.png").write_bytes((pictures / "1.png").read_bytes())
        (pictures / "2.png").unlink()

    after_the_maps(monkeypatch, change)
    command(*RUN, "--inspect", "none")
    assert not any("replaced" in notice for notice in load_run(Path("report")).record.notices)


def test_a_file_that_is_written_while_it_is_read_is_read_again_and_given_up_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"first")
    plain = os.fstat
    writes: Iterator[bytes | None] = iter([b"second", None])

    def fstat(number: int) -> os.stat_result:
        before = plain(number)
        text = next(writes, None)
        if text is not None:
            path.write_bytes(text)
        return before

    monkeypatch.setattr("cnnvis_report.data.content.content_hash.os.fstat", fstat)
    opened = FileContent(path).open()
    assert not isinstance(opened, Path) and opened.read() == b"second"
    writes = iter([bytes(size) for size in range(1, 30)])
    with pytest.raises(Replaced, match="being written while it is read"):
        FileContent(path).open()


NET = """
import importlib, importlib.util
from pathlib import Path
from torch import nn

head = importlib.import_module("computed_" + "head")
spec = importlib.util.spec_from_file_location("whatever", Path(__file__).with_name("computed_body.py"))
body = importlib.util.module_from_spec(spec)
spec.loader.exec_module(body)
TABLE = {"body": body.body}

class Net(nn.Module):
    size = 32

    def __init__(self):
        super().__init__()
        self.a, self.fc = nn.Conv2d(3, 4, 3), nn.Linear(4, 3)

    def forward(self, x):
        scale = getattr(importlib.import_module("computed_" + "late"), "scale")
        return scale(head.classify(self.fc, TABLE["body"](self.a(x))))
"""
PARTS = {
    "computed_net": NET,
    "computed_head": "def classify(fc, x):\n    return fc(x.mean((2, 3)))\n",
    "computed_body": "def body(x):\n    return x.relu()\n",
    "computed_late": "def scale(x):\n    return x * 1.0\n",
    "computed_other": "def unused(x):\n    return x\n",
}


def loaded() -> tuple[set[str], str]:
    """The files that count for the network, and its code's digest, in what is as good as a new process."""
    for name in PARTS:
        sys.modules.pop(name, None)
    network = load_model("computed_net.py:Net").network
    network(torch.zeros(1, 3, 32, 32))
    spec = "computed_net.py:Net"
    return {path.stem for path in network_files(network, spec)}, identify_network(network, spec).code


def test_code_with_computed_names_is_part_of_what_a_network_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for name, text in PARTS.items():
        (tmp_path / f"{name}.py").write_text(text)
    names, first = loaded()
    assert names == {*PARTS} - {"computed_other"} and loaded()[1] == first
    codes = {first}
    for name in PARTS:
        with (tmp_path / f"{name}.py").open("a") as file:
            file.write("\nmore = 1\n")
        codes.add(loaded()[1])
    assert len(codes) == 5, "each of the four counts, and what nobody loads doesn't"
    for name in PARTS:
        sys.modules.pop(name, None)
