"""Networks that ask for the version of their layers begin from a file's weights, and go on where they were."""

from pathlib import Path

import pytest
import torch
import torchvision

from cnnvis_report.training.train import TrainConfig, train
from tests.training.test_resume import Cut, Cutting
from tests.training.trainings import CPU, class_folders


def test_mnasnet_begins_from_weights_and_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    images = class_folders(tmp_path / "images", {"a": 4, "b": 4}, side=32)
    torch.manual_seed(0)
    torch.save(torchvision.models.mnasnet0_5().state_dict(), tmp_path / "weights.pt")

    def to(name: str) -> TrainConfig:
        return TrainConfig(
            images, tmp_path / name / "m.pt", "mnasnet0_5", weights=str(tmp_path / "weights.pt"), size="32", epochs=2
        )

    train(to("whole"), CPU, Cutting())
    with pytest.raises(Cut):
        train(to("cut"), CPU, Cutting(after=1))
    again = Cutting()
    train(to("cut"), CPU, again)
    assert again.resumed_from == [1]
    assert (tmp_path / "cut" / "m.pt").read_bytes() == (tmp_path / "whole" / "m.pt").read_bytes()
