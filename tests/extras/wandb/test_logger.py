"""What the folder of an offline run of Weights & Biases holds after a report was logged."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnvis_report.live import WandbLogger
from tests.extras.needs import needs
from tests.live.reports import a_measure, epoch_report, same_picture, scalars

needs("wandb")

import wandb  # noqa: E402


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("CACHE", "DATA", "CONFIG", "ARTIFACT"):
        monkeypatch.setenv(f"WANDB_{name}_DIR", str(tmp_path / name.lower()))
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = wandb.init(mode="offline", project="reports", dir=str(tmp_path))
    yield run
    run.finish()


def test_the_offline_run_holds_the_report(tmp_path: Path, run: Any) -> None:
    report = epoch_report(tmp_path / "report")
    logger = WandbLogger()
    logger.log(report, 1)
    logger.log(report, 2)
    summary = dict(run.summary)
    folder = Path(run.dir)
    run.finish()
    assert {name for name in summary if name.startswith("cnnvis_report/")} == scalars(report) | {
        f"cnnvis_report/{name}" for name in ("epoch", "figure", "findings")
    }
    name, value = a_measure(report)
    assert summary[name] == value
    pictures = list((folder / "media" / "images").rglob("*.png"))
    assert len(pictures) == 2
    assert all(same_picture(path.read_bytes(), report) for path in pictures)
    texts = [path.read_text(encoding="utf-8") for path in (folder / "media" / "html").rglob("*.html")]
    assert len(texts) == 2 and all(report.findings[0] in text for text in texts)
    assert summary["cnnvis_report/epoch"] == 2
    (log,) = folder.parent.glob("*.wandb")
    assert f"cnnvis_report-{run.id}".encode() in log.read_bytes()
    staged = [path.read_bytes() for path in (tmp_path / "data" / "artifacts" / "staging").iterdir()]
    assert report.page.read_bytes() in staged and (report.folder / "run.json").read_bytes() in staged
