"""Whole models of Keras: what is in a file computes what Keras computes, and is used as it is meant."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tests.extras.needs import needs

needs("keras", "h5py")

from cnnvis_report.models.load import load_model  # noqa: E402
from tests.extras.keras.models import chain, filled, graph, keras, layers, loaded_difference  # noqa: E402

CLOSE = 1e-5


def branches(images: Any) -> Any:
    left = layers.Conv2D(6, 3, padding="same", activation="relu", name="left")(images)
    right = layers.Conv2D(6, 1, activation="relu", name="right")(images)
    x = layers.MaxPooling2D()(layers.Concatenate()([layers.Add()([left, right]), left]))
    return layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x))


def shared(images: Any) -> Any:
    same = layers.Conv2D(5, 3, padding="same", activation="relu", name="same")
    return layers.Dense(3)(layers.Flatten()(same(same(images))))


def nested(images: Any) -> Any:
    inner = keras.Input((12, 12, 5))
    body = keras.Model(inner, layers.Conv2D(5, 3, padding="same", activation="relu")(inner), name="body")
    head = keras.Sequential([layers.Flatten(), layers.Dense(4, activation="sigmoid")], name="head")
    return head(body(layers.ReLU()(body(images))))


MODELS: dict[str, Callable[[], Any]] = {
    "sequential": lambda: chain(
        [layers.Conv2D(4, 3, 2, "same"), layers.BatchNormalization(), layers.Flatten(), layers.Dense(3)], (12, 12, 5)
    ),
    "branches": lambda: graph(branches, (12, 12, 5)),
    "shared layers": lambda: graph(shared, (12, 12, 5)),
    "nested": lambda: graph(nested, (12, 12, 5)),
    "channels first": lambda: chain(
        [layers.Conv2D(4, 3, data_format="channels_first"), layers.Flatten(), layers.Dense(3)], (5, 12, 12)
    ),
    "half precision": lambda: chain([layers.Conv2D(4, 3, dtype="mixed_float16"), layers.Flatten(), layers.Dense(2)]),
}


@pytest.mark.parametrize("form", ["keras", "h5", "weights.h5", "folder"])
@pytest.mark.parametrize("name", MODELS)
def test_a_saved_model_computes_what_keras_does(name: str, form: str, tmp_path: Path) -> None:
    model = MODELS[name]()
    path = tmp_path / f"net.{form}"
    if form == "folder":
        model.save(tmp_path / "net.keras")
        zipfile.ZipFile(tmp_path / "net.keras").extractall(path)
    elif form == "weights.h5":
        model.save_weights(path)
        (tmp_path / "net.json").write_text(model.to_json())
    else:
        model.save(path)
    loaded, difference = loaded_difference(path)
    assert difference <= CLOSE
    assert loaded.preprocessing.channels == 5


def test_children_are_called_as_in_keras_and_shared_ones_are_there_once(tmp_path: Path) -> None:
    graph(nested, (12, 12, 5)).save(tmp_path / "net.keras")
    network = load_model(str(tmp_path / "net.keras")).network
    body, head = network.get_submodule("body"), network.get_submodule("head")
    assert sum(isinstance(module, nn.Conv2d) for module in body.modules()) == 1
    assert any(isinstance(module, nn.Linear) for module in head.modules())
    assert [name for name, _ in network.named_children()][::2] == ["body", "head"]


ENDINGS: dict[str, tuple[Callable[[], list[Any]], str, type[nn.Module] | None]] = {
    "softmax": (lambda: [layers.Dense(3, activation="softmax")], "classification", nn.Softmax),
    "sigmoid": (lambda: [layers.Dense(3, activation="sigmoid")], "multilabel", nn.Sigmoid),
    "one score": (lambda: [layers.Dense(1, activation="sigmoid")], "binary", nn.Sigmoid),
    "a layer of its own": (lambda: [layers.Dense(3), layers.Activation("softmax")], "classification", nn.Softmax),
    "Softmax, then dropout": (
        lambda: [layers.Dense(3), layers.Softmax(), layers.Dropout(0.1)],
        "classification",
        nn.Softmax,
    ),
    "in a head": (lambda: [keras.Sequential([layers.Dense(3, activation="softmax")])], "classification", nn.Softmax),
    "none": (lambda: [layers.Dense(3)], "", None),
    "the softmax of one score": (lambda: [layers.Dense(1, activation="softmax")], "", None),
    "another": (lambda: [layers.Dense(3, activation="tanh")], "", None),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_the_last_activation_is_taken_off_and_said(name: str, tmp_path: Path) -> None:
    parts, task, kind = ENDINGS[name]
    chain([layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), *parts()], (8, 8, 3)).save(tmp_path / "net.keras")
    model, difference = loaded_difference(tmp_path / "net.keras")
    assert difference <= CLOSE
    assert model.network.task == task
    assert model.original is not None
    assert kind is None or isinstance(model.original.ending, kind)
    ends = (nn.Softmax, nn.Sigmoid)
    left = [module for module in model.network.modules() if isinstance(module, ends)]
    assert len(left) == (name == "the softmax of one score")


RAW, UNIT = (1 / 255,) * 3, (1.0,) * 3
SCALES: dict[str, tuple[Callable[[Any], Any], tuple[float, ...]]] = {
    "Rescaling to 0…1": (lambda x: layers.Rescaling(1 / 255)(x), RAW),
    "Rescaling of 0…1": (lambda x: layers.Rescaling(2.0, -1.0)(x), UNIT),
    "augmentation first": (
        lambda x: layers.Rescaling(1 / 127.5, -1)(keras.Sequential([layers.RandomFlip(), layers.RandomZoom(0.1)])(x)),
        RAW,
    ),
    "preprocess_input": (lambda x: keras.applications.mobilenet_v2.preprocess_input(x), RAW),
    "preprocess_input of ResNet": (lambda x: keras.applications.resnet.preprocess_input(x), RAW),
    "Normalization": (lambda x: layers.Normalization(mean=[120.0] * 3, variance=[3000.0] * 3)(x), RAW),
    "Normalization of 0…1": (lambda x: layers.Normalization(mean=[0.5] * 3, variance=[0.1] * 3)(x), UNIT),
    "nothing": (lambda x: x, UNIT),
}


@pytest.mark.parametrize("name", SCALES)
def test_pictures_are_scaled_as_the_first_layers_expect(name: str, tmp_path: Path) -> None:
    build, std = SCALES[name]
    images = keras.Input((10, 14, 3))
    outputs = layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(build(images))))
    keras.Model(images, outputs).save(tmp_path / "net.keras")
    model, difference = loaded_difference(tmp_path / "net.keras")
    assert difference <= CLOSE
    assert model.preprocessing.std == pytest.approx(std)
    assert model.preprocessing.mean == (0.0,) * 3
    assert model.preprocessing.size == (10, 14)
    assert len(model.notices) == 1


APPLICATIONS = [
    ("ResNet50", "resnet50", (123.68 / 255, 116.779 / 255, 103.939 / 255), (1 / 255,) * 3),
    ("MobileNetV2", "mobilenet_v2", (0.5,) * 3, (0.5,) * 3),
    ("DenseNet121", "densenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
]


@pytest.mark.parametrize(("name", "module", "mean", "std"), APPLICATIONS, ids=lambda value: str(value)[:12])
def test_an_application_is_prepared_as_its_own_function_does(
    name: str, module: str, mean: tuple[float, ...], std: tuple[float, ...], tmp_path: Path
) -> None:
    options = {"alpha": 0.35} if name == "MobileNetV2" else {}
    application = getattr(keras.applications, name)(weights=None, input_shape=(32, 32, 3), **options)
    application.save(tmp_path / "net.keras")
    model, difference = loaded_difference(tmp_path / "net.keras")
    assert difference <= 1e-4
    assert model.preprocessing.mean == pytest.approx(mean)
    assert model.preprocessing.std == pytest.approx(std)
    assert model.classes is not None and model.classes[207] == "golden retriever"
    pixels = torch.rand(1, 3, 32, 32)
    prepared = getattr(keras.applications, module).preprocess_input(255 * pixels.permute(0, 2, 3, 1).numpy())
    expected = application(prepared, training=False).detach()
    logits = model.network.eval()(model.preprocessing.normalize(pixels))
    torch.testing.assert_close(logits.softmax(1).detach(), expected, rtol=1e-4, atol=1e-8)


def test_a_size_that_the_model_leaves_open_is_said(tmp_path: Path) -> None:
    chain([layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()], (None, None, 3)).save(tmp_path / "net.keras")
    model = load_model(str(tmp_path / "net.keras"))
    assert model.preprocessing.size == (224, 224)
    assert any("--size" in notice for notice in model.notices)


def test_names_with_dots_are_read(tmp_path: Path) -> None:
    graph(branches, (12, 12, 3)).save(tmp_path / "plain.keras")
    with zipfile.ZipFile(tmp_path / "plain.keras") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    contents["config.json"] = contents["config.json"].replace(b'"left"', b'"block.left"')
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    model, difference = loaded_difference(tmp_path / "net.keras")
    assert difference <= CLOSE
    assert "block_left" in dict(model.network.named_children())


def test_other_weights_go_before_the_files_own(tmp_path: Path) -> None:
    model = filled(MODELS["sequential"](), seed=1)
    model.save(tmp_path / "net.keras")
    filled(model, seed=2).save_weights(tmp_path / "other.weights.h5")
    images = torch.rand(1, 5, 12, 12)
    other = load_model(str(tmp_path / "net.keras"), weights=tmp_path / "other.weights.h5").network
    expected = model(images.permute(0, 2, 3, 1), training=False)
    torch.testing.assert_close(other(images), expected, rtol=1e-5, atol=1e-6)
    assert json.loads(model.to_json())["class_name"] == "Sequential"
