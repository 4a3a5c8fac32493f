"""Reports of a training's epochs: they are made when due, change nothing, and end nothing."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cnnvis_report.errors import BadRequest, CnnVisError, UnknownName
from cnnvis_report.live import EpochReports, loggers, training
from cnnvis_report.report.loaded_report import LoadedReport
from tests.live.small import inputs, network

IMAGES, LABELS = inputs(8), torch.arange(8) % 4
CHEAP: dict[str, Any] = {"methods": "gradient", "limit": 2}


def train(module: nn.Module, after_epoch: Callable[[nn.Module, int], object], epochs: int = 2) -> list[Tensor]:
    """Weights and random numbers after a training with dropout."""
    torch.manual_seed(3)
    optimizer = torch.optim.Adam(module.train().parameters(), 0.01)
    for epoch in range(1, epochs + 1):
        for rows in torch.randperm(8).split(4):
            optimizer.zero_grad()
            cross_entropy(module(IMAGES[rows]), LABELS[rows]).backward()
            optimizer.step()
        after_epoch(module, epoch)
    return [*(parameter.detach().clone() for parameter in module.parameters()), torch.rand(3)]


def test_the_training_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    expected = train(network(), lambda *_: None)
    made: list[LoadedReport | None] = []
    reports = EpochReports((IMAGES, LABELS), tmp_path, **CHEAP)
    result = train(network(), lambda module, epoch: made.append(reports.on_epoch_end(module, epoch)))
    assert all(torch.equal(value, other) for value, other in zip(result, expected, strict=True))
    assert [report.folder.name for report in made if report] == ["epoch-0001", "epoch-0002"]
    first, second = (report for report in made if report)
    assert len(first) == 2 and first[0].record.label is not None
    assert not (first[0].maps["gradient"] == second[0].maps["gradient"]).all(), "of the network as it was then"
    assert reports.failures == 0


@pytest.fixture
def epochs_reported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders that reports would be written to; none is."""
    folders: list[str] = []
    monkeypatch.setattr(training, "create_report", lambda *_, output, **__: folders.append(output.name))
    return folders


@pytest.mark.parametrize(
    ("every", "epochs", "folders"),
    [
        pytest.param(1, range(2), ["epoch-0000", "epoch-0001"], id="all"),
        pytest.param(2, range(1, 6), ["epoch-0002", "epoch-0004", "epoch-0005"], id="and the last one"),
        pytest.param(2, range(1, 5), ["epoch-0002", "epoch-0004"], id="the last one is due"),
        pytest.param(9, range(0), [], id="no epoch"),
    ],
)
def test_when_reports_are_made(every: int, epochs: range, folders: list[str], epochs_reported: list[str]) -> None:
    reports, module = EpochReports(IMAGES, every=every), network()
    for epoch in epochs:
        reports.on_epoch_end(module, epoch)
    reports.close(module)
    assert epochs_reported == folders


class Raises(nn.Module):
    """A network that doesn't run in eval mode, as one with a broken branch."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network()

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            raise ValueError("no such branch")
        scores: Tensor = self.inner(images)
        return scores


class Exits(torch.utils.data.Dataset[Any]):
    """A dataset that ends the program."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Any:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("module", "images", "reason"),
    [
        pytest.param(Raises, IMAGES, "no such branch", id="the network"),
        pytest.param(network, IMAGES[:, :2], "channels", id="images of another kind"),
        pytest.param(network, None, "There are no images to report on", id="no images"),
        pytest.param(network, Exits(), "", id="a dataset that ends the program"),
    ],
)
def test_a_failure_is_one_warning(
    module: Callable[[], nn.Module], images: Any, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reports = EpochReports(images, tmp_path, **CHEAP)
    train(module(), reports.on_epoch_end, epochs=3)
    warnings = [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]
    assert len(warnings) == 1 and reports.failures == 3
    assert warnings[0].startswith("There is no report after epoch 1, and the training goes on: ")
    assert reason in warnings[0]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), CnnVisError("no"), MemoryError()], ids=repr)
def test_a_full_disk_ends_no_training(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("cnnvis_report.store.writer.RunWriter.add", fail)
    reports = EpochReports(IMAGES, tmp_path, **CHEAP)
    train(network(), reports.on_epoch_end)
    assert sum("the training goes on" in entry.getMessage() for entry in caplog.records) == 1
    assert reports.failures == 2


def test_an_output_that_is_a_file_ends_no_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "reports").write_text("mine")
    reports = EpochReports(IMAGES, tmp_path / "reports", **CHEAP)
    train(network(), reports.on_epoch_end)
    assert (tmp_path / "reports").read_text() == "mine" and reports.failures == 2
    assert sum("the training goes on" in entry.getMessage() for entry in caplog.records) == 1


def test_ctrl_c_still_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "create_report", interrupt)
    with pytest.raises(KeyboardInterrupt):
        EpochReports(IMAGES).on_epoch_end(network(), 1)


def test_the_other_processes_write_nothing(epochs_reported: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    for rank, folders in ((1, []), (0, ["epoch-0001"])):
        monkeypatch.setattr(torch.distributed, "get_rank", lambda rank=rank: rank)
        EpochReports(IMAGES).on_epoch_end(network(), 1)
        assert epochs_reported == folders


class FullyShardedDataParallel(nn.Sequential):
    """Called as PyTorch's own is, which needs several processes."""


def test_sharded_weights_are_left_alone(epochs_reported: list[str], caplog: pytest.LogCaptureFixture) -> None:
    assert EpochReports(IMAGES).on_epoch_end(nn.Sequential(FullyShardedDataParallel()), 1) is None
    assert not epochs_reported and "sharded over several processes" in caplog.text


class Keeps:
    """A logger that keeps what it gets."""

    def __init__(self) -> None:
        self.contents, self.logged = loggers.ReportContents(), list[tuple[int, loggers.Content]]()

    def log(self, report: LoadedReport, epoch: int) -> None:
        self.logged.append((epoch, self.contents.of(report)))


class Fails:
    def log(self, report: LoadedReport, epoch: int) -> None:
        raise ConnectionError("no server")


def test_loggers_get_each_report_and_one_that_fails_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keeps = Keeps()
    reports = EpochReports((IMAGES, LABELS), tmp_path, loggers=[Fails(), keeps], **CHEAP)
    train(network(), reports.on_epoch_end)
    assert [epoch for epoch, _ in keeps.logged] == [1, 2]
    content = keeps.logged[0][1]
    assert set(content.scalars) == {"accuracy", "calibration_error"} and 0 <= content.scalars["accuracy"] <= 1
    assert content.picture is not None and len(content.findings) == 2 and "gradient" in content.caption.lower()
    assert content.picture.size == keeps.logged[1][1].picture.size  # type: ignore[union-attr]
    assert "Fails did not log the report after epoch 1, and the training goes on: ConnectionError" in caplog.text


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        pytest.param({"method": "cam"}, UnknownName, id="no such setting"),
        pytest.param({"methods": "grad_camm"}, UnknownName, id="no such method"),
        pytest.param({"limit": "many"}, BadRequest, id="of another kind"),
        pytest.param({"every": 0}, BadRequest, id="every 0"),
    ],
)
def test_slips_show_before_the_training(settings: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        EpochReports(IMAGES, **settings)
