"""Reports while Hugging Face's Trainer trains."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.data import Dataset

from cnnvis_report import load_report
from tests.extras.needs import needs
from tests.live.small import inputs

needs("transformers", "accelerate")

import transformers  # noqa: E402

from cnnvis_report.live.hugging_face import ReportCallback  # noqa: E402

CHEAP: dict[str, Any] = {"methods": "gradient", "limit": 2}
NAMES = ["ant", "bee", "cat", "dog"]


class Samples(Dataset[Any]):
    """Dictionaries, as models of Hugging Face take them."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> Any:
        return {"pixel_values": inputs(8, 32)[index], "labels": index % 4}


def model() -> Any:
    torch.manual_seed(0)
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", id2label=dict(enumerate(NAMES))
    )
    return transformers.ResNetForImageClassification(config)


def trained(folder: Path, *callbacks: Any, **options: Any) -> Any:
    """A model after two epochs."""
    arguments = transformers.TrainingArguments(
        **{
            "output_dir": str(folder),
            "num_train_epochs": 2,
            "per_device_train_batch_size": 4,
            "report_to": [],
            "save_strategy": "no",
            "use_cpu": True,
            "disable_tqdm": True,
            "remove_unused_columns": False,
            "dataloader_pin_memory": False,
        }
        | options
    )
    network, data = model(), Samples()
    trainer = transformers.Trainer(network, arguments, train_dataset=data, eval_dataset=data, callbacks=list(callbacks))
    trainer.train()
    return network


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("images", [Samples(), None], ids=["given", "of the evaluation"])
def test_the_training_is_the_same_with_reports(images: Any, tmp_path: Path) -> None:
    callback = ReportCallback(images, **CHEAP)
    options = {"eval_strategy": "epoch"} if images is None else {}
    networks = trained(tmp_path, **options), trained(tmp_path, callback, **options)
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(value, states[1][name]) for name, value in states[0].items())
    assert callback.reports.failures == 0
    folders = sorted((tmp_path / "reports").iterdir())
    assert [folder.name for folder in folders] == ["epoch-0001", "epoch-0002"]
    report = load_report(folders[1])
    assert {score.name for score in report[0].record.targets} <= set(NAMES) and len(report) == 2
    with torch.no_grad():
        expected = networks[1].eval()(inputs(8, 32)).logits[0]
    assert all(abs(float(expected[score.index]) - score.logit) < 1e-4 for score in report[0].record.targets)
    assert report[0].record.label is not None and report[0].record.label.name == "ant"


@pytest.mark.filterwarnings("ignore")
def test_every_other_epoch_and_the_last(tmp_path: Path) -> None:
    callback = ReportCallback(Samples(), tmp_path / "out", every=2, **CHEAP)
    trained(tmp_path, callback, num_train_epochs=3)
    assert sorted(folder.name for folder in (tmp_path / "out").iterdir()) == ["epoch-0002", "epoch-0003"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("images", "options", "reason"),
    [
        pytest.param(inputs(2)[:, :1], {}, "channel", id="images of another kind"),
        pytest.param(None, {}, "There are no images to report on", id="no evaluation"),
    ],
)
def test_a_failure_is_one_warning(
    images: Any, options: Any, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained(tmp_path, ReportCallback(images, **CHEAP), **options)
    warnings = [entry.getMessage() for entry in caplog.records if "the training goes on" in entry.getMessage()]
    assert len(warnings) == 1 and reason in warnings[0]


def test_processes_but_the_first_write_nothing(tmp_path: Path) -> None:
    callback = ReportCallback(Samples(), tmp_path / "out", **CHEAP)
    state = transformers.TrainerState(epoch=1.0, is_world_process_zero=False)
    callback.on_epoch_end(None, state, None, model=model())
    callback.on_train_end(None, state, None, model=model())
    assert not (tmp_path / "out").exists()
