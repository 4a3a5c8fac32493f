"""What a run is: the same command never serves another network's or another image's results, and says what changed."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnvis_report.data.content import content_hash
from cnnvis_report.pipeline.identity import parts
from cnnvis_report.store import load_run
from cnnvis_report.store.previous_run import remembered
from tests.conftest import command, forget_methods
from tests.exhaustive import represented
from tests.store.run_files import Stop, interrupted

NETWORK = """
import torch
from torch import nn
from own_helper import gain

class Net(nn.Module):
    size = 16

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.act, self.fc = nn.Conv2d(3, 6, 3), nn.LeakyReLU(0.1), nn.Linear(6, 4)
        self.drop = nn.Dropout(0.2)
        self.register_buffer("scale", torch.ones(1), persistent=False)

    def forward(self, x):
        return self.fc(self.drop(self.act(self.conv(x)).amax((2, 3)))) * self.scale * gain()
"""


METHOD = """
from cnnvis_report.plugin import Kind, Sign, method

@method(title="Mine", family="own", source="", sign=Sign.SIGNED, kind=Kind.PIXEL)
def mine(tape, targets):
    \"\"\"The gradient, scaled.\"\"\"
    return tape.gradients(targets).pixels * 2.0
"""


RUN = (
    *("run", "own_network:Net", "pictures", "--methods", "grad_cam,own_method:mine", "--masks", "masks"),
    *("--inspect", "none", "--metrics", "none", "--device", "cpu", "--batch-size", "2", "-o", "report"),
)


OWN = ("own_network", "own_helper", "own_method")


def prepare_folder(folder: Path) -> None:
    """A network, a method, four uncompressed pictures and their masks."""
    for name, text in zip(OWN, (NETWORK, "def gain():\n    return 1.0\n", METHOD), strict=True):
        (folder / f"{name}.py").write_text(text)
    random = np.random.default_rng(0)
    for kind in ("pictures", "masks"):
        (folder / kind).mkdir()
    for number in range(4):
        Image.fromarray(random.integers(0, 255, (200, 200, 3), np.uint8)).save(folder / "pictures" / f"{number}.bmp")
        half = np.repeat(np.array([[0], [255]], np.uint8), 100, axis=0).repeat(200, axis=1)
        Image.fromarray(half).save(folder / "masks" / f"{number}.bmp")


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a folder, with a report."""
    folder = tmp_path_factory.mktemp("reported")
    prepare_folder(folder)
    with pytest.MonkeyPatch.context() as patch:
        forget_methods(patch)
        go_to(folder, patch)
        started()
    return folder


