"""Reports while Lightning trains, with its loggers, by both of its packages."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from cnnvis_report import load_report
from tests.extras.needs import needs
from tests.live.small import inputs, network

needs("lightning")

import lightning  # noqa: E402

from cnnvis_report.live.lightning import ReportCallback, logger_of  # noqa: E402

CHEAP: dict[str, Any] = {"methods": "gradient", "limit": 2}
PACKAGES = [
    name for name in ("lightning.pytorch", "pytorch_lightning") if importlib.util.find_spec(name.partition(".")[0])
]


def data(seed: int = 0) -> DataLoader[Any]:
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(TensorDataset(inputs(8), torch.arange(8) % 4), batch_size=4, shuffle=True, generator=generator)


def trained(package: str, folder: Path, *callbacks: Any, validate: bool = True, **settings: Any) -> nn.Module:
    """A network with dropout after two epochs."""
    library: Any = importlib.import_module(package)

    class Training(library.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, batch: Any, _: int) -> Tensor:
            return cross_entropy(self.net(batch[0]), batch[1])

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("loss", cross_entropy(self.net(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), 0.01)

    torch.manual_seed(4)
    module: nn.Module = Training()
    quiet = {"enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    options = {"logger": False, "max_epochs": 2, **quiet, **settings}
    trainer = library.Trainer(
        accelerator="cpu", log_every_n_steps=1, default_root_dir=folder, callbacks=list(callbacks), **options
    )
    trainer.fit(module, data(), data(1) if validate else None)
    return module


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("package", PACKAGES)
def test_the_training_is_the_same_with_reports(package: str, tmp_path: Path) -> None:
    callback = ReportCallback(**CHEAP)
    modules = trained(package, tmp_path), trained(package, tmp_path, callback)
    states = [module.state_dict() for module in modules]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert callback.reports.failures == 0
    folders = sorted((tmp_path / "reports").iterdir())
    assert [folder.name for folder in folders] == ["epoch-0001", "epoch-0002"]
    report = load_report(folders[1])
    expected = modules[1].eval().get_submodule("net")(inputs(8)).detach()[0]
    logits = {score.index: score.logit for score in report[0].record.targets}
    assert report[0].record.label is not None and len(report) == 2
    assert all(abs(float(expected[index]) - logit) < 1e-4 for index, logit in logits.items())


@pytest.mark.filterwarnings("ignore")
def test_every_other_epoch_and_the_last(tmp_path: Path) -> None:
    callback = ReportCallback(inputs(2), tmp_path / "out", network="net", every=2, **CHEAP)
    trained("lightning.pytorch", tmp_path, callback, max_epochs=3, validate=False)
    assert sorted(folder.name for folder in (tmp_path / "out").iterdir()) == ["epoch-0002", "epoch-0003"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        pytest.param({}, "There are no images to report on", id="no validation"),
        pytest.param({"images": inputs(2), "network": "body"}, "body", id="no such part"),
        pytest.param({"images": inputs(2)[:, :1]}, "channel", id="images of another kind"),
    ],
)
def test_a_failure_is_one_warning(settings: Any, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    callback = ReportCallback(**CHEAP, **settings)
    trained("lightning.pytorch", tmp_path, callback, validate=False)
    warnings = [entry.getMessage() for entry in caplog.records if "the training goes on" in entry.getMessage()]
    assert len(warnings) == 1 and reason in warnings[0] and callback.reports.failures >= 2


@pytest.mark.filterwarnings("ignore")
def test_ranks_but_the_first_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightning.Trainer, "is_global_zero", property(lambda _: False))
    trained("lightning.pytorch", tmp_path, ReportCallback(inputs(2), tmp_path / "out", **CHEAP))
    assert not (tmp_path / "out").exists()


@pytest.mark.filterwarnings("ignore")
def test_the_sanity_check_makes_no_report(tmp_path: Path) -> None:
    callback = ReportCallback(inputs(2), tmp_path / "out", **CHEAP)
    trained("lightning.pytorch", tmp_path, callback, max_epochs=1, num_sanity_val_steps=2)
    assert sorted(folder.name for folder in (tmp_path / "out").iterdir()) == ["epoch-0001"]


class TensorBoardLogger:
    """As Lightning's own is called, with what ours needs of it."""

    experiment = None


def test_loggers_are_known_by_their_class() -> None:
    from lightning.pytorch.loggers import CSVLogger

    assert type(logger_of(TensorBoardLogger())).__name__ == "TensorBoardLogger"
    assert logger_of(CSVLogger("logs")) is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not importlib.util.find_spec("tensorboard"), reason="tensorboard isn't installed")
def test_the_trainers_tensorboard_gets_the_reports(tmp_path: Path) -> None:
    from lightning.pytorch.loggers import TensorBoardLogger as Own
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logger = Own(str(tmp_path / "logs"))
    trained("lightning.pytorch", tmp_path, ReportCallback(inputs(2), **CHEAP), logger=logger)
    events = EventAccumulator(logger.log_dir)
    events.Reload()
    assert [entry.step for entry in events.Images("cnnvis_report/figure")] == [1, 2]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not importlib.util.find_spec("mlflow"), reason="mlflow isn't installed")
def test_the_trainers_mlflow_gets_the_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightning.pytorch.loggers import MLFlowLogger

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    logger = MLFlowLogger(tracking_uri=(tmp_path / "store").as_uri())
    trained("lightning.pytorch", tmp_path, ReportCallback(inputs(2), **CHEAP), logger=logger)
    files = logger.experiment.list_artifacts(logger.run_id, "cnnvis_report/epoch-0002")
    assert "cnnvis_report/epoch-0002/index.html" in {entry.path for entry in files}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not importlib.util.find_spec("wandb"), reason="wandb isn't installed")
def test_the_trainers_wandb_gets_the_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightning.pytorch.loggers import WandbLogger

    for name in ("CACHE", "DATA", "CONFIG", "ARTIFACT"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
    logger = WandbLogger(save_dir=str(tmp_path), offline=True)
    trained("lightning.pytorch", tmp_path, ReportCallback(inputs(2), **CHEAP), logger=logger)
    summary = dict(logger.experiment.summary)
    logger.experiment.finish()
    assert summary["cnnvis_report/epoch"] == 2 and "cnnvis_report/figure" in summary
