"""What the run of a network that was trained here records: predictions, training, and snapshots."""

import html
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnvis_report import explain
from cnnvis_report.evidence.statistics import wilson
from cnnvis_report.records.run import RunRecord
from cnnvis_report.store import SNAPSHOTS, load_arrays, load_inspection, load_run
from tests.conftest import command
from tests.pipeline.records import model_of
from tests.pipeline.stages.trained.numbers import EPOCHS, IMAGES, TRAINED_ON, label_of


def percent(share: float) -> str:
    return f"{100 * share:.1f}%" if 0 < share < 1 else f"{100 * share:.0f}%"


def test_the_record_is_that_of_the_model(trained: Path, record: RunRecord) -> None:
    assert record.training is not None and record.training.test is not None
    assert record.training == model_of(trained / "model.pt").training and len(record.training.history) == EPOCHS
    images = list(load_run(trained / "report").images())
    assert np.mean([image.correct is True for image in images]) == pytest.approx(record.training.test.accuracy)
    logits = np.array([[next(s.logit for s in i.targets if s.index == k) for k in range(5)] for i in images])
    targets = torch.tensor([label_of(image) for image in images])
    loss = torch.nn.functional.cross_entropy(torch.tensor(logits), targets)
    assert float(loss) == pytest.approx(record.training.test.loss, rel=1e-4), "the report sees what the training saw"
    assert record.in_training_set == sum(count.training for count in record.training.counts) == TRAINED_ON


def test_films_hold_the_maps_of_the_snapshots(trained: Path, record: RunRecord) -> None:
    assert len(record.snapshots) == 6
    maps = load_inspection(trained / "report", SNAPSHOTS)
    assert record.training is not None
    best = record.training.best_epoch
    images = {image.id: image for image in load_run(trained / "report").images()}
    for film in record.snapshots[:2]:
        assert [frame.epoch for frame in film.frames] == [1, 2, 3] and film.index == label_of(images[film.image])
        own = load_arrays(trained / "report", film.image)
        np.testing.assert_allclose(
            np.abs(maps[f"{film.image}/saliency/{best}"]).max(axis=0),
            own[f"saliency/{film.index}"],
            rtol=1e-3,
            atol=1e-6,
        )
        for frame in film.frames:
            file = "model.pt" if frame.epoch == best else f"model.epoch-{frame.epoch}.pt"
            model = model_of(trained / file)
            pixels = torch.tensor(own["picture"]).permute(2, 0, 1)[None].float() / 255
            inputs, target = model.preprocessing.normalize(pixels), torch.tensor([film.index])
            actual = explain(model.network, inputs, target, methods=["saliency"])["saliency"][0]
            np.testing.assert_allclose(maps[f"{film.image}/saliency/{frame.epoch}"], actual, rtol=1e-3, atol=1e-6)
            with torch.no_grad():
                assert float(model.network(inputs)[0, film.index]) == pytest.approx(frame.logit, rel=1e-3, abs=1e-4)


def test_a_snapshot_that_is_gone_is_told_and_leads_nowhere(trained: Path, tmp_path: Path) -> None:
    shutil.copy(trained / "model.pt", tmp_path / "model.pt")
    shutil.copy(trained / "model.epoch-1.pt", tmp_path / "model.epoch-1.pt")
    result = command(
        "run", tmp_path / "model.pt", trained / "images", "--limit", "2", "-m", "saliency", "-o", tmp_path / "r"
    )
    training = load_run(tmp_path / "r").record.training
    assert training is not None
    missing = {1, 2, 3} - {1, training.best_epoch}
    assert all(f"model.epoch-{epoch}.pt isn't beside the model" in result.stderr for epoch in missing)
    epochs = {frame.epoch for frame in load_run(tmp_path / "r").record.snapshots[0].frames}
    assert epochs == {1, 2, 3} - missing


def test_the_page_says_what_the_records_say(trained: Path, record: RunRecord) -> None:
    text = (trained / "report" / "performance.html").read_text(encoding="utf-8")
    plain = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u202f", " ").split())
    images = list(load_run(trained / "report").images())
    right = sum(bool(image.correct) for image in images)
    low, high = wilson(right, IMAGES)
    assert record.training is not None
    ends = f"[{percent(low)[:-1]}, {percent(high)[:-1]}]"
    accuracy = f"accuracy {percent(right / IMAGES)} {ends} ({right} of {IMAGES})"
    assert f"On {IMAGES} labeled images: {accuracy}" in plain
    labels = [label_of(image) for image in images]
    most = max(map(labels.count, labels))
    assert f"Always predicting the most frequent label would be correct for {percent(most / IMAGES)}." in plain
    assert f"{TRAINED_ON} of the {IMAGES} explained images are from the training set" in plain
    assert f"after epoch {record.training.best_epoch} of {EPOCHS}, which was kept" in plain and "<b>ring" not in text
    assert plain.count("✗ predicted: ") == IMAGES - right > 0


def test_the_same_training_gives_the_same_bytes(trained: Path, tmp_path: Path) -> None:
    command(
        *("train", trained / "images", "-o", tmp_path / "model.pt", "--epochs", str(EPOCHS)),
        *("--checkpoint-epochs", "1,2,3"),
        *("--device", "cpu", "--test", trained / "images", "--report", tmp_path / "report", "-m", "quick", "-q"),
    )
    assert (tmp_path / "model.pt").read_bytes() == (trained / "model.pt").read_bytes()
    for path in sorted((trained / "report").rglob("*")):
        name = path.relative_to(trained / "report").as_posix()
        if path.is_file() and name not in ("run.json", "data/provenance.js"):
            assert (tmp_path / "report" / name).read_bytes() == path.read_bytes(), name
