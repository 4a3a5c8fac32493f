"""Checkpoints of short fits by Lightning are opened as the network that was trained."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from tests.extras.needs import needs

needs("lightning")

import lightning  # noqa: E402

CLASSES = 4
IMAGES = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


class Trained(lightning.LightningModule):
    """Trains `self.net`, and has no forward."""

    def __init__(self, classes: int, width: int = 8, loss: nn.Module | None = None) -> None:
        super().__init__()
        self.save_hyperparameters(ignore=[])
        self.net = nn.Sequential(
            *(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, classes)),
        )
        self.criterion = nn.CrossEntropyLoss(weight=torch.ones(classes))

    def training_step(self, batch: Any, _: int) -> Tensor:
        loss: Tensor = self.criterion(self.scores(batch[0]), batch[1])
        return loss

    def scores(self, images: Tensor) -> Tensor:
        scores: Tensor = self.net(images)
        return scores

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), 0.1)


class WithForward(Trained):
    """Halves the scores, so that it can't be taken for its part."""

    def forward(self, images: Tensor) -> Tensor:
        return self.scores(images) / 2


class Named(Trained):
    """Trains a network of torchvision."""

    def __init__(self, classes: int) -> None:
        super().__init__(classes)
        self.net = torchvision.models.squeezenet1_1(num_classes=classes)


def fitted(module: Trained, folder: Path) -> str:
    data = DataLoader(TensorDataset(IMAGES, torch.arange(4) % CLASSES), batch_size=2)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", enable_model_summary=False, **quiet)
    trainer.fit(module, data)
    trainer.save_checkpoint(folder / "last.ckpt")
    module.eval()
    return str(folder / "last.ckpt")


HERE = "tests.extras.lightning.test_fitted"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("module", "architecture", "which"),
    [
        pytest.param(Trained, f"{HERE}:Trained", "The network is Trained's net", id="the network within"),
        pytest.param(WithForward, f"{HERE}:WithForward", "The network is WithForward's own forward", id="its forward"),
        pytest.param(Named, f"{HERE}:Named", "The network is Named's net", id="torchvision's within"),
        pytest.param(Named, "squeezenet1_1", "", id="torchvision's by name"),
    ],
)
def test_the_fitted_network_is_the_one_that_is_opened(
    module: type[Trained], architecture: str, which: str, tmp_path: Path
) -> None:
    lightning.seed_everything(0, verbose=False)
    trained = module(CLASSES)
    path = fitted(trained, tmp_path)
    with pytest.raises(BadRequest, match=rf"is a checkpoint of Lightning {lightning.__version__}.*classes=4"):
        load_model(path)
    model = load_model(path, architecture=architecture)
    expected = trained(IMAGES) if module is WithForward else trained.net(IMAGES)
    torch.testing.assert_close(model.network(IMAGES), expected)
    assert any(notice.startswith(which) for notice in model.notices)


@pytest.mark.filterwarnings("ignore")
def test_a_loss_among_the_hyper_parameters_needs_trust(tmp_path: Path) -> None:
    path = fitted(Trained(CLASSES, loss=nn.MSELoss()), tmp_path)
    with pytest.raises(BadRequest, match=r"its hyper-parameter loss, a torch\.nn\.modules\.loss\.MSELoss, would run"):
        load_model(path, architecture=f"{HERE}:Trained")
    assert load_model(path, architecture=f"{HERE}:Trained", trusted=True).weights == "last.ckpt"


@pytest.mark.filterwarnings("ignore")
def test_a_module_that_was_pickled_as_a_whole_needs_trust(tmp_path: Path) -> None:
    module = WithForward(CLASSES).eval()
    torch.save(module, tmp_path / "whole.pt")
    with pytest.raises(BadRequest, match=rf"this pickle of {HERE}\.WithForward"):
        load_model(str(tmp_path / "whole.pt"))
    model = load_model(str(tmp_path / "whole.pt"), trusted=True)
    torch.testing.assert_close(model.network(IMAGES), module(IMAGES))
