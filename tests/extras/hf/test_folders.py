"""Classifiers of transformers from folders: the library's own pixels and scores, and folders that are no good."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tests.extras.needs import needs

needs("transformers")

import transformers  # noqa: E402
from transformers import AutoImageProcessor  # noqa: E402

from cnnvis_report.data.preprocessing.prepare import prepare  # noqa: E402
from cnnvis_report.engine.subject import Subject  # noqa: E402
from cnnvis_report.errors import BadRequest  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from tests.extras.hf.folders import KINDS, made  # noqa: E402
from tests.robustness.mutated_models import failures  # noqa: E402

SIZES = [(60, 41), (41, 60), (32, 32), (90, 21)]


def noise(size: tuple[int, int]) -> Image.Image:
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3))
    return Image.fromarray(values.astype(np.uint8)).resize((size[0] * 2, size[1] * 2))


@pytest.fixture(autouse=True)
def without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("pillow", [False, True], ids=["tensors", "pillow"])
@pytest.mark.parametrize("name", KINDS)
def test_pixels_and_scores_are_those_of_the_library(name: str, pillow: bool, tmp_path: Path) -> None:
    network = made(name, tmp_path / "net", pillow=pillow)
    processor = AutoImageProcessor.from_pretrained(tmp_path / "net")
    if pillow:
        processor = getattr(transformers, f"{type(processor).__name__}Pil").from_pretrained(tmp_path / "net")
    model = load_model(str(tmp_path / "net"))
    assert model.classes == ("cat", "dog", "hen") and model.loader == "a folder of Hugging Face's transformers"
    assert model.preprocessing.transform is None and not model.notices
    if pillow:  # AutoImageProcessor chooses tensors wherever they can be had
        return
    for size in SIZES:
        expected = processor(images=noise(size), return_tensors="pt")["pixel_values"]
        values = prepare(noise(size), model.preprocessing).values[None]
        if name != "mobilevit":  # which reads blue first: there the weights are turned round
            torch.testing.assert_close(values, expected, rtol=0, atol=1e-5)
        with torch.no_grad():
            torch.testing.assert_close(model.network(values).logits, network(expected).logits, rtol=0, atol=1e-4)


def test_layers_keep_their_names(tmp_path: Path) -> None:
    network = made("resnet", tmp_path / "net")
    model = load_model(str(tmp_path / "net"))
    assert [name for name, _ in model.network.named_modules()] == [name for name, _ in network.named_modules()]
    assert Subject(model.network, torch.rand(1, 3, 64, 64)).default_layer == "resnet.encoder.stages.3"


@pytest.mark.parametrize("save", [{"max_shard_size": "4KB"}, {}], ids=["parts", "one file"])
def test_several_files_and_one(save: dict[str, str], tmp_path: Path) -> None:
    network = made("vit", tmp_path / "net")
    (tmp_path / "net" / "model.safetensors").unlink()
    network.save_pretrained(tmp_path / "net", **save)  # type: ignore[operator]
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(load_model(str(tmp_path / "net")).network(images).logits, network(images).logits)


def test_a_pickle_of_tensors(tmp_path: Path) -> None:
    network = made("vit", tmp_path / "net")
    (tmp_path / "net" / "model.safetensors").unlink()
    torch.save(network.state_dict(), tmp_path / "net" / "pytorch_model.bin")
    model = load_model(str(tmp_path / "net"))
    assert model.weights == "pytorch_model.bin"


def test_without_an_image_processor_the_size_is_the_networks(tmp_path: Path) -> None:
    made("vit", tmp_path / "net")
    (tmp_path / "net" / "preprocessor_config.json").unlink()
    model = load_model(str(tmp_path / "net"))
    assert model.preprocessing.resize == (32, 32) and "has no preprocessor_config.json" in model.notices[0]


def test_a_processor_that_has_other_steps_is_called_itself(tmp_path: Path) -> None:
    made("vit", tmp_path / "net")
    size = {"shortest_edge": 32, "longest_edge": 40}
    options = {"do_center_crop": True, "crop_size": {"height": 32, "width": 32}}
    transformers.ViTImageProcessor(size=size, **options).save_pretrained(tmp_path / "net")
    model = load_model(str(tmp_path / "net"))
    assert model.preprocessing.transform is not None and model.preprocessing.size == (32, 32)
    expected = AutoImageProcessor.from_pretrained(tmp_path / "net")(images=noise((60, 41)), return_tensors="pt")
    assert torch.equal(prepare(noise((60, 41)), model.preprocessing).values, expected["pixel_values"][0])


def change(file: str = "config.json", **settings: Any) -> Callable[[Path], object]:
    def changed(folder: Path) -> None:
        content = {**json.loads((folder / file).read_text()), **settings}
        content = {key: value for key, value in content.items() if value is not None}
        (folder / file).write_text(json.dumps(content))

    return changed


def cut(file: str) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes()[:-40])


def index(weight_map: object) -> Callable[[Path], object]:
    def written(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))

    return written


AUTO = {"AutoModelForImageClassification": "modeling.Net"}
PROCESSOR = "preprocessor_config.json"
BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "remote code": (change(auto_map=AUTO), "its network is code of its maker"),
    "remote processor": (change(PROCESSOR, auto_map=AUTO), "its image processor is code of its maker"),
    "no architecture": (change(architectures=None), "names no architecture"),
    "no kind": (change(model_type=None), "names no model_type"),
    "panoptic": (change(architectures=["EomtForUniversalSegmentation"]), "a network for universal segmentation"),
    "detection": (change(architectures=["DetrForObjectDetection"]), "DetrForObjectDetection of 'vit' isn't known"),
    "text": (change(architectures=["BertForSequenceClassification"], model_type="bert"), "for sequence classification"),
    "features": (change(architectures=["ViTModel"]), "ViTModel is the network without a classifier"),
    "unknown": (change(architectures=["NewForImageClassification"], model_type="new"), "isn't known to the"),
    "quantized": (change(quantization_config={"bits": 4}), "its weights are quantized"),
    "wide": (change(hidden_size=10_000_000), "describes a network of"),
    "deep": (change(num_hidden_layers=10_000_000), "num_hidden_layers is 10000000, and there are"),
    "large": (change(image_size=10_000_000), "image_size is 10000000; at most 10,000"),
    "many classes": (change(num_labels=200_000, id2label=None), "is for 200000 classes"),
    "another width": (change(hidden_size=24), "of another network|can't build"),
    "of no sense": (change(num_attention_heads="many"), "transformers doesn't take it|can't build"),
    "large pictures": (change(PROCESSOR, size={"height": 10**9, "width": 10**9}), "at most 10000 pixels are made"),
    "two means": (change(PROCESSOR, image_mean=[0.5, 0.5]), "the image processor fails on a picture"),
    "no such processor": (change(PROCESSOR, image_processor_type="Nonsense"), "makes no image processor"),
    "no JSON": (cut("config.json"), "can't be read as JSON"),
    "no table": (lambda folder: (folder / "config.json").write_text("[1]"), "holds a list and no table"),
    "cut weights": (cut("model.safetensors"), "can't be read as safetensors"),
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "has no weights beside config.json"),
    "missing part": (index({"a": "model-00001-of-00002.safetensors"}), "1 of 1 parts of the weights are missing"),
    "part elsewhere": (index({"a": "../model.safetensors"}), "is no file beside it"),
    "no index": (index([1]), "has no weight_map"),
    "a pickle": (lambda folder: (folder / "model.safetensors").write_bytes(b"\x80\x04cos\nsystem\n."), "."),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_folders_that_are_no_good(name: str, tmp_path: Path) -> None:
    made("vit", tmp_path / "net")
    spoil, says = BAD[name]
    spoil(tmp_path / "net")
    with pytest.raises(BadRequest, match=says) as caught:
        load_model(str(tmp_path / "net"))
    assert "\n" not in str(caught.value)


def test_a_network_that_reads_no_pixels(tmp_path: Path) -> None:
    config = transformers.ImageGPTConfig(n_embd=16, n_layer=1, n_head=2, n_positions=16, num_labels=3)
    transformers.ImageGPTForImageClassification(config).save_pretrained(tmp_path / "net")
    with pytest.raises(BadRequest, match=r"ImageGPTForImageClassification reads input_ids"):
        load_model(str(tmp_path / "net"))


def test_missing_tensors_are_listed(tmp_path: Path) -> None:
    network = made("vit", tmp_path / "net")
    state = {key: value for key, value in network.state_dict().items() if key != "classifier.weight"}
    (tmp_path / "net" / "model.safetensors").unlink()
    torch.save(state, tmp_path / "net" / "pytorch_model.bin")
    with pytest.raises(BadRequest, match=r"of another network: 1 missing \(classifier.weight\)"):
        load_model(str(tmp_path / "net"))


def test_nothing_is_said_on_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made("vit", tmp_path / "net")
    capfd.readouterr()
    load_model(str(tmp_path / "net"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_damaged_folders(file: str, tmp_path: Path) -> None:
    made("vit", tmp_path / "net")
    assert not failures(tmp_path / "net" / file, count=30)
