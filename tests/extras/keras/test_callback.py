"""Reports while Keras trains, with PyTorch under it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnvis_report import load_report
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.keras.convert import convert
from tests.extras.needs import needs

needs("keras", "h5py")

from cnnvis_report.live.keras import ReportCallback, keras  # noqa: E402

CHEAP: dict[str, Any] = {"methods": "gradient", "limit": 2}
IMAGES = np.random.default_rng(0).standard_normal((8, 16, 16, 3)).astype("float32")
LABELS = np.arange(8) % 4
LAYERS = keras.layers


def trained(*callbacks: Any, epochs: int = 2, last: Any = None) -> Any:
    """A model with dropout and batch normalization after some epochs."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            *(LAYERS.Conv2D(6, 3), LAYERS.BatchNormalization(), LAYERS.ReLU(), LAYERS.GlobalAveragePooling2D()),
            *(LAYERS.Dropout(0.5), last or LAYERS.Dense(4, activation="softmax")),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(IMAGES, LABELS, epochs=epochs, batch_size=4, verbose=0, callbacks=list(callbacks))
    return model


def test_the_training_is_the_same_with_reports(tmp_path: Path) -> None:
    callback = ReportCallback((IMAGES, LABELS), tmp_path, **CHEAP)
    models = trained(), trained(callback)
    assert all(
        np.array_equal(one, other) for one, other in zip(*(model.get_weights() for model in models), strict=True)
    )
    assert callback.reports.failures == 0
    folders = sorted(tmp_path.iterdir())
    assert [folder.name for folder in folders] == ["epoch-0001", "epoch-0002"]
    report = load_report(folders[1])
    expected = models[1].predict(IMAGES[:1], verbose=0)[0]
    first = report[0].record
    assert all(abs(expected[score.index] - score.probability) < 1e-5 for score in first.targets)
    assert first.label is not None and first.label.index == 0 and len(report) == 2


def test_every_other_epoch_and_the_last(tmp_path: Path) -> None:
    trained(ReportCallback(IMAGES, tmp_path, every=2, **CHEAP), epochs=3)
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["epoch-0002", "epoch-0003"]


class Unknown(LAYERS.Dense):  # type: ignore[misc, name-defined]
    """A layer that isn't converted."""


@pytest.mark.parametrize(
    ("images", "last", "reason"),
    [
        pytest.param(IMAGES, Unknown(4, activation="softmax"), "Unknown", id="a layer that isn't converted"),
        pytest.param(IMAGES[..., :1], None, "", id="images of another kind"),
    ],
)
def test_a_failure_is_one_warning(
    images: Any, last: Any, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    callback = ReportCallback(images, tmp_path / "out", **CHEAP)
    trained(callback, last=last)
    warnings = [entry.getMessage() for entry in caplog.records if "the training goes on" in entry.getMessage()]
    assert len(warnings) == 1 and reason in warnings[0] and callback.reports.failures == 2
    assert not (tmp_path / "out").exists()


def test_a_conversion_that_differs_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def wrongly(model: Any) -> Any:
        conversion = convert(model)
        next(conversion.network.parameters()).data += 1
        return conversion

    monkeypatch.setattr("cnnvis_report.live.keras.convert", wrongly)
    trained(ReportCallback(IMAGES, tmp_path, **CHEAP), epochs=1)
    assert "The converted network's output differs from that of Keras by" in caplog.text


def test_images_are_checked_before_the_training() -> None:
    with pytest.raises(BadRequest, match="images have 3 axes; an array N×H×W×C"):
        ReportCallback(IMAGES[0])


def test_one_hot_labels_are_read() -> None:
    labels = ReportCallback((IMAGES, np.eye(4)[LABELS])).reports.settings["labels"]
    assert labels == LABELS.tolist()
