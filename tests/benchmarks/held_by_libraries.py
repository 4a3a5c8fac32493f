"""One network in each of the forms in which other libraries hold one, for `ways`."""

import os
from pathlib import Path
from typing import Any

import torch

from tests.benchmarks.held_networks import CLASSES, Words, form, own


@form("timm, --weights")
def _timm(folder: Path) -> Words:
    import timm

    torch.save(timm.create_model("resnet10t", num_classes=CLASSES).state_dict(), folder / "timm.pth")
    return ["timm:resnet10t", "--weights", str(folder / "timm.pth")]


@form("a folder of timm")
def _timm_folder(folder: Path) -> Words:
    import timm
    from timm.models import save_for_hf

    save_for_hf(timm.create_model("resnet10t", num_classes=CLASSES), folder / "timm", safe_serialization=True)
    return [str(folder / "timm")]


@form("a folder of transformers")
def _transformers(folder: Path) -> Words:
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=CLASSES)
    ResNetForImageClassification(config).save_pretrained(folder / "hf")
    return [str(folder / "hf")]


def _keras(folder: Path) -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    layers = [keras.layers.Conv2D(8, 3, activation="relu"), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([keras.Input((64, 64, 3)), *layers, keras.layers.Dense(CLASSES, activation="softmax")])


@form("Keras, .keras")
def _keras_file(folder: Path) -> Words:
    _keras(folder).save(folder / "model.keras")
    return [str(folder / "model.keras")]


@form("Keras, .h5")
def _keras_h5(folder: Path) -> Words:
    _keras(folder).save(folder / "model.h5")
    return [str(folder / "model.h5")]


@form("Keras, .weights.h5 and JSON")
def _keras_weights(folder: Path) -> Words:
    model = _keras(folder)
    model.save_weights(folder / "net.weights.h5")
    (folder / "model.json").write_text(model.to_json())
    return [str(folder / "model.json"), "--weights", str(folder / "net.weights.h5")]


@form("ONNX")
def _onnx(folder: Path) -> Words:
    torch.onnx.export(own("Net")().eval(), (torch.rand(1, 3, 64, 64),), folder / "network.onnx", dynamo=False)
    return [str(folder / "network.onnx")]


@form("torch.export, .pt2")
def _exported(folder: Path) -> Words:
    batch = {0: torch.export.Dim("batch", min=1, max=64)}
    program = torch.export.export(own("Net")().eval(), (torch.rand(2, 3, 64, 64),), dynamic_shapes=(batch,))
    torch.export.save(program, folder / "network.pt2")
    return [str(folder / "network.pt2")]


@form("TorchScript")
def _script(folder: Path) -> Words:
    torch.jit.save(torch.jit.trace(own("Net")().eval(), torch.rand(1, 3, 64, 64)), folder / "script.pt")
    return [str(folder / "script.pt")]