@pytest.fixture
def own_folder(reported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of it, in which commands are given."""
    shutil.copytree(reported, tmp_path / "own")
    go_to(tmp_path / "own", monkeypatch)
    yield tmp_path / "own"
    for name in OWN:
        sys.modules.pop(name, None)


def go_to(folder: Path, patch: pytest.MonkeyPatch) -> None:
    patch.chdir(folder)
    patch.syspath_prepend(str(folder))
    patch.setattr(sys, "dont_write_bytecode", True)
    patch.setattr(content_hash, "SETTLED", 0)  # the pictures are seconds old, and nobody writes to them unseen


def started(*words: str) -> str:
    """What the command says, given in a process that knows nothing of earlier ones."""
    for name in OWN:
        sys.modules.pop(name, None)
    return str(command(*RUN, *words).stderr)


def written(file: str, old: str, new: str) -> Callable[[], None]:
    def change() -> None:
        path = Path(file)
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def painted(file: str) -> None:
    """Other bytes in the middle of a file, the size and the time of writing kept."""
    before = Path(file).stat()
    content = bytearray(Path(file).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(byte ^ 0x80 for byte in content[middle : middle + 3000])
    Path(file).write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def swapped() -> None:
    Path("pictures/1.bmp").rename("other")
    Path("pictures/3.bmp").rename("pictures/1.bmp")
    Path("other").rename("pictures/3.bmp")


CHANGES: dict[str, tuple[Callable[[], object], str]] = {
    "forward": (written("own_network.py", "amax(", "mean("), "the network's source code, the network's logits"),
    "slope": (written("own_network.py", "LeakyReLU(0.1)", "LeakyReLU(0.11)"), "the modules' settings"),
    "dropout": (written("own_network.py", "Dropout(0.2)", "Dropout(0.3)"), "the modules' settings"),
    "buffer": (written("own_network.py", "ones(1)", "ones(1) * 1.5"), "the network's logits"),
    "helper": (written("own_helper.py", "1.0", "1.0000001"), "the network's source code"),
    "method": (written("own_method.py", "2.0", "3.0"), "the methods' source code"),
    "picture": (lambda: painted("pictures/2.bmp"), "1 image with another content"),
    "first picture": (lambda: painted("pictures/0.bmp"), "1 image with another content"),
    "mask": (lambda: painted("masks/1.bmp"), "1 image with another content"),
    "swapped": (swapped, "2 images with another content"),
    "gone": (lambda: Path("pictures/3.bmp").unlink(), "1 image gone"),
    "added": (lambda: shutil.copy("pictures/3.bmp", "pictures/9.bmp"), "1 image added"),
    "broken": (lambda: Path("pictures/2.bmp").write_bytes(b"BM nothing"), "1 image with another content"),
}


ALIKE = {"dropout", "first picture"}  # as "slope", as "picture"


@pytest.mark.parametrize(
    ("change", "difference"),
    represented([pytest.param(*row, id=name) for name, row in CHANGES.items()], by=CHANGES.keys() - ALIKE),
)
def test_what_has_changed_is_explained_anew_and_named(
    change: Callable[[], object], difference: str, own_folder: Path
) -> None:
    change()
    printed = started()
    assert f"Changed   since the run in this folder: {difference}" in printed or f", {difference}" in printed
    assert "explained already" not in printed


def test_what_is_explained_anew_is_as_if_the_folder_had_been_empty(own_folder: Path) -> None:
    for name in ("forward", "picture"):
        CHANGES[name][0]()
    started()
    changed = images_of("report")
    shutil.rmtree("report")
    assert "Changed" not in started()
    assert images_of("report") == changed


def images_of(folder: str) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = json.loads(Path(folder, "run.json").read_text())["images"]
    return images


@pytest.mark.parametrize("change", [
    lambda: None,
    lambda: os.utime("pictures/2.bmp"),
    written("own_network.py", "import torch\n", "import torch  # with a comment\n\n"),
], ids=["nothing", "touched", "comment"])  # fmt: skip
def test_what_decides_nothing_starts_nothing_anew(change: Callable[[], object], own_folder: Path) -> None:
    change()
    assert "all images were explained already" in started()


def test_preprocessing_counts_to_the_last_digit(own_folder: Path) -> None:
    assert "explained already" in started("--mean", "0.485,0.456,0.406"), "ImageNet's, which it has anyhow"
    assert "the preprocessing" in started("--mean", "0.4850001,0.456,0.406")


def test_numbers_that_were_rounded_to_bytes_are_not_mixed_with_others(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "ALL_BITS", "upper 8 bits")
    printed = started()
    assert "Changed   since the run in this folder: the preprocessing" in printed and "already" not in printed


def test_what_is_there_already_is_found_without_reading_the_pictures_again(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree("report")
    started()
    read: list[object] = []
    plain = content_hash.content_digest

    def counted(*given: Any) -> Any:
        read.append(given)
        return plain(*given)

    monkeypatch.setattr(content_hash, "content_digest", counted)
    assert "all images were explained already" in started()
    assert len(read) <= 6, "the first three of four with their masks, as they are decoded: the network is tried on them"
    shutil.copytree("pictures", "copies")
    shutil.rmtree("pictures")
    Path("copies").rename("pictures")  # other files of the same content
    assert "all images were explained already" in started()
    assert len(read) >= 8


def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupted(patch, 3)
        with pytest.raises(Stop):
            started()
    assert len(list(Path("report/arrays").iterdir())) == 3


def test_a_stopped_run_knows_which_pictures_have_changed(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree("report")
    stopped(monkeypatch)
    assert len(remembered(Path("report"))) >= 6, "of three pictures and their masks, before the run is complete"
    times = {path: path.stat().st_mtime_ns for path in Path("report/arrays").iterdir()}
    assert "Changed" not in started()
    assert all(path.stat().st_mtime_ns == when for path, when in times.items()), "what was done stays"
    shutil.rmtree("report")
    stopped(monkeypatch)
    painted("pictures/1.bmp")
    assert "1 image with another content" in started()


def test_a_damaged_or_foreign_record_of_files_misleads_nobody(own_folder: Path) -> None:
    path = Path("report/run.json")
    head, images = path.read_text().split('\n"images": [', 1)
    content = json.loads(head.rstrip(",") + "}")
    known = content["run"]["provenance"]["files"]
    assert len(known) == 8 and not [name for name in known if "/" in name or "bmp" in name]
    content["run"]["provenance"]["files"] = {"a": [1], "b": {}, **dict.fromkeys(list(known)[:2], 7)}
    path.write_text(json.dumps(content)[:-1].replace(', "run"', ',\n"run"') + ',\n"images": [' + images)
    assert "4 of its 4 images are kept" in started()
    path.write_text(path.read_text()[: -len(images) // 2])
    images = content["run"]["images"]
    assert "got damaged" in started() and len(list(load_run(Path("report")).images())) == images
