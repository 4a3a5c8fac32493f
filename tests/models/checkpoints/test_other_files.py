"""Files and names that are no checkpoint are called what they are."""

import pathlib
from pathlib import Path

import pytest
import torch
from torch import nn

from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from tests.models.checkpoints.test_checkpoints import refused_path

FILES = {
    "net.onnx": (b"\x08\x07\x12\x07pytorch", "has the name of an ONNX graph and not its content"),
    "net.h5": (b"HDF 4, say", "has the name of a Keras model and not its content"),
    "net.pth": (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
    "page.pth": (b"<!DOCTYPE html><html>", "is a page of the web"),
    "cut.pth": (b"PK\x03\x04 and no more", "breaks off"),
    "photo.pth": (b"\xff\xd8\xff\xe0\0\x10JFIF", "isn't a checkpoint: it is a picture"),
    "labels.csv": (b"name,label\na.png,3\n", "isn't a checkpoint: it is a text"),
    "net.tflite": (b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
    "model.safetensors.index.json": (b'{"metadata": {}}', "checkpoint in parts"),
    "model-00001-of-00003.safetensors": (b"", "empty"),
    "pytorch_model-00001-of-00003.bin": (b"anything", "part 1 of 3"),
    "net.py": (b"def build(): ...\nmodel = 1\n", "net.py:NAME, of build, model"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_kinds_are_called_what_they_are(name: str, tmp_path: Path) -> None:
    content, says = FILES[name]
    (tmp_path / name).write_bytes(content)
    for words in ((str(tmp_path / name),), ("resnet18", tmp_path / name)):
        with pytest.raises(BadRequest) as caught:
            load_model(*words)
        assert says in str(caught.value) and "\n" not in str(caught.value)


def test_weights_of_keras_are_none_of_another_architecture(tmp_path: Path) -> None:
    (tmp_path / "net.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(BadRequest, match="is an HDF5 file, as of Keras"):
        load_model("resnet18", tmp_path / "net.h5")


def test_a_saved_model_says_how_keras_saves_it(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(BadRequest, match=r"tf\.keras\.models\.load_model\(.*\)\.save\('model\.keras'\)"):
        load_model(str(tmp_path))


@pytest.mark.filterwarnings("ignore")
def test_torchscript_and_exported_programs_are_called_what_they_are(tmp_path: Path) -> None:
    small = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2)).eval()
    torch.jit.save(torch.jit.script(small), tmp_path / "a.pt")
    torch.export.save(torch.export.export(small, (torch.rand(1, 3, 8, 8),)), tmp_path / "b.pt2")
    for name, weights in (("a.pt", "torch.jit.load('a.pt').state_dict()"), ("b.pt2", "torch.export.load('b.pt2')")):
        with pytest.raises(BadRequest, match="give it as MODEL, without --weights") as caught:
            load_model("resnet18", tmp_path / name)
        assert weights in str(caught.value)
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "config.json").write_text("{}")
    assert "Hugging Face" in refused_path(tmp_path / "hf")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("timm/resnet50.a1_in1k", "is a model of timm: give timm:resnet50.a1_in1k."),
        ("resnet50.a1_in1k", "is a model of timm: give timm:resnet50.a1_in1k."),
        ("vit_tiny_patch16_224", "is a model of timm: give timm:vit_tiny_patch16_224."),
        ("vit_tiny_patch16_22", "Did you mean 'timm:vit_tiny_patch16_224'?"),
        ("convnext_tiny_5.newer_ft_in1k", "is a model of timm: give timm:convnext_tiny_5.newer_ft_in1k."),
        ("microsoft/resnet-50", "hf download microsoft/resnet-50 --local-dir FOLDER"),
        ("./net.onnx", "there is no such file"),
    ],
)
def test_names_of_elsewhere_are_told_how_they_can_be_had(name: str, says: str) -> None:
    with pytest.raises(BadRequest) as caught:
        load_model(name)
    assert says in str(caught.value) and "import" not in str(caught.value)


def test_an_address_is_no_missing_file() -> None:
    with pytest.raises(BadRequest, match="is to be had from an address, and nothing is fetched here"):
        load_model("resnet18", pathlib.Path("https://example.org/models/best.pth"))


def test_a_folder_of_images_in_the_place_of_the_model_is_answered_by_the_order(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    with pytest.raises(BadRequest, match=r"is a folder, and no model is in it\. A command names the model first"):
        load_model(str(tmp_path))
