"""Networks of something else than one image: one true line each; and how many channels a network reads."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnnvis_report import explain
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.input_channels import input_channels
from cnnvis_report.models.load import load_model
from cnnvis_report.models.other_inputs import check_inputs
from cnnvis_report.store import load_run
from tests.conftest import command
from tests.networks import Tiny, seeded


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(3, 4, 3)

    def forward(self, image: Tensor, table: Tensor, weight: float = 1.0) -> Tensor:
        scores: Tensor = self.inner(image).mean((2, 3)) * weight + table
        return scores


class Freely(nn.Module):
    def forward(self, *images: Tensor, **options: Any) -> Tensor:
        return images[0].mean((2, 3))


def video(channels: int = 3) -> nn.Module:
    return nn.Sequential(nn.Conv3d(channels, 4, 3), nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(4, 2))


@pytest.mark.parametrize(
    ("network", "says"),
    [
        pytest.param(TwoInputs(), r"^net reads 2 inputs, image, table, and one image is explained\. Wrap it", id="two"),
        pytest.param(
            video(), r"^net reads videos or volumes: its first convolution, 0, is a Conv3d over N×3×T", id="3d"
        ),
        pytest.param(video(1), r"Conv3d over N×1×T×H×W, and images N×C×H×W are explained\.", id="volume"),
    ],
)
def test_what_is_no_image_is_said(network: nn.Module, says: str) -> None:
    with pytest.raises(BadRequest, match=says) as caught:
        check_inputs(network, "net")
    assert "\n" not in str(caught.value) and "docs/inputs.md" in str(caught.value)


@pytest.mark.parametrize("network", [Tiny(4), Freely(), nn.Linear(3, 2)], ids=["image", "freely", "linear"])
def test_others_go_through(network: nn.Module) -> None:
    check_inputs(network, "net")


def test_a_factory_of_such_a_network_says_so() -> None:
    with pytest.raises(BadRequest, match=r"^video reads videos or volumes"):
        load_model("tests.models.test_other_inputs:video")


def test_images_of_five_sides() -> None:
    with pytest.raises(BadRequest, match=r"images are 1×3×8×6×6, as of videos or volumes; .*images\.flatten\(1, 2\)"):
        explain(video(), torch.rand(1, 3, 8, 6, 6), [0])


class Unfolded(nn.Module):
    """What the line says to do."""

    def __init__(self) -> None:
        super().__init__()
        self.network = seeded(video())

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.network(images.unflatten(1, (3, -1)))
        return scores


def folded() -> tuple[nn.Module, dict[str, Any]]:
    return Unfolded(), {"channels": 15, "size": 16}


def test_a_network_that_unfolds_time_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random((15, 20, 20), np.float32))
    run = ("run", "tests.models.test_other_inputs:folded", "--device", "cpu", "--metrics", "none", "--inspect", "none")
    command(*run, tmp_path / "a.npy", "-m", "gradient", "--rgb", "1,6,11", "-o", tmp_path / "r")
    (image,) = load_run(tmp_path / "r").images()
    assert {record.shape for record in image.maps} == {(15, 16, 16)}


def test_time_that_is_folded_into_channels_is_explained() -> None:
    """Each band's map is that of one channel at one time."""

    films = torch.rand(1, 3, 5, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    network = Unfolded()
    maps = explain(network, films.detach().flatten(1, 2), [1], methods=["gradient"])["gradient"]
    (slopes,) = torch.autograd.grad(network.network(films)[0, 1], films)
    torch.testing.assert_close(maps.unflatten(1, (3, -1)), slopes)


class HeadFirst(nn.Module):
    """Declares what it reads last."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(8, 2, 1)
        self.features = nn.Conv2d(channels, 8, 3)

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(images)).mean((2, 3))
        return scores


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6, 12, 20])
@pytest.mark.parametrize("make", [lambda channels: Tiny(4, channels=channels), HeadFirst], ids=["plain", "head first"])
def test_channels_that_a_network_reads(make: Any, channels: int) -> None:
    assert input_channels(make(channels)) == channels
