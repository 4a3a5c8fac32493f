"""Models from names, files and factories; what doesn't fit is refused in one line."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import get_model_weights

from cnnvis_report.data.labels.class_files import read_classes
from cnnvis_report.data.labels.class_names import find_class
from cnnvis_report.errors import BadRequest
from cnnvis_report.models.load import load_model
from cnnvis_report.models.network_state import weights_hash
from tests import factories
from tests.exhaustive import represented
from tests.narrow import layer, present

State = dict[str, Tensor]


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(0)
    weights: State = torchvision.models.squeezenet1_1(weights=None, num_classes=7).state_dict()
    return weights


WRAPPINGS: dict[str, Callable[[State], dict[str, Any]]] = {
    "bare": lambda state: state,
    "state_dict": lambda state: {"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}},
    "model": lambda state: {"model": state},
    "model_state": lambda state: {"model_state": state, "best": 0.9},
    "parallel": lambda state: {"state_dict": {f"module.{key}": value for key, value in state.items()}},
    "lightning": lambda state: {"state_dict": {f"model.{key}": value for key, value in state.items()}},
    "compiled": lambda state: {f"_orig_mod.module.{key}": value for key, value in state.items()},
    "half": lambda state: {key: value.half() for key, value in state.items()},
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_state_dict_is_found_however_it_is_wrapped(wrapping: str, state: State, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(WRAPPINGS[wrapping](state), path)
    model = load_model("squeezenet1_1", path)
    assert layer(model.network, "classifier.1", nn.Conv2d).out_channels == 7 and model.classes is None
    assert model.weights == "weights.pth" and not model.network.training
    loaded = model.network.state_dict()
    tolerance = 1e-3 if wrapping == "half" else 0
    assert all(torch.allclose(loaded[key], state[key], atol=tolerance) for key in state)


def test_safetensors_are_known_by_their_content(state: State, tmp_path: Path) -> None:
    save_file({key: value.contiguous() for key, value in state.items()}, tmp_path / "weights.bin")
    model = load_model("squeezenet1_1", tmp_path / "weights.bin")
    assert layer(model.network, "classifier.1", nn.Conv2d).out_channels == 7


HEADS = ("resnet18", "vgg11", "densenet121", "googlenet", "inception_v3", "convnext_tiny", "vit_b_16")


@pytest.mark.parametrize("name", represented(HEADS, by=("resnet18", "densenet121", "googlenet", "convnext_tiny")))
def test_the_number_of_classes_is_read_from_the_head(name: str, tmp_path: Path) -> None:
    extra = {"init_weights": False, "aux_logits": False} if name in ("googlenet", "inception_v3") else {}
    with torch.device("meta"):
        state = getattr(torchvision.models, name)(weights=None, num_classes=3, **extra).state_dict()
    torch.save({key: torch.zeros(value.shape) for key, value in state.items()}, tmp_path / "w.pt")
    network = load_model(name, tmp_path / "w.pt").network
    assert network.state_dict().keys() == state.keys()
    with torch.no_grad():
        side = 299 if name == "inception_v3" else 224
        assert network(torch.zeros(1, 3, side, side)).shape == (1, 3)


def test_a_file_with_torchvisions_own_name_has_its_preprocessing(tmp_path: Path) -> None:
    versions = list(get_model_weights("mobilenet_v2"))
    torch.manual_seed(0)
    state = torchvision.models.mobilenet_v2(weights=None).state_dict()
    for version in versions:
        path = tmp_path / Path(version.url).name
        torch.save(state, path)
        model = load_model("mobilenet_v2", path)
        assert model.preprocessing.resize == version.transforms().resize_size[0]
        assert model.classes == tuple(version.meta["categories"])
    assert len({version.transforms().resize_size[0] for version in versions}) > 1


def refused(name: str, weights: Any = None) -> Any:
    with pytest.raises(BadRequest) as caught:
        load_model(name, weights)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_weights_of_another_network_are_listed(state: State, tmp_path: Path) -> None:
    torch.save(state, tmp_path / "w.pth")
    said = refused("squeezenet1_0", tmp_path / "w.pth")
    assert "of another network" in said and "missing (features.5" in said and "unexpected" in said and "7 more" in said
    said = refused("resnet18", tmp_path / "w.pth")
    assert "missing" in said and "unexpected" in said


def test_weights_that_are_no_state_dict(state: State, tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    assert "there is no such file" in refused("resnet18", path)
    path.write_bytes(b"")
    assert "isn't a checkpoint" in refused("resnet18", path)
    path.write_text("hello " * 100)
    assert "isn't a checkpoint" in refused("resnet18", path)
    torch.save([1, 2, 3], path)
    assert "holds a list and no state dict" in refused("resnet18", path)
    torch.save({"epoch": 3}, path)
    assert "holds a dict and no state dict" in refused("resnet18", path)
    path.write_bytes((1_000).to_bytes(8, "little") + b'{"a": 1}')
    assert "can't be read as safetensors" in refused("resnet18", path)


class Bomb:
    def __reduce__(self) -> Any:
        return (open, ("/nonexistent/written-by-a-checkpoint", "w"))


def test_a_pickled_model_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "model.pth"
    torch.save(factories.tiny(), path)
    assert "isn't a file of plain tensors" in refused("resnet18", path)
    path.write_bytes(pickle.dumps(Bomb()))
    assert "plain tensors" in refused("resnet18", path) or "isn't a checkpoint" in refused("resnet18", path)


def test_weights_that_diverged_are_refused(state: State, tmp_path: Path) -> None:
    bad = dict(state) | {"features.0.bias": state["features.0.bias"].clone()}
    bad["features.0.bias"][3] = float("nan")
    torch.save(bad, tmp_path / "w.pth")
    assert "features.0.bias has 1 of 64 values that aren't finite" in refused("squeezenet1_1", tmp_path / "w.pth")
    assert "features.0.weight has 1 of" in refused("tests.factories:broken")


def test_names_that_nobody_knows(tmp_path: Path) -> None:
    assert "Did you mean 'resnet50'?" in refused("resnet5O")
    assert "is no classifier" in refused("r3d_18")
    assert "Known: IMAGENET1K_V1, IMAGENET1K_V2" in refused("resnet50@V3")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "weights.pth")
    assert "give the architecture as MODEL and the file as --weights" in refused(str(tmp_path / "weights.pth"))
    assert f"is a Python file; a network in it is called {__file__}:NAME, of state" in refused(__file__)
    assert "there is no such file" in refused("modle.pt")


def test_weights_that_cannot_be_downloaded_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", fails)
    said = refused("resnet50@IMAGENET1K_V1")
    assert "resnet50-0676ba61.pth can't be downloaded" in said and "--weights resnet50-0676ba61.pth" in said


def test_downloaded_weights_bring_names_and_preprocessing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    state = torchvision.models.resnet18(weights=None).state_dict()
    asked: dict[str, Any] = {}

    def download(url: Any, **options: Any) -> Any:
        asked.update(options, url=url)
        return state

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", download)
    model = load_model("resnet18")
    assert asked["weights_only"] is True and asked["url"].endswith("resnet18-f37072fd.pth")
    assert present(model.classes)[0] == "tench" and model.weights == "torchvision IMAGENET1K_V1"
    assert model.preprocessing.crop == (224, 224) and model.preprocessing.resize == 256


def test_factories() -> None:
    model = load_model("tests.factories:tiny")
    assert model.classes == factories.NAMES and model.preprocessing.resize == (40, 40)
    assert model.preprocessing.mean == (0.5, 0.5, 0.5)
    assert load_model("tests.factories:gray").preprocessing.channels == 1
    assert "can't import 'nowhere'" in refused("nowhere:net")
    assert "Did you mean 'tiny'?" in refused("tests.factories:tinny")
    assert "returns a str" in refused("tests.factories:nothing")
    assert "can't be called without width: give --arg width=10" in refused("tests.factories:needs_an_argument")


def test_a_factory_takes_weights(tmp_path: Path) -> None:
    other = factories.tiny()
    other.fc.bias.data += 1
    torch.save(other.state_dict(), tmp_path / "w.pt")
    model = load_model("tests.factories:tiny", tmp_path / "w.pt")
    assert torch.equal(model.network.get_parameter("fc.bias"), other.fc.bias)
    assert weights_hash(model.network) == weights_hash(other) != weights_hash(factories.tiny())


def test_class_names(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("cat\nдог\n<b>\n", encoding="utf-8")
    assert read_classes(path).names == ("cat", "дог", "<b>")
    (tmp_path / "a.json").write_text('["cat", "dog"]')
    (tmp_path / "b.json").write_text('{"0": ["n01", "cat"], "1": ["n02", "dog"]}')
    assert read_classes(tmp_path / "a.json").names == read_classes(tmp_path / "b.json").names == ("cat", "dog")
    (tmp_path / "c.json").write_text('{"1": "cat"}')
    with pytest.raises(BadRequest, match="indices 1 to 1 for 1 classes, and none for 0"):
        read_classes(tmp_path / "c.json")
    with pytest.raises(BadRequest, match="can't be read"):
        read_classes(tmp_path / "none.txt")


def test_classes_are_found_by_name_and_index() -> None:
    names = ("tabby cat", "crane", "dog", "crane")
    assert find_class("Tabby_Cat", names) == 0 and find_class("2", names) == 2
    with pytest.raises(BadRequest, match=r"2 classes are called 'crane': 1, 3"):
        find_class("crane", names)
    with pytest.raises(BadRequest, match=r"no class 4: the network has 4, 0 to 3"):
        find_class("4", names)
    with pytest.raises(BadRequest, match=r"Did you mean 'tabby cat'\?"):
        find_class("taby cat", names)
