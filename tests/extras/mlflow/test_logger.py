"""What MLflow's own client reads from its file store after a report was logged."""

from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.live import MLflowLogger
from tests.extras.needs import needs
from tests.live.reports import a_measure, epoch_report, same_picture, scalars

needs("mlflow")

import mlflow  # noqa: E402


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(None)


def test_the_file_store_holds_the_report(tmp_path: Path, client: Any) -> None:
    report = epoch_report(tmp_path / "report")
    with mlflow.start_run() as run:
        logger = MLflowLogger()
        logger.log(report, 1)
        logger.log(report, 2)
    id = run.info.run_id
    files = {entry.path for entry in client.list_artifacts(id, "cnnvis_report")}
    assert files == {f"cnnvis_report/epoch-000{epoch}{suffix}" for epoch in (1, 2) for suffix in ("", ".png", ".md")}
    folder = Path(client.download_artifacts(id, "cnnvis_report", str(tmp_path)))
    for path in (path for path in report.folder.rglob("*") if path.is_file()):
        assert (folder / "epoch-0002" / path.relative_to(report.folder)).read_bytes() == path.read_bytes()
    assert same_picture((folder / "epoch-0001.png").read_bytes(), report)
    assert same_picture((folder / "epoch-0002.png").read_bytes(), report)
    text = (folder / "epoch-0001.md").read_text(encoding="utf-8")
    assert all(finding in text for finding in report.findings)
    metrics = client.get_run(id).data.metrics
    assert set(metrics) == scalars(report)
    name, value = a_measure(report)
    assert metrics[name] == value
    assert [entry.step for entry in client.get_metric_history(id, name)] == [1, 2]


def test_a_run_is_named_by_its_id(tmp_path: Path, client: Any) -> None:
    id = client.create_run(client.create_experiment("other")).info.run_id
    MLflowLogger(id, client).log(epoch_report(tmp_path / "report"), 3)
    assert {Path(entry.path).name for entry in client.list_artifacts(id, "cnnvis_report")} >= {"epoch-0003"}
