"""Networks of timm: by name, with somebody's weights, and from folders."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.extras.needs import needs

needs("timm")

import timm  # noqa: E402
from timm.models import save_for_hf  # noqa: E402

from cnnvis_report.errors import BadRequest  # noqa: E402
from cnnvis_report.models.load import load_model  # noqa: E402
from cnnvis_report.models.model import Model  # noqa: E402
from tests.robustness.mutated_models import failures  # noqa: E402

SMALL = "test_vit"
CONVOLUTIONAL = "test_resnet"


def network(name: str = CONVOLUTIONAL, **given: Any) -> torch.nn.Module:
    torch.manual_seed(0)
    made: torch.nn.Module = timm.create_model(name, **given).eval()
    return made


def refused(*request: Any, **more: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        load_model(*request, **more)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def same(model: Model, expected: torch.nn.Module, channels: int = 3, side: int = 64) -> bool:
    images = torch.rand(2, channels, side, side, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return torch.equal(model.network(images), expected(images))


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No hub, and nothing of it on this machine."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("classes", [7, 1000])
@pytest.mark.parametrize("channels", [1, 3])
def test_classes_and_channels_are_those_of_the_file(classes: int, channels: int, tmp_path: Path) -> None:
    made = network(num_classes=classes, in_chans=channels)
    torch.save({"state_dict": made.state_dict()}, tmp_path / "net.pth")
    model = load_model(f"timm:{CONVOLUTIONAL}", tmp_path / "net.pth")
    assert same(model, made, channels) and model.weights == "net.pth" and model.loader == "a model of timm"
    assert model.preprocessing.channels == channels
    assert (model.classes or ("",))[0] == ("tench, Tinca tinca" if classes == 1000 else "")


def test_the_size_of_a_position_embedding_is_the_size_of_the_pictures(tmp_path: Path) -> None:
    made = network(SMALL, num_classes=3, img_size=96)
    save_file(made.state_dict(), tmp_path / "net.safetensors")
    model = load_model(f"timm:{SMALL}", tmp_path / "net.safetensors")
    assert same(model, made, side=96) and model.preprocessing.crop == (96, 96)


def test_a_checkpoint_of_train_py_brings_averaged_weights_and_its_preprocessing(tmp_path: Path) -> None:
    made, last = network(num_classes=3), timm.create_model(CONVOLUTIONAL, num_classes=3)
    options = {"model": CONVOLUTIONAL, "img_size": 48, "crop_pct": 1.0, "mean": [0.1, 0.2, 0.3], "std": None}
    content = {
        "epoch": 3,
        "arch": CONVOLUTIONAL,
        "version": 2,
        "args": argparse.Namespace(**options, interpolation="bilinear"),
        "state_dict": last.state_dict(),
        "state_dict_ema": made.state_dict(),
    }
    torch.save(content, tmp_path / "model_best.pth.tar")
    model = load_model(f"timm:{CONVOLUTIONAL}", tmp_path / "model_best.pth.tar")
    assert same(model, made) and model.preprocessing.mean == (0.1, 0.2, 0.3)
    assert model.preprocessing.describe().startswith("shorter side 48, center crop 48×48, bilinear")
    assert any("Averaged weights" in notice for notice in model.notices)
    assert any("pictures are prepared as in that training" in notice for notice in model.notices)


@pytest.mark.parametrize("safe", [True, False])
def test_a_folder_of_timm_opens_with_its_labels_and_arguments(safe: bool, tmp_path: Path) -> None:
    made = network(SMALL, num_classes=2, img_size=96, in_chans=1)
    labels = {"label_names": ["n1", "n2"], "label_descriptions": {"n1": "a cat", "n2": "a dog"}}
    save_for_hf(made, tmp_path / "net", model_config=labels, safe_serialization=safe)
    model = load_model(str(tmp_path / "net"))
    assert same(model, made, 1, 96) and model.classes == ("a cat", "a dog")
    assert (model.name, model.preprocessing.channels) == (f"timm:{SMALL}", 1)


def test_an_untrained_network_needs_no_weights_and_changes_no_random_numbers() -> None:
    torch.manual_seed(3)
    model = load_model(f"timm:{CONVOLUTIONAL}", untrained=True, arguments={"num_classes": "5"})
    drawn = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(1)) and model.classes is None
    assert model.network(torch.zeros(1, 3, 64, 64)).shape == (1, 5)


@pytest.mark.usefixtures("unreachable")
def test_without_a_hub_the_file_is_named() -> None:
    said = refused("timm:resnet18")
    assert "can't be reached (HF_HUB_OFFLINE is set). Fetch https://huggingface.co/timm/resnet18.a1_in1k" in said
    assert said.endswith("resolve/main/model.safetensors where there is a network, and give it with --weights "
                         "model.safetensors.")  # fmt: skip
    assert "give that folder as MODEL" in refused("hf-hub:somebody/something")


def test_what_lies_in_the_cache_is_used_without_a_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = network()
    save_file(made.state_dict(), tmp_path / "model.safetensors")
    monkeypatch.setattr("cnnvis_report.models.timm_models.pretrained.fetch", lambda *_: tmp_path / "model.safetensors")
    model = load_model(f"timm:{CONVOLUTIONAL}")
    assert same(model, made, side=160) and model.weights.startswith("timm ") and len(model.classes or ()) == 1000


def test_the_hub_is_asked_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(request: Any, timeout: float) -> None:
        asked.append(request.full_url)
        raise OSError("no route")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("urllib.request.urlopen", ask)
    assert "(no route)" in refused("timm:resnet18") and len(asked) == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("timm:resnt18", "No model of timm is called 'resnt18'. Did you mean 'resnet18'?"),
        ("timm:resnet18.foo", "No tag of timm's resnet18 is called 'foo'"),
        ("timm:", "give a name of timm"),
        ("timm:vit_small_patch14_dinov2", "a feature extractor without classes"),
        ("vit_tiny_patch16_224", "is a model of timm: give timm:vit_tiny_patch16_224"),
    ],
)
def test_names_that_there_are_not(name: str, says: str) -> None:
    assert says in refused(name)


def test_weights_of_another_network_are_refused_before_it_is_built(tmp_path: Path) -> None:
    torch.save(network().state_dict(), tmp_path / "net.pth")
    assert "the weights are of another network" in refused("timm:resnet18", tmp_path / "net.pth")


def test_weights_of_timm_under_a_name_of_torchvision_are_said_to_be(tmp_path: Path) -> None:
    state = timm.create_model("resnet18", num_classes=3).state_dict()
    for folder in ("header", "beside", "script", "own"):
        (tmp_path / folder).mkdir()
    save_file(state, tmp_path / "header" / "a.safetensors", {"library": "timm", "architecture": "resnet18"})
    save_file(state, tmp_path / "beside" / "a.safetensors", {"format": "pt"})
    (tmp_path / "beside" / "config.json").write_text(json.dumps({"architecture": "resnet18", "pretrained_cfg": {}}))
    torch.save({"arch": "resnet18", "version": 2, "state_dict": state}, tmp_path / "script" / "a.pth")
    torch.save({"arch": "resnet18", "epoch": 2, "state_dict": state}, tmp_path / "own" / "a.pth")  # PyTorch's example
    for folder, says in {
        "header": "its header",
        "beside": "config.json beside it",
        "script": "its training script",
    }.items():
        (path,) = (tmp_path / folder).glob("a.*")
        assert f"holds weights of timm's resnet18, as {says} says" in load_model("resnet18", path).notices[0]
    assert not load_model("resnet18", tmp_path / "own" / "a.pth").notices


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no weights": (lambda folder: (folder / "model.safetensors").unlink(), "has no weights beside config.json"),
    "no such model": (lambda folder: settings(folder, architecture="resnot"), "No model of timm is called 'resnot'"),
    "terabytes": (lambda folder: settings(folder, model_args={"img_size": 10_000_000}), "img_size is 10000000"),
    "layers": (lambda folder: settings(folder, model_args={"depth": 10**6}), "depth is 1000000, and there are"),
    "no number": (lambda folder: settings(folder, model_args={"img_size": "x"}), "timm can't build it"),
    "cut": (lambda folder: cut(folder / "model.safetensors"), "can't be read as safetensors"),
    "no JSON": (lambda folder: cut(folder / "config.json"), "can't be read as JSON"),
    "other weights": (lambda folder: settings(folder, architecture=CONVOLUTIONAL, model_args={}), "of another network"),
    "no table": (lambda folder: settings(folder, pretrained_cfg=[1]), "its pretrained_cfg is no table"),
}  # fmt: skip


def settings(folder: Path, **changes: Any) -> None:
    content = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(content | changes))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize("name", BAD)
def test_folders_that_are_no_good(name: str, tmp_path: Path) -> None:
    save_for_hf(network(SMALL, num_classes=2), tmp_path / "net", safe_serialization=True)
    spoil, says = BAD[name]
    spoil(tmp_path / "net")
    with pytest.raises(BadRequest, match=says) as caught:
        load_model(str(tmp_path / "net"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file", ["config.json", "model.safetensors"])
def test_damaged_folders(file: str, tmp_path: Path) -> None:
    save_for_hf(network(num_classes=2), tmp_path / "net", safe_serialization=True)
    assert not failures(tmp_path / "net" / file, count=20)
