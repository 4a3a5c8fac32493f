"""A model is trained on all bits of deep pictures, as it is run on them; on bytes as ever where there are no others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from cnnvis_report.data.preprocessing.prepare import prepare
from cnnvis_report.training.augment import augmentation
from cnnvis_report.training.epochs import _ready
from cnnvis_report.training.resume import parts_of
from cnnvis_report.training.tensors import Pictures
from tests.data.deep_files import png
from tests.narrow import present
from tests.training.trainings import CPU, trained


def folders(folder: Path, *, color: bool, bytes_first: bool = False) -> Path:
    """Noise of 16 bits, a class brighter than the other; the first picture has 8 bits where it is said."""
    random = np.random.default_rng(int(color))
    for level, name in enumerate("ab"):
        (folder / name).mkdir(parents=True)
        for number in range(9):
            values = random.integers(0, 40000, (20, 24, 3)[: 2 + color]) + 20000 * level
            (folder / name / f"{number}.png").write_bytes(png(values.astype(np.uint16)))
    if bytes_first:
        picture = Image.fromarray(random.integers(0, 256, (20, 24, 3)[: 2 + color]).astype(np.uint8))
        picture.save(folder / "a" / "0.png")
    return folder


def of_a_run(pictures: Pictures) -> Tensor:
    return torch.stack([prepare(item.open(), pictures.preprocessing).values for item in pictures.items])


@pytest.mark.parametrize("bytes_first", [False, True])
@pytest.mark.parametrize("color", [False, True])
def test_a_training_reads_what_a_run_reads(color: bool, bytes_first: bool, tmp_path: Path) -> None:
    _, seen = trained(folders(tmp_path / "i", color=color, bytes_first=bytes_first), tmp_path / "m.pt", size="16")
    for pictures in (seen.data.training, seen.data.validation):
        assert pictures.deep and present(pictures.stored).dtype == torch.float32
        ((images, _),) = _ready(pictures, (torch.arange(len(pictures)),), CPU)
        assert torch.equal(images, of_a_run(pictures)) and images.shape[1] == (3 if color else 1)
        assert len(images.unique()) > 2 * 256
    mean, std = pictures.preprocessing.mean, pictures.preprocessing.std
    pixels = present(seen.data.training.stored).double()
    assert mean == pytest.approx(pixels.mean(dim=(0, 2, 3)).tolist(), abs=1e-4)
    assert std == pytest.approx(pixels.std(dim=(0, 2, 3), correction=0).tolist(), abs=1e-4)


@pytest.mark.parametrize("room", [0, 18 * 3 * 16 * 16], ids=["none", "of bytes alone"])
def test_deep_pictures_that_are_decoded_each_time_train_the_same(
    room: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folders(tmp_path / "i", color=True, bytes_first=True)
    _, first = trained(folder, tmp_path / "m.pt", augment="strong", size="16")
    monkeypatch.setattr("cnnvis_report.training.tensors.KEPT_UP_TO", room)
    _, second = trained(folder, tmp_path / "n.pt", augment="strong", size="16")
    assert first.data.training.stored is not None and second.data.training.stored is None
    assert (tmp_path / "m.pt").read_bytes() == (tmp_path / "n.pt").read_bytes()


def test_a_training_on_bytes_does_not_go_on_with_all_bits(tmp_path: Path) -> None:
    _, seen = trained(folders(tmp_path / "i", color=False), tmp_path / "m.pt", size="16")
    trainee: Any = type("Trainee", (), {"network": seen.network, "frozen": ()})
    now = parts_of(seen.data, trainee, {}, CPU)
    object.__setattr__(seen.data.training, "deep", False)
    before = parts_of(seen.data, trainee, {}, CPU)
    assert [name for name in now if now[name] != before[name]] == ["how pictures are read"]


@pytest.mark.parametrize("level", ["d4", "light", "strong"])
def test_augmentation_changes_deep_pictures_as_it_does_bytes(level: str) -> None:
    pixels = torch.randint(0, 256, (40, 3, 24, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(3)
    shallow = augmentation(level, (24, 32))(pixels).float() / 255
    torch.manual_seed(3)
    deep = augmentation(level, (24, 32), deep=True)(pixels.float() / 255)
    assert deep.dtype == torch.float32 and float((deep - shallow).abs().max()) < 8 / 255, "by which bytes are rounded"
    assert level == "d4" or float((deep - shallow).abs().max()) > 0
